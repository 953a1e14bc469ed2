/*
 * main.cf text and $name expansion as tables: what postconf(5) says each form means, and that
 * whatever loops, doubles or is cut short ends in an error that names the place.
 */

#include <stdio.h>
#include <stdlib.h>

#include "common/role/config-expand.h"
#include "common/role/config-parse.h"
#include "tests/unit/unit.h"

typedef struct Name {
        const char *name;
        const char *text;
} Name;

static const Name names[] = {
        { "a", "alpha" },    { "empty", "" },          { "b", "<$a>" },       { "c", "$b$b" },
        { "loop", "$pool" }, { "pool", "$loop" },      { "self", "${self}" }, { "five", "5" },
        { "ten", "10" },     { "to_empty", "$empty" },
};

static Str look_up(void *context, Str name) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                if (str_equal(name, str_from_cstr(names[i].name)))
                        return str_from_cstr(names[i].text);
        return STR_NULL;
}

typedef struct Case {
        const char *text;
        const char *expected; /* NULL: an error */
        const char *error;    /* part of it */
} Case;

static const Case cases[] = {
        { "", "", NULL },
        { "plain", "plain", NULL },
        { "$a", "alpha", NULL },
        { "x${a}y$(a)z", "xalphayalphaz", NULL },
        { "$a.$a/$a", "alpha.alpha/alpha", NULL },
        { "$b", "<alpha>", NULL },
        { "$c", "<alpha><alpha>", NULL },
        { "$nothing|${nothing}", "|", NULL },
        { "$$a $$$a", "$a $alpha", NULL },
        { "${a?yes}${a:no}", "yes", NULL },
        { "${empty?yes}${empty:no}", "no", NULL },
        { "${nothing:$a}", "alpha", NULL },
        { "$(a?yes)", "yes", NULL },
        { "${a?x$b}", "x<alpha>", NULL },
        /* only the name's own text counts, as in Postfix */
        { "${to_empty?yes}", "yes", NULL },
        /* behind '?' without braces everything is text */
        { "${a??foo:{b}ar}", "?foo:{b}ar", NULL },
        { "${a?{yes}:{no}}", "yes", NULL },
        { "${empty?{yes}:{no}}", "no", NULL },
        { "${empty ? { yes } : { no } }", " no ", NULL },
        { "${a?{yes}}|${empty?{yes}}", "yes|", NULL },
        { "${empty:{$b}}", "<alpha>", NULL },
        { "${empty?{yes}:$b}", "<alpha>", NULL },
        { "${a?{${empty?{1}:{${a}}}}:{2}}", "alpha", NULL },
        { "${{$five} < {$ten} ? {less} : {more}}", "less", NULL },
        { "${{$five}<{10}?{less}:{more}}", "less", NULL },
        { "${{5x} < {10}?{less}:{more}}", "more", NULL },
        { "${{a} == {a}}|${{a} != {a}}", "true|", NULL },
        { "${{a}>={b}?{y}:{n}}${{b}>={b}?{y}:{n}}${{a}<={b}?{y}:{n}}${{b}>{a}?{y}:{n}}", "nyyy",
          NULL },
        { "${{ab} > {a}?{y}:{n}}", "y", NULL },
        { "${{5} == {5} }", "true", NULL },
        /* only digits are numbers: "-1" is before "-2" as text */
        { "${{1} == {01}?{y}:{n}}${{-1} < {1}?{y}:{n}}${{-1} < {-2}?{y}:{n}}", "yyy", NULL },
        { "${{ 5 } == {5}?{y}:{n}}", "n", NULL },
        { "${{ab} > {a}?y}|${{ab} > {a}:n}|${{ab} < {a}:n}", "y||n", NULL },
        { "${{a}=={b}?{b}:c d}", "c d", NULL },
        { "${{99999999999999999999} > {5}?{y}:{n}}", NULL, "number too large in" },
        /* 3.9 is before 3.10 as a level, behind it as text */
        { "${{3.9} <level {3.10}?{y}:{n}}${{3.9} < {3.10}?{y}:{n}}", "yn", NULL },
        { "${{3.6} <=level {3.6.0}?{y}:{n}}${{3.6} >=level {3.6}?{y}:{n}}", "yy", NULL },
        { "${{3.6} ==level {3.6.0}?{y}:{n}}${{3.6} !=level {3.6}?{y}:{n}}", "yn", NULL },
        { "${{3.6.1} >level {3.6}?{y}:{n}}${{4} >level {3.65535.65535}?{y}:{n}}", "yy", NULL },
        { "${{x} <level {1}?{y}:{n}}", NULL, "not a compatibility level" },
        { "${{} <level {1}}", NULL, "not a compatibility level" },
        { "${{1.2.3.4} <level {1}}", NULL, "not a compatibility level" },
        { "${{1.65536} <level {1}}", NULL, "not a compatibility level" },
        { "${{3.6} <= level {3}}", NULL, "no {text} to compare with" },
        { "${{a} = {a}}", NULL, "no comparison operator" },
        { "${{a} === {a}}", NULL, "no {text} to compare with" },
        { "${a:{x}:{y}}", NULL, "unexpected text \":{y}\"" },
        { "${a?{x}:}|${a?}}|${a?{{x}}}", "x|}|{x}", NULL },
        { "${domain_to_ascii{$a.example}}", "alpha.example", NULL },
        { "${domain_to_ascii {${a}}}", "alpha", NULL },
        { "${domain_to_ascii{}}", "", NULL },
        { "${domain_to_ascii{x}y}", NULL, "unexpected text \"y\"" },
        { "${domain_to_ascii{$loop}}", NULL, "loop" },
        { "${domain_to_lower{x}}", NULL, "no function of the name \"domain_to_lower\"" },
        { "$loop", NULL, "loop, or more than 100 levels, at \"" },
        { "$self", NULL, "self" },
        { "${a", NULL, "no closing bracket in \"{a\"" },
        { "$(a", NULL, "no closing bracket" },
        { "${a)", NULL, "no closing bracket" },
        { "$", NULL, "no parameter name behind '$'" },
        { "$-", NULL, "no parameter name behind '$'" },
        { "${}", NULL, "no parameter name in" },
        { "${a-b}", NULL, "bad expression \"a-b\"" },
        { "${a?{x}y}", NULL, "unexpected text \"y\"" },
        { "${a?{x}:{y}z}", NULL, "unexpected text \"z\"" },
        { "${{a}}", NULL, "no comparison operator" },
        { "${{a} == b}", NULL, "no {text} to compare with" },
        { "${{a} == {b} x}", NULL, "unexpected text" },
};

