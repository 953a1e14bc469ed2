#pragma once

/*
 * Time in microseconds, named by its clock. Wall-clock values (arrival, retry times) are stored;
 * monotonic values (deadlines) never leave the process.
 */

#include <stdint.h>

typedef uint64_t usec_t;

#define USEC_PER_SEC  ((usec_t)1000000)
#define USEC_PER_MSEC ((usec_t)1000)
#define USEC_INFINITY UINT64_MAX

/* CLOCK_REALTIME and CLOCK_MONOTONIC; neither fails nor costs a system call (vDSO). */
usec_t clock_realtime_usec(void);
usec_t clock_monotonic_usec(void);

/* a + b and a - b that stop at USEC_INFINITY and 0; an infinite a stays infinite. */
usec_t usec_add(usec_t a, usec_t b);
usec_t usec_sub(usec_t a, usec_t b);
