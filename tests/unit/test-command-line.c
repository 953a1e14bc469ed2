/* Which commands need a shell, and what their arguments are: local(8) of Postfix as tables. */

#include <errno.h>
#include <stdio.h>

#include "common/role/command-line.h"
#include "tests/unit/unit.h"

#define SH(command) "[/bin/sh][-c][" command "]"

static const struct {
        const char *command;
        const char *shell;
        const char *argv; /* each in brackets */
        const char *fallback;
} cases[] = {
        { "/usr/bin/procmail", "", "[/usr/bin/procmail]", SH("/usr/bin/procmail") },
        { " procmail\t-a  b ", "", "[procmail][-a][b]", SH(" procmail\t-a  b ") },
        { "x a=b %@!_-+:,./ 09AZaz", "", "[x][a=b][%@!_-+:,./][09AZaz]",
          SH("x a=b %@!_-+:,./ 09AZaz") },
        { "exit 1; true", "", SH("exit 1; true"), NULL },
        { "a|b", "", SH("a|b"), NULL },
        { "echo $USER", "", SH("echo $USER"), NULL },
        { "\"/usr/bin/x y\"", "", SH("\"/usr/bin/x y\""), NULL },
        { "it's", "", SH("it's"), NULL },
        { "~/bin/x", "", SH("~/bin/x"), NULL },
        { "x\ny", "", SH("x\ny"), NULL },
        { "x\\y", "", SH("x\\y"), NULL },
        { "IFS=' ' && exec /usr/bin/procmail #me", "", SH("IFS=' ' && exec /usr/bin/procmail #me"),
          NULL },
        { "x \303\244", "", SH("x \303\244"), NULL },
        { "vacation bob", "/some/where/smrsh -c", "[/some/where/smrsh][-c][vacation bob]", NULL },
        { "a | b", " /bin/bash\t-c ", "[/bin/bash][-c][a | b]", NULL },
        { "-x", "/bin/rsh", "[/bin/rsh][-x]", NULL },
        { "x y", " \t ", "[x][y]", SH("x y") },
};

static void join(const char *const *argv, char *ret, size_t size) {
        size_t len = 0;

        ret[0] = '\0';
        for (; argv && *argv && len < size; argv++)
                len += (size_t)snprintf(ret + len, size - len, "[%s]", *argv);
}

START_TEST(commands_are_split_as_postfix_does) {
        char text[512];
        CommandLine line;

        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                ck_assert_int_eq(command_line_parse(str_from_cstr(cases[i].command),
                                                    str_from_cstr(cases[i].shell), &line),
                                 0);
                join(line.argv, text, sizeof(text));
                ck_assert_str_eq(text, cases[i].argv);
                ck_assert_msg(!line.argv_fallback == !cases[i].fallback, "case %zu", i);
                join(line.argv_fallback, text, sizeof(text));
                ck_assert_str_eq(text, cases[i].fallback ? cases[i].fallback : "");
                command_line_deinit(&line);
                ck_assert_ptr_null(line.argv);
        }
}
END_TEST

START_TEST(what_is_no_command_is_refused) {
        static const struct {
                Str command;
                Str shell;
                int error;
        } refused[] = {
                { { "", 0 }, { "", 0 }, COMMAND_LINE_E_EMPTY },
                { { " \t\n ", 4 }, { "", 0 }, COMMAND_LINE_E_EMPTY },
                { { "", 0 }, { "/bin/sh -c", 10 }, COMMAND_LINE_E_EMPTY },
                { { "a\0b", 3 }, { "", 0 }, COMMAND_LINE_E_INVALID },
                { { "a;\0b", 4 }, { "", 0 }, COMMAND_LINE_E_INVALID },
                { { "a", 1 }, { "/bin/sh\0 -c", 11 }, COMMAND_LINE_E_INVALID },
        };
        CommandLine line;

        for (size_t i = 0; i < ARRAY_LEN(refused); i++)
                ck_assert_msg(command_line_parse(refused[i].command, refused[i].shell, &line) ==
                                      refused[i].error,
                              "case %zu", i);
}
END_TEST

START_TEST(size_is_limited) {
        char *text = malloc(COMMAND_LINE_MAX + 1);
        size_t n_words_max = COMMAND_LINE_ARGS_MAX;
        CommandLine line;
        Str s;

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', COMMAND_LINE_MAX + 1);
        s = str_from(text, COMMAND_LINE_MAX);
        ck_assert_int_eq(command_line_parse(s, STR_NULL, &line), 0);
        ck_assert_uint_eq(strlen(line.argv[0]), COMMAND_LINE_MAX);
        command_line_deinit(&line);
        s = str_from(text, COMMAND_LINE_MAX + 1);
        ck_assert_int_eq(command_line_parse(s, STR_NULL, &line), COMMAND_LINE_E_TOO_BIG);
        ck_assert_int_eq(command_line_parse(STR("x"), s, &line), COMMAND_LINE_E_TOO_BIG);

        for (size_t i = 1; i < 2 * n_words_max + 2; i += 2)
                text[i] = ' ';
        ck_assert_int_eq(command_line_parse(str_first(s, 2 * n_words_max), STR_NULL, &line), 0);
        ck_assert_str_eq(line.argv[n_words_max - 1], "x");
        ck_assert_ptr_null(line.argv[n_words_max]);
        command_line_deinit(&line);
        s = str_first(s, 2 * n_words_max + 1);
        ck_assert_int_eq(command_line_parse(s, STR_NULL, &line), COMMAND_LINE_E_TOO_BIG);
        ck_assert_int_eq(command_line_parse(STR("x"), s, &line), COMMAND_LINE_E_TOO_BIG);
        free(text);
}
END_TEST

int main(void) {
        return unit_main("command-line", commands_are_split_as_postfix_does,
                         what_is_no_command_is_refused, size_is_limited, NULL);
}