START_TEST(each_form_expands_as_postconf_5_says) {
        Buf result = BUF_INIT(4096);
        Buf error = BUF_INIT(4096);
        const Case *c = &cases[_i];
        int r = config_expand_text(str_from_cstr(c->text), look_up, NULL, &result, &error);

        if (c->expected) {
                ck_assert_msg(r == 0, "%s: %s", c->text, buf_cstr(&error));
                ck_assert_str_eq(buf_cstr(&result), c->expected);
        } else {
                ck_assert_int_eq(r, CONFIG_EXPAND_E_INVALID);
                ck_assert_msg(strstr(buf_cstr(&error), c->error) != NULL, "%s: %s", c->text,
                              buf_cstr(&error));
        }
        buf_deinit(&result);
        buf_deinit(&error);
}
END_TEST

START_TEST(names_with_other_letters_get_their_ascii_form) {
        static const char *const forms[][2] = {
                { "m\xc3\xbcller.example", "xn--mller-kva.example" },
                { "M\xc3\x9cLLER.Example", "xn--mller-kva.example" },
                { "stra\xc3\x9f"
                  "e.example",
                  "xn--strae-oqa.example" },
                { "\xff.example", NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
                Buf text = BUF_INIT(256);
                Buf result = BUF_INIT(256);
                Buf error = BUF_INIT(256);
                int r;

                (void)buf_printf(&text, "${domain_to_ascii{%s}}", forms[i][0]);
                r = config_expand_text(buf_str(&text), look_up, NULL, &result, &error);
                ck_assert_int_eq(r, forms[i][1] ? 0 : CONFIG_EXPAND_E_INVALID);
                if (forms[i][1])
                        ck_assert_str_eq(buf_cstr(&result), forms[i][1]);
                else
                        ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "no domain name"));
                buf_deinit(&text);
                buf_deinit(&result);
                buf_deinit(&error);
        }
}
END_TEST

