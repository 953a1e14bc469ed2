#pragma once

/*
 * When to try again, and when to give up. Pure.
 */

#include <stdbool.h>

#include "common/base/clock.h"

typedef struct ScheduleLimits {
        usec_t minimal_backoff_usec;
        usec_t maximal_backoff_usec;
        usec_t queue_lifetime_usec;
        usec_t bounce_lifetime_usec; /* for the null sender */
        usec_t delay_warning_usec;   /* 0: never */
} ScheduleLimits;

/*
 * Time of the next attempt: as long from now as the message is old, so that the interval doubles,
 * within the back-off bounds. An arrival in the future (the clock was set back) counts as now.
 */
usec_t schedule_next_attempt(const ScheduleLimits *limits, usec_t arrival_usec, usec_t now_usec);

/* The furthest away that an attempt can be. */
usec_t schedule_longest(const ScheduleLimits *limits);

/* Has the message been here for longer than it may? */
bool schedule_is_expired(const ScheduleLimits *limits, bool null_sender, usec_t arrival_usec,
                         usec_t now_usec);

/* Has it been here for so long that its sender should know? */
bool schedule_is_delayed(const ScheduleLimits *limits, usec_t arrival_usec, usec_t now_usec);
