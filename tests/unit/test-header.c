/* common/mail/header: what a line of a header block is, and the texts we write (RFC 5322). */

#include <stdlib.h>
#include <time.h>

#include "common/mail/header.h"
#include "tests/unit/unit.h"

#define NOW_USEC (1795557651 * USEC_PER_SEC + 5) /* 24 Nov 2026 22:00:51 UTC */

static void assert_str(Str got, const char *want) {
        ck_assert_msg(str_equal(got, str_from_cstr(want)), "got \"%.*s\", want \"%s\"",
                      STR_FMT(got), want);
}

START_TEST(lines_are_fields_continuations_end_or_body) {
        static const struct {
                Str line;
                HeaderLine kind;
                const char *name, *value;
        } rows[] = {
                { STR("Subject: a: b"), HEADER_LINE_FIELD, "Subject", " a: b" },
                { STR("Subject \t: x"), HEADER_LINE_FIELD, "Subject", " x" },
                { STR("X:"), HEADER_LINE_FIELD, "X", "" },
                { STR("X-!#$%&'*: x"), HEADER_LINE_FIELD, "X-!#$%&'*", " x" },
                { STR("A: \0b"), HEADER_LINE_FIELD, "A", NULL },
                { STR(" folded: x"), HEADER_LINE_CONTINUATION, NULL, NULL },
                { STR("\t"), HEADER_LINE_CONTINUATION, NULL, NULL },
                { STR(""), HEADER_LINE_END, NULL, NULL },
                { STR(": no name"), HEADER_LINE_BODY, NULL, NULL },
                { STR("From me to you: x"), HEADER_LINE_BODY, NULL, NULL },
                { STR("Subject"), HEADER_LINE_BODY, NULL, NULL },
                { STR("Subject "), HEADER_LINE_BODY, NULL, NULL },
                { STR("S\xc3\xbc: x"), HEADER_LINE_BODY, NULL, NULL },
                { STR("A\0: x"), HEADER_LINE_BODY, NULL, NULL },
                { STR("\r"), HEADER_LINE_BODY, NULL, NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Str name = STR_NULL, value = STR_NULL;

                ck_assert_int_eq(header_line_classify(rows[i].line, &name, &value), rows[i].kind);
                if (rows[i].name)
                        assert_str(name, rows[i].name);
                if (rows[i].value)
                        assert_str(value, rows[i].value);
        }
}
END_TEST

START_TEST(dates_are_local_time_with_zone) {
        static const struct {
                const char *zone, *want;
        } rows[] = {
                { "UTC0", "Tue, 24 Nov 2026 22:00:51 +0000 (UTC)" },
                { "XYZ-5:30", "Wed, 25 Nov 2026 03:30:51 +0530 (XYZ)" },
                { "ABC3:15", "Tue, 24 Nov 2026 18:45:51 -0315 (ABC)" },
                { "<-03>3", "Tue, 24 Nov 2026 19:00:51 -0300 (-03)" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf buf = BUF_INIT(100);

                setenv("TZ", rows[i].zone, 1);
                tzset();
                ck_assert_int_eq(header_append_date(&buf, NOW_USEC), 0);
                assert_str(buf_str(&buf), rows[i].want);
        }
}
END_TEST

START_TEST(a_message_id_is_made_of_time_queue_id_and_host) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(100);

        setenv("TZ", "XYZ-5:30", 1);
        tzset();
        ck_assert_int_eq(header_append_message_id(&buf, NOW_USEC, STR("0ABC"), STR("h.example")),
                         0);
        assert_str(buf_str(&buf), "20261124220051.0ABC@h.example");
}
END_TEST

START_TEST(display_names_become_phrases) {
        static const struct {
                const char *name, *want;
        } rows[] = {
                { "root", "root" },
                { "John Doe", "John Doe" },
                { "CronDaemon", "CronDaemon" },
                { "John Q. Public", "\"John Q. Public\"" },
                { "Doe, John", "\"Doe, John\"" },
                { "a\"b\\c", "\"a\\\"b\\\\c\"" },
                { "evil\r\nBcc: x", "\"evilBcc: x\"" },
                { " padded", "\" padded\"" },
                { "two  spaces", "\"two  spaces\"" },
                { "J\xc3\xbcrgen M.", "=?utf-8?Q?J=C3=BCrgen_M=2E?=" },
                { "bad\xff\xc3\xbc", "=?utf-8?Q?bad=C3=BC?=" },
                { "\xed\xa0\x80\xf5", "\"\"" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf buf = BUF_INIT(1000);

                ck_assert_int_eq(header_append_phrase(&buf, str_from_cstr(rows[i].name)), 0);
                assert_str(buf_str(&buf), rows[i].want);
        }
}
END_TEST

START_TEST(display_names_become_comments_that_nothing_can_leave) {
        static const struct {
                const char *name, *want;
        } rows[] = {
                { "Jo Doe", "(Jo Doe)" },
                { "Jo (x) \\", "(Jo \\(x\\) \\\\)" },
                { "evil\n)", "(evil\\))" },
                { "J\xc3\xb6 (", "(=?utf-8?Q?J=C3=B6_=28?=)" },
                { "", "()" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf buf = BUF_INIT(1000);

                ck_assert_int_eq(header_append_comment(&buf, str_from_cstr(rows[i].name)), 0);
                assert_str(buf_str(&buf), rows[i].want);
        }
}
END_TEST

START_TEST(encoded_words_hold_75_characters_and_whole_letters_rfc2047_2) {
        _cleanup_(buf_deinit) Buf name = BUF_INIT(1000), buf = BUF_INIT(10000);
        Str rest, line;

        for (int i = 0; i < 40; i++)
                (void)buf_append_cstr(&name, "\xe2\x82\xac");
        ck_assert_int_eq(header_append_phrase(&buf, buf_str(&name)), 0);
        rest = buf_str(&buf);
        while (str_next_part(&rest, '\n', &line)) {
                line = str_trim(line);
                ck_assert_uint_le(line.len, 75);
                ck_assert(str_has_prefix(line, STR("=?utf-8?Q?=E2=82=AC")));
                ck_assert(str_has_suffix(line, STR("=E2=82=AC?=")));
        }
}
END_TEST

int main(void) {
        return unit_main(
                "header", lines_are_fields_continuations_end_or_body,
                dates_are_local_time_with_zone, a_message_id_is_made_of_time_queue_id_and_host,
                display_names_become_phrases, display_names_become_comments_that_nothing_can_leave,
                encoded_words_hold_75_characters_and_whole_letters_rfc2047_2, NULL);
}