/* Level "lN" refers twice to level N + 1: 2 to the power of 90 steps if nothing counted them. */
static char doubling[90][16];

static Str look_up_doubling(void *context, Str name) {
        uint64_t level;

        if (str_parse_u64(str_skip(name, 1), 1000, &level) != 0 || level >= ARRAY_LEN(doubling))
                return STR("");
        return str_from_cstr(doubling[level]);
}

/* Level "lN" refers to level N + 1. */
static char chain[101][16];

static Str look_up_chain(void *context, Str name) {
        uint64_t level;

        ck_assert_int_eq(str_parse_u64(str_skip(name, 1), ARRAY_LEN(chain) - 1, &level), 0);
        return str_from_cstr(chain[level]);
}

START_TEST(doubling_without_output_ends_in_an_error) {
        Buf result = BUF_INIT(4096);
        Buf error = BUF_INIT(4096);

        for (unsigned i = 0; i < ARRAY_LEN(doubling); i++)
                (void)snprintf(doubling[i], sizeof(doubling[i]), "$l%u$l%u", i + 1, i + 1);
        ck_assert_int_eq(config_expand_text(STR("$l0"), look_up_doubling, NULL, &result, &error),
                         CONFIG_EXPAND_E_INVALID);
        ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "too many expansions"));
        buf_deinit(&result);
        buf_deinit(&error);
}
END_TEST

START_TEST(a_hundred_levels_are_enough) {
        Buf result = BUF_INIT(4096);
        Buf error = BUF_INIT(4096);

        for (unsigned i = 0; i < ARRAY_LEN(chain); i++)
                (void)snprintf(chain[i], sizeof(chain[i]), "$l%u", i + 1);
        (void)snprintf(chain[99], sizeof(chain[99]), "end");
        /* the text itself is the first level, so "end" is the hundredth or the one behind it */
        ck_assert_int_eq(config_expand_text(STR("$l1"), look_up_chain, NULL, &result, &error), 0);
        ck_assert_str_eq(buf_cstr(&result), "end");
        ck_assert_int_eq(config_expand_text(STR("$l0"), look_up_chain, NULL, &result, &error),
                         CONFIG_EXPAND_E_INVALID);
        buf_deinit(&result);
        buf_deinit(&error);
}
END_TEST

START_TEST(a_result_larger_than_its_buffer_is_an_error) {
        Buf result = BUF_INIT(6);
        Buf error = BUF_INIT(4096);

        ck_assert_int_eq(config_expand_text(STR("$b"), look_up, NULL, &result, &error),
                         CONFIG_EXPAND_E_INVALID);
        ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "value too long"));
        buf_deinit(&result);
        buf_deinit(&error);
}
END_TEST

START_TEST(ten_thousand_nested_braces_do_not_exhaust_the_stack) {
        Buf text = BUF_INIT(1024 * 1024);
        Buf result = BUF_INIT(4096);
        Buf error = BUF_INIT(4096);

        for (int i = 0; i < 10000; i++)
                (void)buf_append_cstr(&text, "${a?");
        for (int i = 0; i < 10000; i++)
                (void)buf_append_cstr(&text, "}");
        ck_assert_int_eq(config_expand_text(buf_str(&text), look_up, NULL, &result, &error),
                         CONFIG_EXPAND_E_INVALID);
        ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "more than 100 levels"));
        buf_deinit(&text);
        buf_deinit(&result);
        buf_deinit(&error);
}
END_TEST

START_TEST(names_that_a_text_uses_are_found) {
        Str rest = STR("$a x${b?{$c}:{${ d}}} $$e $(f) ${x{$g}}${{$h}<{$$i}} $");
        Str name;
        char found[16] = "";

        while (config_expand_next_name(&rest, &name))
                strncat(found, name.data, 1);
        ck_assert_str_eq(found, "abcdfgh");
}
END_TEST

typedef struct ParseCase {
        Str text;
        const char *expected; /* "name=value@line|...", "!reason@line" for an error */
} ParseCase;

/* clang-format off */
#define PARSE(text, expected) \
        { { text, sizeof(text) - 1 }, expected }
