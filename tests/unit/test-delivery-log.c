/* common/role/delivery-log: how delays are written. */

#include "common/base/macro.h"
#include "common/role/delivery-log.h"
#include "tests/unit/unit.h"

START_TEST(delays_have_two_significant_digits) {
        static const struct {
                usec_t delay;
                const char *text;
        } rows[] = {
                { 0, "0" },        { 4999, "0" },      { 5000, "0.01" },   { 14999, "0.01" },
                { 100000, "0.1" }, { 354000, "0.35" }, { 994999, "0.99" }, { 999999, "1" },
                { 1000000, "1" },  { 1049999, "1" },   { 2140000, "2.1" }, { 9940000, "9.9" },
                { 9999999, "10" }, { 10400000, "10" }, { 37500000, "38" }, { 4000000000, "4000" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Buf buf _cleanup_(buf_deinit) = BUF_INIT(64);

                ck_assert_int_eq(delivery_log_append_delay(&buf, rows[i].delay), 0);
                ck_assert_str_eq(buf_cstr(&buf), rows[i].text);
        }
}
END_TEST

int main(void) {
        return unit_main("delivery-log", delays_have_two_significant_digits, NULL);
}
