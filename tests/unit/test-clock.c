/* Time: the two clocks, and sums that stop at their ends. */

#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"
#include "tests/unit/unit.h"

START_TEST(realtime_is_unix_time_in_microseconds) {
        usec_t before = (usec_t)time(NULL);
        usec_t now = clock_realtime_usec() / USEC_PER_SEC;

        ck_assert_uint_ge(now, before);
        ck_assert_uint_le(now, before + 60);
}
END_TEST

START_TEST(monotonic_time_never_goes_back) {
        usec_t last = clock_monotonic_usec();

        for (int i = 0; i < 10000; i++) {
                usec_t now = clock_monotonic_usec();

                ck_assert_uint_ge(now, last);
                last = now;
        }
}
END_TEST

START_TEST(sums_stop_at_infinity) {
        ck_assert_uint_eq(usec_add(1, 2), 3);
        ck_assert_uint_eq(usec_add(USEC_INFINITY, 1), USEC_INFINITY);
        ck_assert_uint_eq(usec_add(USEC_INFINITY - 1, 5), USEC_INFINITY);
        ck_assert_uint_eq(usec_add(USEC_INFINITY, USEC_INFINITY), USEC_INFINITY);
}
END_TEST

START_TEST(differences_stop_at_zero) {
        ck_assert_uint_eq(usec_sub(5, 3), 2);
        ck_assert_uint_eq(usec_sub(3, 5), 0);
        ck_assert_uint_eq(usec_sub(3, USEC_INFINITY), 0);
}
END_TEST

START_TEST(no_deadline_stays_no_deadline) {
        ck_assert_uint_eq(usec_sub(USEC_INFINITY, 7), USEC_INFINITY);
}
END_TEST

static Suite *suite_make(void) {
        Suite *suite = suite_create("clock");
        TCase *tcase = tcase_create("clock");

        tcase_add_test(tcase, realtime_is_unix_time_in_microseconds);
        tcase_add_test(tcase, monotonic_time_never_goes_back);
        tcase_add_test(tcase, sums_stop_at_infinity);
        tcase_add_test(tcase, differences_stop_at_zero);
        tcase_add_test(tcase, no_deadline_stays_no_deadline);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_run(suite_make());
}