/* clang-format on */

static const ParseCase parse_cases[] = {
        PARSE("", ""),
        PARSE("\n  \n# x = y\n   # z = y\n", ""),
        PARSE("a = b", "a=b@1|"),
        PARSE("a=b\r\nc =\t d \r\n", "a=b@1|c=d@2|"),
        PARSE("a =\n  b\n\tc\nd = e", "a=b\tc@1|d=e@4|"),
        PARSE("a = b\n# comment\n\n  c\n", "a=b  c@1|"),
        PARSE("a = b #no comment\n", "a=b #no comment@1|"),
        PARSE("a = = b\na =\n", "a== b@1|a=@2|"),
        PARSE("  a = b\n", "a=b@1 indented|"),
        PARSE("a b = c\n", "!no '=' after the parameter name@1|"),
        PARSE("x = y\na\nz = 1\n", "x=y@1|!no '=' after the parameter name@2|z=1@3|"),
        PARSE("= b\n", "!no parameter name before '='@1|"),
        PARSE("a = b\0c\n", "!a NUL byte@1|"),
};

START_TEST(main_cf_lines_read_as_postconf_5_says) {
        ConfigParser parser;
        ConfigLine line;
        Buf found = BUF_INIT(4096);
        int r;

        config_parser_init(&parser, parse_cases[_i].text);
        while ((r = config_parser_next(&parser, &line)) != CONFIG_PARSE_E_END) {
                if (r == 0)
                        (void)buf_printf(&found, "%.*s=%.*s@%d%s|", STR_FMT(line.name),
                                         STR_FMT(line.value), (int)line.line,
                                         line.indented ? " indented" : "");
                else
                        (void)buf_printf(&found, "!%s@%d|", line.reason, (int)line.line);
        }
        (void)buf_append_char(&found, '\0');
        ck_assert_str_eq(found.data, parse_cases[_i].expected);
        config_parser_deinit(&parser);
        buf_deinit(&found);
}
END_TEST

START_TEST(literal_values_are_not_expanded_in_their_turn) {
        static const struct {
                const char *text;
                int r;
                const char *expected;
        } literal[] = {
                { "$a $b ${loop}", 0, "alpha <$a> $pool" },
                { "${b?{$b}}${empty:{$b}}", 0, "<$a><$a>" },
                { "${{$b} == {<$$a>}?{same}:{other}}", 0, "same" },
                { "<$empty>", 0, "<>" },
                { "<$nothing>", CONFIG_EXPAND_E_UNDEFINED, "<>" },
                { "${nothing?$nothing}${nothing:x}", 0, "x" },
                { "${{$nothing} == {}}", CONFIG_EXPAND_E_UNDEFINED, "true" },
                { "$nothing${", CONFIG_EXPAND_E_INVALID, NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(literal); i++) {
                Buf ret = BUF_INIT(256);
                Buf error = BUF_INIT(256);
                int r = config_expand_literal(str_from_cstr(literal[i].text), look_up, NULL, &ret,
                                              &error);

                ck_assert_msg(r == literal[i].r, "\"%s\": %d", literal[i].text, r);
                if (literal[i].expected)
                        ck_assert_str_eq(buf_cstr(&ret), literal[i].expected);
                buf_deinit(&ret);
                buf_deinit(&error);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("config-expand");
        TCase *tcase = tcase_create("expand");

        tcase_add_loop_test(tcase, each_form_expands_as_postconf_5_says, 0, ARRAY_LEN(cases));
        tcase_add_test(tcase, names_with_other_letters_get_their_ascii_form);
        tcase_add_test(tcase, doubling_without_output_ends_in_an_error);
        tcase_add_test(tcase, a_hundred_levels_are_enough);
        tcase_add_test(tcase, a_result_larger_than_its_buffer_is_an_error);
        tcase_add_test(tcase, ten_thousand_nested_braces_do_not_exhaust_the_stack);
        tcase_add_test(tcase, names_that_a_text_uses_are_found);
        tcase_add_test(tcase, literal_values_are_not_expanded_in_their_turn);
        tcase_add_loop_test(tcase, main_cf_lines_read_as_postconf_5_says, 0,
                            ARRAY_LEN(parse_cases));
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
