#include "common/base/clock.h"

#include <assert.h>
#include <time.h>

static usec_t clock_usec(clockid_t clock) {
        struct timespec now;
        int r;

        r = clock_gettime(clock, &now);
        /* Fails only for a clock that the kernel does not know; a time before 1970 is no time. */
        assert(r == 0);
        (void)r;
        if (now.tv_sec < 0)
                return 0;
        return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

usec_t clock_realtime_usec(void) {
        return clock_usec(CLOCK_REALTIME);
}

usec_t clock_monotonic_usec(void) {
        return clock_usec(CLOCK_MONOTONIC);
}

usec_t usec_add(usec_t a, usec_t b) {
        usec_t sum;

        return __builtin_add_overflow(a, b, &sum) ? USEC_INFINITY : sum;
}

usec_t usec_sub(usec_t a, usec_t b) {
        if (a == USEC_INFINITY)
                return USEC_INFINITY;
        return a > b ? a - b : 0;
}
