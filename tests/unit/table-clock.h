#pragma once

/* A clock that a test sets forward, and how often files were looked at: for tests that wrap
 * clock_monotonic_usec and stat64. */

#include <sys/stat.h>

#include "common/base/clock.h"

static unsigned n_stats;
static usec_t clock_offset_usec;

/* The clock, ahead by clock_offset_usec. */
usec_t __real_clock_monotonic_usec(void);
usec_t __wrap_clock_monotonic_usec(void);
usec_t __wrap_clock_monotonic_usec(void) {
        return __real_clock_monotonic_usec() + clock_offset_usec;
}

/* stat(2), counted. */
int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st) {
        n_stats++;
        return __real_stat64(path, st);
}
