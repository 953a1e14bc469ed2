/*
 * tools/sendmail/input: what of standard input is the message. Each row is fed whole and cut at
 * every byte.
 */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "tools/sendmail/input.h"

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

static void run(const InputOptions *options, Str input_text, size_t cut, Buf *ret,
                bool *ret_ended) {
        _cleanup_(input_freep) Input *input = NULL;
        _cleanup_(buf_deinit) Buf seen = BUF_INIT(1 << 24);

        ck_assert_int_eq(input_new(options, collect, &seen, &input), 0);
        ck_assert_int_eq(input_feed(input, str_first(input_text, cut)), 0);
        ck_assert_int_eq(input_feed(input, str_skip(input_text, cut)), 0);
        ck_assert_int_eq(input_finish(input), 0);
        ck_assert_int_eq(input_replay(input, collect, ret), 0);
        ck_assert(str_equal(buf_str(&seen), buf_str(ret)));
        *ret_ended = input_is_ended(input);
}

typedef struct Row {
        Str input, want;
        bool ended;
} Row;

static void assert_rows(const InputOptions *options, const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++)
                for (size_t cut = 0; cut <= rows[i].input.len; cut++) {
                        _cleanup_(buf_deinit) Buf got = BUF_INIT(1 << 24);
                        bool ended;

                        run(options, rows[i].input, cut, &got, &ended);
                        ck_assert_msg(str_equal(buf_str(&got), rows[i].want),
                                      "row %zu, cut at %zu: got \"%.*s\"", i, cut,
                                      STR_FMT(buf_str(&got)));
                        ck_assert(ended == rows[i].ended);
                }
}

