#pragma once

/*
 * Which queue files are to come into active/ next: walks active/ once (what an earlier qmgr
 * left), incoming/ when something may be there unannounced, and the due buckets of deferred/. In
 * slices, from the loop, one of incoming/ then one of deferred/. Pure bookkeeping of directories:
 * what to do with a name is the owner's.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "common/base/macro.h"
#include "common/mail/queue.h"

typedef struct Intake Intake;

typedef struct IntakeHandler {
        /* May another message become active? False ends the walks until intake_resume(). */
        bool (*has_room)(void *userdata);
        /* NAME is in DIR (in BUCKET, for deferred). It leaves DIR, or is dealt with on the spot. */
        void (*found)(void *userdata, QueueDir dir, uint64_t bucket, const char *name);
} IntakeHandler;

/* QUEUE and HANDLER are borrowed. Nothing is wanted yet. 0 or negative errno. */
/* Walks nothing before it is told to. QUEUE and HANDLER must outlive it. 0, negative errno. */
int intake_new(sd_event *event, const Queue *queue, const IntakeHandler *handler, void *userdata,
               Intake **ret);
Intake *intake_free(Intake *intake);
DEFINE_CLEANUP(Intake, intake_free)

/* Longest back-off in force: see queue_bucket_is_due(). */
void intake_set_max_backoff(Intake *intake, usec_t max_backoff_usec);

/* Look into active/ (an error there, or at start) or incoming/ soon. */
void intake_want(Intake *intake, QueueDir dir);

/* Look for due buckets now. */
void intake_want_deferred(Intake *intake);

/* Mail was put into BUCKET: be awake when it is due. */
void intake_note_bucket(Intake *intake, uint64_t bucket);

/* There is room again. */
void intake_resume(Intake *intake);

/* Nothing to walk, and nothing due within HORIZON. */
bool intake_is_idle(Intake *intake, usec_t horizon_usec);
