#include "services/qmgr/schedule.h"

usec_t schedule_next_attempt(const ScheduleLimits *limits, usec_t arrival_usec, usec_t now_usec) {
        usec_t delay = usec_sub(now_usec, arrival_usec);

        if (delay > limits->maximal_backoff_usec)
                delay = limits->maximal_backoff_usec;
        if (delay < limits->minimal_backoff_usec)
                delay = limits->minimal_backoff_usec;
        return usec_add(now_usec, delay);
}

usec_t schedule_longest(const ScheduleLimits *limits) {
        return limits->minimal_backoff_usec > limits->maximal_backoff_usec
                       ? limits->minimal_backoff_usec
                       : limits->maximal_backoff_usec;
}

bool schedule_is_expired(const ScheduleLimits *limits, bool null_sender, usec_t arrival_usec,
                         usec_t now_usec) {
        usec_t lifetime = null_sender ? limits->bounce_lifetime_usec : limits->queue_lifetime_usec;

        return usec_sub(now_usec, arrival_usec) > lifetime;
}

bool schedule_is_delayed(const ScheduleLimits *limits, usec_t arrival_usec, usec_t now_usec) {
        return limits->delay_warning_usec > 0 &&
               usec_sub(now_usec, arrival_usec) >= limits->delay_warning_usec;
}
