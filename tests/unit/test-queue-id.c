/* Queue IDs: their form, their order, and that they differ. */

#include "common/base/macro.h"
#include "common/mail/queue-id.h"
#include "tests/unit/unit.h"

START_TEST(an_id_parses_as_itself_and_knows_its_arrival) {
        static const usec_t times[] = { 0, 1, 1700000000123456, (UINT64_C(1) << 52) - 1 };

        for (size_t i = 0; i < ARRAY_LEN(times); i++) {
                QueueId id = queue_id_new(times[i]), parsed;

                ck_assert_uint_eq(strlen(id.text), QUEUE_ID_LEN);
                ck_assert(queue_id_parse(str_from_cstr(id.text), &parsed));
                ck_assert_str_eq(parsed.text, id.text);
                ck_assert_uint_eq(queue_id_arrival_usec(&parsed), times[i]);
        }
}
END_TEST

START_TEST(ids_sort_by_arrival) {
        QueueId earlier = queue_id_new(1700000000123456), later = queue_id_new(1700000000123457);

        ck_assert_int_lt(strcmp(earlier.text, later.text), 0);
}
END_TEST

START_TEST(ids_of_the_same_microsecond_differ) {
        QueueId first = queue_id_new(1);
        int n_same = 0;

        for (int i = 0; i < 1000; i++) {
                QueueId other = queue_id_new(1);

                n_same += strcmp(first.text, other.text) == 0;
        }
        ck_assert_int_le(n_same, 1); /* one in 268 million each */
}
END_TEST

START_TEST(only_the_exact_form_is_an_id) {
        static const char *const bad[] = {
                "",
                "0123456789ABCDEF012",   /* short */
                "0123456789ABCDEF01234", /* long */
                "0123456789abcdef0123",
                "0123456789ABCDEFG123",
                "../../../etc/passwd0",
                " 123456789ABCDEF0123",
                "0123456789ABCDEF012\n",
                ".123456789ABCDEF0123",
        };
        QueueId id;

        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
                ck_assert_msg(!queue_id_parse(str_from_cstr(bad[i]), &id), "\"%s\"", bad[i]);
        ck_assert(!queue_id_parse(STR("0123456789ABCDEF012\0"), &id));
        ck_assert(!queue_id_parse(STR_NULL, &id));
        ck_assert(queue_id_parse(STR("0123456789ABCDEF0123"), &id));
}
END_TEST

int main(void) {
        return unit_main("queue-id", an_id_parses_as_itself_and_knows_its_arrival,
                         ids_sort_by_arrival, ids_of_the_same_microsecond_differ,
                         only_the_exact_form_is_an_id, NULL);
}