START_TEST(cr_lf_becomes_lf_and_other_cr_stay) {
        static const Row rows[] = {
                { STR("a\r\nb\r\r\n\r\nc\n"), STR("a\nb\n\nc\n"), false },
                { STR("a\rb\r\n"), STR("a\rb\n"), false },
                { STR("a\r"), STR("a\r"), false },
                { STR("\r"), STR("\r"), false },
                { STR("a\0b\r\0\r\n"), STR("a\0b\r\0\n"), false },
                { STR("no newline"), STR("no newline"), false },
                { STR(""), STR(""), false },
        };
        InputOptions options = { .line_ends = INPUT_LINE_ENDS_ALWAYS };

        assert_rows(&options, rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(strict_goes_by_the_first_line) {
        static const Row rows[] = {
                { STR("a\r\nb\n\rc\r\n"), STR("a\nb\n\rc\n"), false },
                { STR("a\nb\r\n.\r\nc"), STR("a\nb\r\n.\r\nc"), false },
                { STR("From x\r\na\r\n"), STR("a\n"), false },
                { STR("From x\na\r\n"), STR("a\r\n"), false },
        };
        InputOptions options = { .line_ends = INPUT_LINE_ENDS_STRICT };

        assert_rows(&options, rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(never_leaves_line_ends_alone) {
        static const Row rows[] = {
                { STR("a\r\n.\r\nb\n"), STR("a\r\n.\r\nb\n"), false },
                { STR("a\n.\nb\n"), STR("a\n"), true },
        };
        InputOptions options = { .line_ends = INPUT_LINE_ENDS_NEVER };

        assert_rows(&options, rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(a_line_of_one_dot_is_the_end) {
        static const Row rows[] = {
                { STR("a\n.\nb\n"), STR("a\n"), true },
                { STR(".\nb\n"), STR(""), true },
                { STR("a\r\n.\r\nb"), STR("a\n"), true },
                { STR("a\n."), STR("a\n"), true },
                { STR("a\n..\n.b\n. \n .\n.\rc\n"), STR("a\n..\n.b\n. \n .\n.\rc\n"), false },
                { STR("a\n.\r"), STR("a\n.\r"), false },
                { STR("From x\n.\nb"), STR(""), true },
        };
        InputOptions options = { .line_ends = INPUT_LINE_ENDS_ALWAYS };

        assert_rows(&options, rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(with_i_a_dot_is_text) {
        static const Row rows[] = {
                { STR("a\n.\nb\n."), STR("a\n.\nb\n."), false },
                { STR(".\r\n"), STR(".\n"), false },
        };
        InputOptions options = { .dot_is_text = true };

        assert_rows(&options, rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(from_lines_in_front_are_left_out) {
        static const Row rows[] = {
                { STR("From jo Mon\nX: y\n\nFrom b\n"), STR("X: y\n\nFrom b\n"), false },
                { STR("From a\n>>>From b\r\nx\n"), STR("x\n"), false },
                { STR(">x\n"), STR(">x\n"), false },
                { STR("From: a\nFrom b\n"), STR("From: a\nFrom b\n"), false },
                { STR("From a"), STR("From a"), false }, /* no line: as in Postfix */
                { STR("\nFrom a\n"), STR("\nFrom a\n"), false },
        };
        InputOptions options = { .line_ends = INPUT_LINE_ENDS_ALWAYS };

        assert_rows(&options, rows, ARRAY_LEN(rows));
}
END_TEST

static void append_many(Buf *buf, const char *text, size_t n) {
        for (size_t i = 0; i < n; i++)
                (void)buf_append_cstr(buf, text);
}

START_TEST(a_long_first_line_is_no_from_line) {
        InputOptions options = { .line_ends = INPUT_LINE_ENDS_ALWAYS };

        for (size_t len = 2040; len < 2060; len++) {
                _cleanup_(buf_deinit) Buf text = BUF_INIT(10000), got = BUF_INIT(10000);
                bool ended, kept = len >= 2048;

                (void)buf_append_cstr(&text, "From ");
                append_many(&text, "x", len - 6);
                (void)buf_append_cstr(&text, "\n");
                ck_assert_uint_eq(text.len, len);
                (void)buf_append_cstr(&text, "rest\n");
                run(&options, buf_str(&text), 7, &got, &ended);
                ck_assert_msg(str_equal(buf_str(&got),
                                        str_skip(buf_str(&text), kept && len > 2048 ? 0 : len)),
                              "%zu", len);
        }
}
END_TEST

START_TEST(more_than_64_kb_go_to_a_file_and_come_back_whole) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
        InputOptions options = { .line_ends = INPUT_LINE_ENDS_ALWAYS };
        bool ended;

        append_many(&text, "0123456789012345\n", 20000);
        setenv("TMPDIR", "/nonexistent", 1);
        run(&options, buf_str(&text), 100001, &got, &ended);
        ck_assert(str_equal(buf_str(&got), buf_str(&text)));
}
END_TEST

START_TEST(too_much_is_said_while_it_comes) {
        _cleanup_(input_freep) Input *input = NULL;
        InputOptions options = { .max_bytes = 5 };

        ck_assert_int_eq(input_new(&options, NULL, NULL, &input), 0);
        ck_assert_int_eq(input_feed(input, STR("12345")), 0);
        ck_assert_int_eq(input_feed(input, STR("6")), INPUT_E_TOO_BIG);
}
END_TEST

START_TEST(an_unreadable_input_is_an_error) {
        _cleanup_(input_freep) Input *input = NULL;
        InputOptions options = { 0 };

        ck_assert_int_eq(input_new(&options, NULL, NULL, &input), 0);
        ck_assert_int_eq(input_read(input, -1), INPUT_E_READ);
        ck_assert_int_eq(input_errno(input), EBADF);
}
END_TEST

int main(void) {
        return unit_main("sendmail-input", cr_lf_becomes_lf_and_other_cr_stay,
                         strict_goes_by_the_first_line, never_leaves_line_ends_alone,
                         a_line_of_one_dot_is_the_end, with_i_a_dot_is_text,
                         from_lines_in_front_are_left_out, a_long_first_line_is_no_from_line,
                         more_than_64_kb_go_to_a_file_and_come_back_whole,
                         too_much_is_said_while_it_comes, an_unreadable_input_is_an_error, NULL);
}
