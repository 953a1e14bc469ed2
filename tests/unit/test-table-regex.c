/*
 * regexp: and pcre: : which rule answers, what with, what is no rule, and that an expression that
 * takes too long is an error that names table and line. The expressions themselves: test-regex.c.
 */

#include "common/base/clock.h"
#include "common/base/regex.h"
#include "tests/unit/table-bed.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static void make(const char *type, const char *rules) {
        Buf spec = BUF_INIT(TABLE_VALUE_MAX);

        (void)buf_printf(&spec, "%s:%s", type, rules);
        table_bed_make(buf_cstr(&spec), NULL);
        buf_deinit(&spec);
}

typedef struct Case {
        const char *rules;
        const char *key;
        const char *text; /* NULL: not found */
} Case;

static const char *const types[] = { "pcre", "regexp" };

#define FOLDING "{{/aBC/ fold}, {/bcd/i exact}, {/^x(.)(.)?$/ $1-${2}-$(1)$$x}}"
#define NESTED                                                                           \
        "{{if /a/}, {/b/ ab}, {if !/c/}, {/d/ adnotc}, {endif}, {endif text}, {/d/ d}, " \
        "{if /e/ text}, {//  all}, {ENDIF}}"

static const Case both[] = {
        { FOLDING, "xABCx", "fold" },
        { FOLDING, "bcd", "exact" },
        { FOLDING, "BCD", NULL },
        { FOLDING, "xYz", "Y-z-Y$x" },
        { FOLDING, "xy", "y--y$x" },
        { FOLDING, "", NULL },
        { NESTED, "ab", "ab" },
        { NESTED, "ad", "adnotc" },
        { NESTED, "acd", "d" },
        { NESTED, "b", NULL },
        { NESTED, "e", "all" },
        { "{{~a/b~ tilde}, {/c\\/d/ escaped}}", "a/b", "tilde" },
        { "{{~a/b~ tilde}, {/c\\/d/ escaped}}", "c/d", "escaped" },
        { "{{!/a/ no $$1}}", "b", "no $1" },
        { "{{!/a/ no}}", "a", NULL },
        { "{{!! /a/ yes}}", "a", "yes" },
        { "{{/a/ii x}}", "A", "x" },
        { "{{/(a)/ [${01}].$1,$1}}", "A", "[A].A,A" },
        { "{{/(a)|(b)/ <$1$2>}}", "B", "<B>" },
        { "{{/a{1}$/ {x} y}}", "a", "{x} y" },
        { "{}", "a", NULL },
};

START_TEST(the_first_rule_that_fits_answers) {
        const Case *c = &both[_i / 2];

        make(types[_i % 2], c->rules);
        ck_assert(table_is_pattern(table));
        table_bed_expect(c->key, c->text ? TABLE_FOUND : TABLE_NOT_FOUND, c->text ? c->text : "");
}
END_TEST

static const Case of_pcre[] = {
        { "{{/a.*?(b)/ $1}, {/\\d/ digit}}", "1", "digit" },
        { "{{/a b/x x}}", "ab", "x" },
        { "{{/b/A x}}", "ab", NULL },
        { "{{/(a+)/U $1}}", "aaa", "a" },
        { "{{/a(?=b)/X x}}", "ab", "x" },
        { "{{/a$/E x}}", "a\n", NULL },
        { "{{/a$/ x}}", "a\n", "x" },
        { "{{/a.b/s x}}", "a\nb", NULL },
        { "{{/^b/m x}}", "a\nb", "x" },
};

static const Case of_regexp[] = {
        { "{{/a\\(b/ x}}", "a(b", "x" },
        { "{{/^(a|b)$/x plain}, {/^\\(a\\)\\{2\\}/x $1}}", "(a|b)", "plain" },
        { "{{/^(a|b)$/x plain}, {/^\\(a\\)\\{2\\}/x $1}}", "aa", "a" },
        { "{{/a.b/ x}}", "a\nb", "x" },
        { "{{/a.b/m x}}", "a\nb", NULL },
        { "{{/a[^x]b/m x}}", "a\nb", NULL },
        { "{{/a$/ x}}", "a\n", NULL },
        { "{{/[\\.]$/ x}}", "\\", "x" },
};

START_TEST(pcre_is_pcre) {
        const Case *c = &of_pcre[_i];

        make("pcre", c->rules);
        table_bed_expect(c->key, c->text ? TABLE_FOUND : TABLE_NOT_FOUND, c->text ? c->text : "");
}
END_TEST

START_TEST(regexp_is_posix) {
        const Case *c = &of_regexp[_i];

        make("regexp", c->rules);
        table_bed_expect(c->key, c->text ? TABLE_FOUND : TABLE_NOT_FOUND, c->text ? c->text : "");
}
END_TEST

