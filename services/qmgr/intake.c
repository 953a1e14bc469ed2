#include "services/qmgr/intake.h"

#include <errno.h>
#include <stdlib.h>

#define SLICE 50 /* names per walk and turn of the loop */

typedef struct Walk {
        QueueWalk *names; /* NULL: not begun */
        bool wanted;
        bool again; /* something may have come behind its position */
} Walk;

struct Intake {
        sd_event *event;
        const Queue *queue;
        const IntakeHandler *handler;
        void *userdata;
        usec_t max_backoff_usec;
        Walk active;
        Walk incoming;
        Walk deferred; /* of buckets[at] */
        uint64_t *buckets;
        size_t n_buckets;
        size_t at;
        bool paused;
        uint64_t next_bucket; /* earliest not due at the last look; 0: none */
        sd_event_source *slice;
        sd_event_source *timer; /* for next_bucket */
};

static void walk_end(Walk *walk) {
        walk->names = queue_walk_free(walk->names);
        walk->wanted = walk->again = false;
}

static void run_soon(Intake *intake) {
        if (!intake->paused)
                (void)sd_event_source_set_enabled(intake->slice, SD_EVENT_ON);
}

/* One slice of DIR. An unreadable directory ends the walk: the next wake-up tries again. */
static void walk_slice(Intake *intake, Walk *walk, QueueDir dir, uint64_t bucket) {
        const char *name;
        int r;

        if (!walk->names && queue_walk_new(intake->queue, dir, bucket, &walk->names) != 0) {
                walk_end(walk);
                return;
        }
        for (int n = 0; n < SLICE; n++) {
                if (!intake->handler->has_room(intake->userdata)) {
                        intake->paused = true;
                        return;
                }
                r = queue_walk_next(walk->names, &name);
                if (r != 0) {
                        bool again = r == QUEUE_E_END && walk->again;

                        walk_end(walk);
                        walk->wanted = again;
                        return;
                }
                intake->handler->found(intake->userdata, dir, bucket, name);
        }
}

static void forget_buckets(Intake *intake) {
        free(intake->buckets);
        intake->buckets = NULL;
        intake->n_buckets = intake->at = 0;
        walk_end(&intake->deferred);
}

static void deferred_slice(Intake *intake) {
        uint64_t bucket;

        if (intake->at >= intake->n_buckets) {
                forget_buckets(intake);
                return;
        }
        bucket = intake->buckets[intake->at];
        if (!queue_bucket_is_due(bucket, clock_realtime_usec(), intake->max_backoff_usec)) {
                intake_note_bucket(intake, bucket);
                intake->at++;
                return;
        }
        walk_slice(intake, &intake->deferred, QUEUE_DEFERRED, bucket);
        if (!intake->deferred.wanted && !intake->paused) {
                (void)queue_remove_bucket(intake->queue, bucket);
                intake->deferred.wanted = true;
                intake->at++;
        }
}

static int on_slice(sd_event_source *source, void *userdata) {
        Intake *intake = userdata;

        if (intake->active.wanted)
                walk_slice(intake, &intake->active, QUEUE_ACTIVE, 0);
        if (intake->incoming.wanted && !intake->paused)
                walk_slice(intake, &intake->incoming, QUEUE_INCOMING, 0);
        if (intake->deferred.wanted && !intake->paused)
                deferred_slice(intake);
        if (intake->paused ||
            !(intake->active.wanted || intake->incoming.wanted || intake->deferred.wanted))
                (void)sd_event_source_set_enabled(intake->slice, SD_EVENT_OFF);
        return 0;
}

static int on_timer(sd_event_source *source, usec_t usec, void *userdata) {
        intake_want_deferred(userdata);
        return 0;
}

int intake_new(sd_event *event, const Queue *queue, const IntakeHandler *handler, void *userdata,
               Intake **ret) {
        Intake *intake _cleanup_(intake_freep) = calloc(1, sizeof(*intake));
        int r;

        if (!intake)
                return -ENOMEM;
        intake->event = sd_event_ref(event);
        intake->queue = queue;
        intake->handler = handler;
        intake->userdata = userdata;
        r = sd_event_add_defer(event, &intake->slice, on_slice, intake);
        if (r < 0)
                return r;
        /* Answers of agents and new mail come before backlog. */
        r = sd_event_source_set_priority(intake->slice, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(intake->slice, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &intake->timer, CLOCK_REALTIME, 0, USEC_PER_SEC, on_timer,
                              intake);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(intake->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(intake);
        return 0;
}

Intake *intake_free(Intake *intake) {
        if (!intake)
                return NULL;
        walk_end(&intake->active);
        walk_end(&intake->incoming);
        forget_buckets(intake);
        sd_event_source_disable_unref(intake->slice);
        sd_event_source_disable_unref(intake->timer);
        sd_event_unref(intake->event);
        free(intake);
        return NULL;
}

void intake_set_max_backoff(Intake *intake, usec_t max_backoff_usec) {
        intake->max_backoff_usec = max_backoff_usec;
}

void intake_want(Intake *intake, QueueDir dir) {
        Walk *walk = dir == QUEUE_ACTIVE ? &intake->active : &intake->incoming;

        /* One walk after the other: with many wishes, one that began anew would get nowhere. */
        walk->again = walk->names != NULL;
        walk->wanted = true;
        run_soon(intake);
}

void intake_want_deferred(Intake *intake) {
        forget_buckets(intake);
        intake->next_bucket = 0;
        if (queue_list_buckets(intake->queue, &intake->buckets, &intake->n_buckets) != 0)
                return;
        intake->deferred.wanted = intake->n_buckets > 0;
        run_soon(intake);
}

void intake_note_bucket(Intake *intake, uint64_t bucket) {
        if (intake->next_bucket > 0 && intake->next_bucket <= bucket)
                return;
        intake->next_bucket = bucket;
        (void)sd_event_source_set_time(intake->timer, bucket * USEC_PER_SEC);
        (void)sd_event_source_set_enabled(intake->timer, SD_EVENT_ONESHOT);
}

void intake_resume(Intake *intake) {
        if (!intake->paused)
                return;
        intake->paused = false;
        run_soon(intake);
}

bool intake_is_idle(Intake *intake, usec_t horizon_usec) {
        usec_t limit = usec_add(clock_realtime_usec(), horizon_usec);

        if (intake->active.wanted || intake->incoming.wanted || intake->deferred.wanted)
                return false;
        return intake->next_bucket == 0 || intake->next_bucket * USEC_PER_SEC > limit;
}
