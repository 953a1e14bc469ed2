/* Texts of strangers on a desktop: one line, valid UTF-8, no markup, no more than fits. */

#include "services/notify/text.h"
#include "tests/unit/unit.h"

#define E_ACUTE "\xc3\xa9"

static const struct {
        const char *value, *line;
} lines[] = {
        { " hello\r\n\t world  ", "hello world" },
        { "=?utf-8?q?caf=C3=A9?=", "caf" E_ACUTE },
        { "a\x01\x1b[31mb\x7f", "a [31mb" },
        { "a\xc2\x9b"
          "b",
          "a b" }, /* C1 control */
        { "\xe2\x80\xae"
          "evil\xe2\x81\xa9",
          "evil" },                                     /* override, isolate */
        { "a\xffz\xc3", "a\xef\xbf\xbdz\xef\xbf\xbd" }, /* no UTF-8 */
        { "=?utf-8?q?a=00=0Ab?=", "a b" },
        { "\xf0\x9f\x93\xa7 mail", "\xf0\x9f\x93\xa7 mail" },
        { "\xed\xa0\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* a surrogate is no character */
        { " \t ", "" },
        { "", "" },
};

static void check(int r, const Buf *out, const char *expected) {
        ck_assert_int_eq(r, 0);
        ck_assert_msg(str_equal(buf_str(out), str_from_cstr(expected)), "'%.*s' is not '%s'",
                      STR_FMT(buf_str(out)), expected);
}

START_TEST(a_value_becomes_one_clean_line) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(TEXT_MAX_BYTES);

        check(text_append_line(&out, str_from_cstr(lines[_i].value)), &out, lines[_i].line);
}
END_TEST

START_TEST(a_long_line_is_cut_between_characters_and_fits) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(TEXT_MAX_BYTES);
        _cleanup_(buf_deinit) Buf in = BUF_INIT(8192);

        for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(buf_append_cstr(&in, "\xf0\x9f\x93\xa7"), 0);
        ck_assert_int_eq(text_append_line(&out, buf_str(&in)), 0);
        ck_assert_uint_eq(out.len, 4 * TEXT_MAX_CHARACTERS + 3);
        ck_assert(str_has_suffix(buf_str(&out), STR("\x93\xa7\xe2\x80\xa6")));

        buf_reset(&out);
        in.len = 4 * TEXT_MAX_CHARACTERS;
        ck_assert_int_eq(text_append_line(&out, buf_str(&in)), 0);
        ck_assert_uint_eq(out.len, 4 * TEXT_MAX_CHARACTERS);
}
END_TEST

static const struct {
        const char *value, *sender;
} senders[] = {
        { " Alice Example <alice@example.com>", "Alice Example" },
        { "\"Example, Alice <x>\" <alice@example.com>", "Example, Alice <x>" },
        { "\"a\\\"b\" <c@d>", "a\"b" },
        { "=?utf-8?q?Ren=C3=A9?= <r@d>", "Ren" E_ACUTE },
        { " <alice@example.com>", "alice@example.com" },
        { "\"\" <alice@example.com>", "alice@example.com" },
        { "root (Cron Daemon)", "root (Cron Daemon)" },
        { "<", "" },
        { "\"open <a@b>", "open <a@b>" },
        { "\\", "\\" },
        { "", "" },
};

START_TEST(a_sender_is_named_as_people_know_him) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(TEXT_MAX_BYTES);

        check(text_append_sender(&out, str_from_cstr(senders[_i].value)), &out, senders[_i].sender);
}
END_TEST

START_TEST(nothing_is_left_for_a_reader_of_markup) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(256);

        check(text_append_escaped(&out, STR("<a href=\"x\">&amp; 'y'")), &out,
              "&lt;a href=&quot;x&quot;&gt;&amp;amp; &#39;y&#39;");
}
END_TEST

int main(void) {
        Suite *suite = suite_create("notify-text");
        TCase *tcase = tcase_create("notify-text");

        tcase_add_loop_test(tcase, a_value_becomes_one_clean_line, 0, ARRAY_LEN(lines));
        tcase_add_test(tcase, a_long_line_is_cut_between_characters_and_fits);
        tcase_add_loop_test(tcase, a_sender_is_named_as_people_know_him, 0, ARRAY_LEN(senders));
        tcase_add_test(tcase, nothing_is_left_for_a_reader_of_markup);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