static const struct {
        const char *name;
        const char *reason;
} bad[] = {
        { "pcre:relative", "not an absolute path" },
        { "pcre:{/a/ x}", "not in braces" },
        { "pcre:{{/a/}}", "line 1: no value" },
        { "pcre:{{/x/ y}, {/a x}}", "line 2: no second delimiter" },
        { "pcre:{{/a\\/ x}}", "no second delimiter" },
        { "pcre:{{/a\\}}", "no second delimiter" },
        { "pcre:{{aba x}}", "not of the form" },
        { "pcre:{{iffy}}", "not of the form" },
        { "pcre:{{/a/Q x}}", "a flag that is none" },
        { "pcre:{{/a(/ x}}", "missing closing parenthesis, at character 3" },
        { "pcre:{{/a/ $}}", "without the number" },
        { "pcre:{{/a/ $x}}", "without the number" },
        { "pcre:{{/(a)/ $0}}", "without the number" },
        { "pcre:{{/(a)/ $1x}}", "without the number" },
        { "pcre:{{/(a)/ $256}}", "without the number" },
        { "pcre:{{/(a)/ $()}}", "without the number" },
        { "pcre:{{/(a)/ $(1}}", "a bracket that is not closed" },
        { "pcre:{{/(a)/ $2}}", "of a group that the expression has not" },
        { "pcre:{{!/(a)/ $1}}", "must not match" },
        { "pcre:{{if /a/}}", "no endif" },
        { "regexp:{{/a/s x}}", "a flag that is none" },
        { "regexp:{{/a(?=b)/ x}}", "nothing to repeat" },
        { "regexp:{{/a(/ x}}", "a group that is not closed" },
        { "regexp:{{/[[:nope:]]/ x}}", "unknown POSIX class name" },
        { "regexp:{{/[[.ch.]]/ x}}", "more than one character" },
};

START_TEST(what_is_no_rule_says_which_line_and_why) {
        const char *reason = "";

        ck_assert_int_eq(table_new(str_from_cstr(bad[_i].name), NULL, &table, &reason),
                         TABLE_E_SYNTAX);
        ck_assert_msg(strstr(reason, bad[_i].reason) != NULL, "%s: %s", bad[_i].name, reason);
}
END_TEST

START_TEST(an_expression_that_takes_too_long_is_an_error_of_its_line) {
        usec_t start = clock_monotonic_usec();

        make(types[_i], "{{/b/ x}, {/^(a+)+[xy]/ y}, {/a/ z}}");
        table_bed_expect("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TABLE_ERROR,
                         "}: line 2: the expression takes too long");
        ck_assert_uint_le(clock_monotonic_usec() - start, USEC_PER_SEC);
        table_bed_expect("aab", TABLE_FOUND, "x");
        make(types[_i], "{{if !/^(a+)+[xy]/}, {/a/ z}, {endif}}");
        table_bed_expect("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", TABLE_ERROR,
                         "line 1:");
}
END_TEST

/* That nobody knows whether it matches is no "no", and no "yes" for its opposite. */
START_TEST(what_cannot_be_searched_is_neither_yes_nor_no) {
        make("pcre", "{{/^(?1)?(a|(?1)b)/ x}, {/./ y}}");
        table_bed_expect("c", TABLE_ERROR, "line 1: the expression cannot be searched for");
        make("pcre", "{{!/(*UTF)a/ not a}, {/./ y}}");
        table_bed_expect("b", TABLE_FOUND, "not a");
        table_bed_expect("\xff", TABLE_FOUND, "y");
}
END_TEST

/* Each expression is compiled again for the first long key; their number is not the key's fault. */
START_TEST(many_expressions_have_time_for_a_long_key) {
        Buf rules = BUF_INIT(TABLE_VALUE_MAX);
        char key[1000];

        (void)buf_append_char(&rules, '{');
        for (int i = 0; i < 8000; i++)
                (void)buf_printf(&rules, "{/^y%d(ab?c|[d-f]g*){200}$/ x} ", i);
        (void)buf_append_cstr(&rules, "{/^z+$/ last}}");
        make("pcre", buf_cstr(&rules));
        memset(key, 'z', sizeof(key) - 1);
        key[sizeof(key) - 1] = '\0';
        table_bed_expect(key, TABLE_FOUND, "last");
        buf_deinit(&rules);
}
END_TEST

