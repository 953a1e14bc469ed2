#pragma once

/*
 * The time limit of one request, kept by a timer of the process that is armed once and then left
 * to expire and look for itself: beginning and ending a request costs no system call. When a
 * request is found to be over its limit the process ends with ROLE_EXIT_TIME_LIMIT.
 */

#include "common/base/clock.h"

/* Make the timer. ON_EXPIRY (may be NULL) is called from the signal handler before the end. */
int role_deadline_init(usec_t limit_usec, void (*on_expiry)(void));

/* Around a request. */
void role_deadline_begin(void);
void role_deadline_end(void);
