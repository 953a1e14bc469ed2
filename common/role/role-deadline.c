/*
 * SIGALRM is ours. While requests come one after the other the timer fires once per LIMIT, finds
 * a later deadline and sets itself to that; after a quiet LIMIT it stays off. Its handler restarts
 * system calls (SA_RESTART); what poll(2) and its kin make of it, a caller handles anyway.
 */

#include "common/role/role-deadline.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "common/role/role-process.h"

static struct {
        timer_t timer;
        usec_t limit_usec;
        void (*on_expiry)(void);
        _Atomic usec_t deadline_usec; /* monotonic; 0: no request in hand */
        atomic_bool is_armed;
} state;

/* Runs in the signal handler too: timer_settime(2) is allowed there. */
static void timer_set(usec_t in_usec) {
        struct itimerspec when = {
                .it_value.tv_sec = (time_t)(in_usec / USEC_PER_SEC),
                .it_value.tv_nsec = (long)(in_usec % USEC_PER_SEC) * 1000 + 1,
        };

        (void)timer_settime(state.timer, 0, &when, NULL);
}

static void on_alarm(int signal_number) {
        usec_t deadline = atomic_load(&state.deadline_usec);
        usec_t now;
        int saved = errno;

        if (deadline == 0) {
                atomic_store(&state.is_armed, false);
                return;
        }
        now = clock_monotonic_usec();
        if (now < deadline) {
                timer_set(deadline - now);
                errno = saved;
                return;
        }
        if (state.on_expiry) {
                /* Should that hang, the next alarm ends us. */
                (void)signal(SIGALRM, SIG_DFL);
                timer_set(2 * USEC_PER_SEC);
                state.on_expiry();
        }
        _exit(ROLE_EXIT_TIME_LIMIT);
}

int role_deadline_init(usec_t limit_usec, void (*on_expiry)(void)) {
        struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };

        state.limit_usec = limit_usec;
        state.on_expiry = on_expiry;
        if (sigaction(SIGALRM, &action, NULL) < 0 ||
            timer_create(CLOCK_MONOTONIC, &event, &state.timer) < 0)
                return -errno;
        return 0;
}

void role_deadline_begin(void) {
        atomic_store(&state.deadline_usec, usec_add(clock_monotonic_usec(), state.limit_usec));
        if (!atomic_exchange(&state.is_armed, true))
                timer_set(state.limit_usec);
}

void role_deadline_end(void) {
        atomic_store(&state.deadline_usec, 0);
}
