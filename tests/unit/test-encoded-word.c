/* RFC 2047: decoding, and what is left as it is. */

#include "common/mail/encoded-word.h"
#include "tests/unit/unit.h"

static const struct {
        const char *value, *decoded;
} values[] = {
        { "plain", "plain" },
        { "=?utf-8?Q?gr=C3=BC=C3=9Fe?=", "gr\xc3\xbc\xc3\x9f"
                                         "e" },
        { "=?UTF-8?b?Z3LDvMOfZQ==?= to =?us-ascii?q?a_b?=", "gr\xc3\xbc\xc3\x9f"
                                                            "e to a b" },
        { "=?iso-8859-1?Q?gr=FC=DFe?=", "gr\xc3\xbc\xc3\x9f"
                                        "e" },
        { "=?utf-8*en?q?x?=", "x" },
        /* 6.2: white space between two of them goes; one may end inside a character */
        { "=?utf-8?q?a=C3?= \r\n =?utf-8?q?=BCb?=", "a\xc3\xbc"
                                                    "b" },
        { "=?utf-8?q?a?=  b", "a  b" },
        { "a =?utf-8?q?b?=", "a b" },
        { "=?utf-8?q?\?=", "" },
        /* not ours, or not one at all */
        { "=?koi8-r?q?a?=", "=?koi8-r?q?a?=" },
        { "=?utf-8?x?a?=", "=?utf-8?x?a?=" },
        { "=?utf-8?q?a b?=", "=?utf-8?q?a b?=" },
        { "=?utf-8?q?a?", "=?utf-8?q?a?" },
        { "=?utf-8?q?a", "=?utf-8?q?a" },
        { "=?utf-8?q?a?b=", "=?utf-8?q?a?b=" },
        { "=?", "=?" },
        { "=?=?utf-8?q?a?=", "=?a" },
        { "=?utf-8?q?=4=zz=?=", "=4=zz=" },
        { "=?utf-8?b?YQ=Yg?=", "a" },
        { "=?utf-8?b?Y*Q?=", "a" },
};

START_TEST(words_are_decoded_and_all_else_stays) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(256);
        Str expected = str_from_cstr(values[_i].decoded);

        ck_assert_int_eq(encoded_word_append_decoded(&out, str_from_cstr(values[_i].value)), 0);
        ck_assert_msg(str_equal(buf_str(&out), expected), "%s: %.*s", values[_i].value,
                      STR_FMT(buf_str(&out)));
}
END_TEST

START_TEST(a_small_buffer_is_full) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(2);

        ck_assert_int_eq(encoded_word_append_decoded(&out, STR("=?utf-8?q?abc?=")), BUF_E_FULL);
}
END_TEST

/* The output is at most twice the input, as the header promises. */
START_TEST(the_promised_room_is_enough) {
        Str value = STR("=?iso-8859-1?q?\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff?=");
        _cleanup_(buf_deinit) Buf out = BUF_INIT(2 * value.len);

        ck_assert_int_eq(encoded_word_append_decoded(&out, value), 0);
        ck_assert_uint_eq(out.len, 24);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("encoded-word");
        TCase *tcase = tcase_create("encoded-word");

        tcase_add_loop_test(tcase, words_are_decoded_and_all_else_stays, 0, ARRAY_LEN(values));
        tcase_add_test(tcase, a_small_buffer_is_full);
        tcase_add_test(tcase, the_promised_room_is_enough);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