START_TEST(keys_are_of_any_kind_but_not_of_any_length) {
        char *key = calloc(1, REGEX_SUBJECT_MAX + 1);

        ck_assert_ptr_nonnull(key);
        memset(key, 'a', REGEX_SUBJECT_MAX + 1);
        make("pcre", "{{/^a+$/ x}, {/\\x00/ nul}, {/^$/ empty}}");
        ck_assert_int_eq(table_lookup_wait(table, str_from(key, REGEX_SUBJECT_MAX), &value),
                         TABLE_FOUND);
        buf_reset(&value);
        ck_assert_int_eq(table_lookup_wait(table, str_from(key, REGEX_SUBJECT_MAX + 1), &value),
                         TABLE_ERROR);
        ck_assert_msg(strstr(buf_cstr(&value), "the key is too long") != NULL, "%s",
                      buf_cstr(&value));
        buf_reset(&value);
        ck_assert_int_eq(table_lookup_wait(table, str_from("a\0", 2), &value), TABLE_FOUND);
        ck_assert_str_eq(buf_cstr(&value), "nul");
        table_bed_expect("", TABLE_FOUND, "empty");
        free(key);
}
END_TEST

START_TEST(an_empty_or_endless_answer_is_an_error) {
        Buf rules = BUF_INIT(8192);
        char key[4000];

        make("pcre", "{{/a(b)?/ $1}}");
        table_bed_expect("a", TABLE_ERROR, "line 1: the value is empty");
        table_bed_expect("ab", TABLE_FOUND, "b");
        memset(key, 'a', sizeof(key));
        (void)buf_append_cstr(&rules, "{{/(.*)/ ");
        for (int i = 0; i < 300; i++)
                (void)buf_append_cstr(&rules, "$(1)");
        (void)buf_append_cstr(&rules, "}}");
        make("pcre", buf_cstr(&rules));
        ck_assert_int_eq(table_lookup_wait(table, str_from(key, sizeof(key)), &value), TABLE_ERROR);
        ck_assert_msg(strstr(buf_cstr(&value), "line 1: the value is too long") != NULL, "%s",
                      buf_cstr(&value));
        buf_deinit(&rules);
}
END_TEST

START_TEST(a_source_is_read) {
        TempTree tree;
        char path[128];
        uid_t uid;

        temp_tree_make(&tree);
        temp_tree_write_text(&tree, "source", "# c\n/a (b)/\n  two\n# c\n  $1\n/c\\/d/ e\n");
        make(types[_i], temp_tree_path(&tree, "source", path, sizeof(path)));
        table_bed_expect("xA Bx", TABLE_FOUND, "two  B");
        table_bed_expect("c/d", TABLE_FOUND, "e");
        table_bed_expect("x", TABLE_NOT_FOUND, "");
        ck_assert(table_owner(table, &uid));
        temp_tree_write_text(&tree, "source", "/a/ x\n/b(/ y\n");
        make(types[_i], path);
        table_bed_expect("a", TABLE_ERROR, "/source: line 2: ");
        ck_assert(!table_owner(table, &uid));
        temp_tree_remove(&tree);
}
END_TEST

/* A reply may ask the same table again. */
static void ask_again(void *userdata, TableResult result, Str text) {
        Table *same = userdata;
        Buf again = BUF_INIT(4096);

        ck_assert_int_eq(result, TABLE_FOUND);
        ck_assert_int_eq(table_lookup_wait(same, STR("zzz"), &again), TABLE_FOUND);
        ck_assert_str_eq(buf_cstr(&again), "<zzz>");
        ck_assert_msg(str_equal(text, STR("<abc>")), "%.*s", STR_FMT(text));
        buf_deinit(&again);
}

START_TEST(a_reply_may_ask_again) {
        make("pcre", "{{/^(.*)$/ <$1>}}");
        ck_assert_int_eq(table_lookup(table, STR("abc"), ask_again, table), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-regex");
        TCase *tcase = tcase_create("regex");

        tcase_add_checked_fixture(tcase, table_bed_set_up, table_bed_tear_down);
        tcase_add_loop_test(tcase, the_first_rule_that_fits_answers, 0, 2 * ARRAY_LEN(both));
        tcase_add_loop_test(tcase, pcre_is_pcre, 0, ARRAY_LEN(of_pcre));
        tcase_add_loop_test(tcase, regexp_is_posix, 0, ARRAY_LEN(of_regexp));
        tcase_add_loop_test(tcase, what_is_no_rule_says_which_line_and_why, 0, ARRAY_LEN(bad));
        tcase_add_loop_test(tcase, an_expression_that_takes_too_long_is_an_error_of_its_line, 0, 2);
        tcase_add_test(tcase, what_cannot_be_searched_is_neither_yes_nor_no);
        tcase_add_test(tcase, many_expressions_have_time_for_a_long_key);
        tcase_add_test(tcase, keys_are_of_any_kind_but_not_of_any_length);
        tcase_add_test(tcase, an_empty_or_endless_answer_is_an_error);
        tcase_add_loop_test(tcase, a_source_is_read, 0, 2);
        tcase_add_test(tcase, a_reply_may_ask_again);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
