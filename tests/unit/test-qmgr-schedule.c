/* services/qmgr/schedule: back-off that doubles with age, within bounds; when mail expires. */

#include "common/base/macro.h"
#include "services/qmgr/schedule.h"
#include "tests/unit/unit.h"

#define SEC(n) (USEC_PER_SEC * (usec_t)(n))

static const ScheduleLimits limits = {
        .minimal_backoff_usec = SEC(300),
        .maximal_backoff_usec = SEC(4000),
        .queue_lifetime_usec = SEC(432000),
        .bounce_lifetime_usec = SEC(1000),
};

START_TEST(next_attempt_is_as_far_as_the_message_is_old) {
        static const struct {
                usec_t age, delay;
        } rows[] = {
                { 0, SEC(300) },
                { SEC(299), SEC(300) },
                { SEC(301), SEC(301) },
                { SEC(600), SEC(600) },
                { SEC(1200), SEC(1200) },
                { SEC(4000), SEC(4000) },
                { SEC(400000), SEC(4000) },
        };
        usec_t now = SEC(1000000);

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                ck_assert_uint_eq(schedule_next_attempt(&limits, now - rows[i].age, now),
                                  now + rows[i].delay);
}
END_TEST

START_TEST(an_arrival_in_the_future_counts_as_now) {
        ck_assert_uint_eq(schedule_next_attempt(&limits, SEC(2000), SEC(1000)), SEC(1300));
        ck_assert(!schedule_is_expired(&limits, false, SEC(2000), SEC(1000)));
}
END_TEST

START_TEST(mail_expires_after_its_lifetime_notices_after_theirs) {
        ck_assert(!schedule_is_expired(&limits, false, 0, SEC(432000)));
        ck_assert(schedule_is_expired(&limits, false, 0, SEC(432000) + 1));
        ck_assert(!schedule_is_expired(&limits, true, 0, SEC(1000)));
        ck_assert(schedule_is_expired(&limits, true, 0, SEC(1001)));
}
END_TEST

START_TEST(a_delay_is_worth_a_notice_from_the_warning_time_on) {
        ScheduleLimits warning = limits;

        ck_assert(!schedule_is_delayed(&limits, 0, SEC(400000))); /* 0: off */
        warning.delay_warning_usec = SEC(3600);
        ck_assert(!schedule_is_delayed(&warning, SEC(10), SEC(3610) - 1));
        ck_assert(schedule_is_delayed(&warning, SEC(10), SEC(3610)));
        ck_assert(!schedule_is_delayed(&warning, SEC(9000), SEC(10))); /* the clock was set back */
}
END_TEST

START_TEST(no_attempt_is_further_away_than_the_longest) {
        ScheduleLimits odd = limits;

        ck_assert_uint_eq(schedule_longest(&limits), SEC(4000));
        odd.minimal_backoff_usec = SEC(5000);
        ck_assert_uint_eq(schedule_longest(&odd), SEC(5000));
        ck_assert_uint_eq(schedule_next_attempt(&odd, SEC(9), SEC(9)), SEC(9) + SEC(5000));
}
END_TEST

int main(void) {
        return unit_main("qmgr-schedule", next_attempt_is_as_far_as_the_message_is_old,
                         an_arrival_in_the_future_counts_as_now,
                         mail_expires_after_its_lifetime_notices_after_theirs,
                         a_delay_is_worth_a_notice_from_the_warning_time_on,
                         no_attempt_is_further_away_than_the_longest, NULL);
}
