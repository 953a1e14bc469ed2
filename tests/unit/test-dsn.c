/* Dsn: outcomes as data. */

#include "common/base/macro.h"
#include "common/mail/dsn.h"
#include "tests/unit/unit.h"

START_TEST(codes_have_the_form_of_rfc_3463_section_2) {
        static const struct {
                const char *code;
                bool valid;
        } table[] = {
                { "5.1.1", true },    { "2.0.0", true },    { "4.999.999", true },
                { "5.10.0", true },   { "3.1.1", false },   { "5.1", false },
                { "5.1.1.1", false }, { "5..1", false },    { "5.1000.1", false },
                { "", false },        { "5.1.1 ", false },  { "5.01.1", false },
                { "55.1.1", false },  { "5.1.-1", false },  { ".1.1", false },
                { "5.1.", false },    { "5.1.1\n", false },
        };

        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                ck_assert_msg(dsn_code_is_valid(str_from_cstr(table[i].code)) == table[i].valid,
                              "\"%s\"", table[i].code);
        ck_assert(!dsn_code_is_valid(STR("5.1.1\0")));
        ck_assert(!dsn_code_is_valid(STR_NULL));
}
END_TEST

START_TEST(set_makes_one_printable_line) {
        Dsn dsn;

        dsn_set(&dsn, DSN_BOUNCED, "5.1.1", "no user %s", "a\r\nb\x7f\x1b[0m");
        ck_assert_int_eq(dsn.status, DSN_BOUNCED);
        ck_assert_str_eq(dsn.code, "5.1.1");
        ck_assert_str_eq(dsn.text, "no user a??b??[0m");
        ck_assert_str_eq(dsn.relay, "none");
}
END_TEST

START_TEST(long_texts_are_cut_between_characters) {
        char text[2 * DSN_TEXT_MAX + 1] = "";
        Dsn dsn;

        /* An odd byte in front, so that the limit falls into a two-byte character. */
        for (size_t i = 0; i < sizeof(text) - 1; i++)
                text[i] = i == 0 ? 'x' : i % 2 ? '\xc3' : '\xa4';
        dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "%s", text);
        ck_assert_uint_eq(strlen(dsn.text), DSN_TEXT_MAX - 1);
        ck_assert_int_eq((unsigned char)dsn.text[DSN_TEXT_MAX - 2], 0xa4);
        dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "x%s", text);
        ck_assert_uint_eq(strlen(dsn.text), DSN_TEXT_MAX - 2);
        ck_assert(dsn_parse(&dsn, DSN_SENT, STR("2.0.0"), str_from(text, sizeof(text) - 1),
                            str_from(text, sizeof(text) - 1)));
        ck_assert_uint_eq(strlen(dsn.text), DSN_TEXT_MAX - 1);
        ck_assert_uint_eq(strlen(dsn.relay), DSN_RELAY_MAX - 1);
        /* Continuation bytes alone are no character to keep whole. */
        memset(text, '\x80', sizeof(text) - 1);
        dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "%s", text);
        ck_assert_uint_eq(strlen(dsn.text), DSN_TEXT_MAX - 1);
}
END_TEST

START_TEST(parse_refuses_malformed_code_and_status) {
        Dsn dsn;

        ck_assert(!dsn_parse(&dsn, 0, STR("5.1.1"), STR("x"), STR("y")));
        ck_assert(!dsn_parse(&dsn, 4, STR("5.1.1"), STR("x"), STR("y")));
        ck_assert(!dsn_parse(&dsn, UINT64_MAX, STR("5.1.1"), STR("x"), STR("y")));
        ck_assert(!dsn_parse(&dsn, DSN_SENT, STR("9.1.1"), STR("x"), STR("y")));
        ck_assert(!dsn_parse(&dsn, DSN_SENT, STR_NULL, STR("x"), STR("y")));
        ck_assert(dsn_parse(&dsn, DSN_DEFERRED, STR("4.2.2"), STR("a\0b"), STR_NULL));
        ck_assert_str_eq(dsn.text, "a?b");
        ck_assert_str_eq(dsn.relay, "none");
        ck_assert(dsn_parse(&dsn, DSN_SENT, STR("2.0.0"), STR_NULL, STR("h[1.2.3.4]:25")));
        ck_assert_str_eq(dsn.text, "");
        ck_assert_str_eq(dsn.relay, "h[1.2.3.4]:25");
}
END_TEST

START_TEST(split_takes_off_a_leading_code) {
        static const struct {
                const char *text, *code, *rest;
        } table[] = {
                { "5.1.2 no such domain", "5.1.2", "no such domain" },
                { "4.0.0   wait", "4.0.0", "wait" },
                { "5.1.2", "5.1.2", "" },
                { "5.1.2, no", "", "5.1.2, no" },
                { "mail for x", "", "mail for x" },
                { "", "", "" },
                { " 5.1.2 x", "", " 5.1.2 x" },
        };

        for (size_t i = 0; i < ARRAY_LEN(table); i++) {
                Str code, rest;

                dsn_split(str_from_cstr(table[i].text), &code, &rest);
                ck_assert(str_equal(code, str_from_cstr(table[i].code)));
                ck_assert(str_equal(rest, str_from_cstr(table[i].rest)));
        }
}
END_TEST

START_TEST(names_are_those_of_the_log) {
        ck_assert_str_eq(dsn_status_name(DSN_SENT), "sent");
        ck_assert_str_eq(dsn_status_name(DSN_DEFERRED), "deferred");
        ck_assert_str_eq(dsn_status_name(DSN_BOUNCED), "bounced");
        ck_assert_str_eq(dsn_status_name((DsnStatus)77), "unknown");
}
END_TEST

int main(void) {
        return unit_main("dsn", codes_have_the_form_of_rfc_3463_section_2,
                         set_makes_one_printable_line, long_texts_are_cut_between_characters,
                         parse_refuses_malformed_code_and_status, split_takes_off_a_leading_code,
                         names_are_those_of_the_log, NULL);
}
