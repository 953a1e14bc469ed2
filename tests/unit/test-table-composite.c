/*
 * Tables made of tables, and those without a source: what they answer, when they go through the
 * transport, who owns the answer, what fails.
 */

#include "tests/unit/table-bed.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

/* Injected: counts the questions, and remembers the last one's table and key. */
static unsigned n_asked;
static char asked[256];

static int ask(void *context, Str name, Str key, TableReply reply, void *userdata) {
        n_asked++;
        (void)snprintf(asked, sizeof(asked), "%.*s %.*s", STR_FMT(name), STR_FMT(key));
        reply(userdata, TABLE_FOUND, STR("remote"));
        return 0;
}

static const TableTransport transport = { .lookup = ask };

static void make(const char *spec, const TableTransport *through) {
        const TableContext context = { .transport = through };

        table_bed_make(spec, &context);
}

static void set_up(void) {
        table_bed_set_up();
        n_asked = 0;
        ck_assert_int_eq(setenv("table_test", "here", 1), 0);
        ck_assert_int_eq(setenv("TABLE_TEST", "HERE", 1), 0);
        ck_assert_int_eq(setenv("table_empty", "", 1), 0);
}

static void tear_down(void) {
        table_bed_tear_down();
}

typedef struct Case {
        const char *spec;
        const char *key;
        TableResult result;
        const char *text;
} Case;

static const Case cases[] = {
        { "unionmap:{inline:{a=1},inline:{a=1,b=2} inline:{c=3}}", "A", TABLE_FOUND, "1,1" },
        { "unionmap:{inline:{a=1},inline:{a=1,b=2} inline:{c=3}}", "c", TABLE_FOUND, "3" },
        { "unionmap:{inline:{a=1},inline:{b=2}}", "d", TABLE_NOT_FOUND, "" },
        { "unionmap:{pcre:{{/^(.*)$/ <$1>}},inline:{a=b}}", "A", TABLE_FOUND, "<A>,b" },
        { "unionmap:{static:a,fail:x}", "a", TABLE_ERROR, "fail:x: " },
        { "unionmap:{fail:x,static:a}", "a", TABLE_ERROR, "fail:x: " },
        { "pipemap:{inline:{a=b,c=d},inline:{b=x}}", "A", TABLE_FOUND, "x" },
        { "pipemap:{inline:{a=b,c=d},inline:{b=x}}", "c", TABLE_NOT_FOUND, "" },
        { "pipemap:{inline:{a=b,c=d},inline:{b=x}}", "e", TABLE_NOT_FOUND, "" },
        { "pipemap:{inline:{a=B},pcre:{{/(B)/i $(1)x}}}", "a", TABLE_FOUND, "Bx" },
        { "pipemap:{inline:{b=c},fail:x}", "a", TABLE_NOT_FOUND, "" },
        { "pipemap:{inline:{b=c},fail:x,static:y}", "b", TABLE_ERROR, "fail:x: " },
        { "pipemap:{unionmap:{static:a,static:b} inline:{{a,b=both}}}", "x", TABLE_FOUND, "both" },
        { "randmap:{x, x x}", "", TABLE_FOUND, "x" },
        { "randmap:{ {x y} }", "a", TABLE_FOUND, "{x y}" },
        { "fail:why", "a", TABLE_ERROR, "fail:why: " },
        { "fail:why", "", TABLE_ERROR, "fail:why: " },
        { "environ:x", "Table_Test", TABLE_FOUND, "here" },
        { "environ:x", "table_none", TABLE_NOT_FOUND, "" },
        { "environ:x", "table_empty", TABLE_ERROR, "empty" },
        { "internal:x", "a", TABLE_NOT_FOUND, "" },
        { "proxy:inline:{a=b}", "A", TABLE_FOUND, "b" },
        { "proxy:pcre:{{/(A)/i <$1>}}", "A", TABLE_FOUND, "<A>" },
        { "proxy:fail:x", "a", TABLE_ERROR, "fail:x: " },
        { "unionmap:{unionmap:{unionmap:{unionmap:{static:a}}}}", "a", TABLE_FOUND, "a" },
};

START_TEST(what_is_asked_is_answered) {
        const Case *c = &cases[_i];

        make(c->spec, NULL);
        table_bed_expect(c->key, c->result, c->text);
}
END_TEST

static const struct {
        const char *spec;
        int result;
        const char *reason;
} bad[] = {
        { "unionmap:{}", TABLE_E_SYNTAX, "no tables" },
        { "unionmap:static:a", TABLE_E_SYNTAX, "{type:name, ...}" },
        { "unionmap:{static:a", TABLE_E_SYNTAX, "{type:name, ...}" },
        { "unionmap:{static:a}b", TABLE_E_SYNTAX, "{type:name, ...}" },
        { "unionmap:{static:a {b}", TABLE_E_SYNTAX, "{type:name, ...}" },
        { "unionmap:{foo}", TABLE_E_SYNTAX, "type:name" },
        { "pipemap:{static:a, nosuch:a}", TABLE_E_UNKNOWN_TYPE, "unknown" },
        { "pipemap:{static:a, cidr:{{x y}}}", TABLE_E_SYNTAX, "line 1: not an address" },
        { "randmap:{}", TABLE_E_SYNTAX, "no texts" },
        { "randmap:x", TABLE_E_SYNTAX, "{text, ...}" },
        { "randmap:{", TABLE_E_SYNTAX, "{text, ...}" },
        { "proxy:static", TABLE_E_SYNTAX, "type:name" },
        { "proxy:nosuch:x", TABLE_E_UNKNOWN_TYPE, "unknown" },
        { "fail:", TABLE_E_SYNTAX, "type:name" },
        { "unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{static:a}}}}}", TABLE_E_SYNTAX,
          "too many levels" },
        { "proxy:proxy:proxy:proxy:proxy:static:a", TABLE_E_SYNTAX, "too many levels" },
};

START_TEST(specs_are_checked_with_their_members) {
        const char *reason = "";

        ck_assert_int_eq(table_new(str_from_cstr(bad[_i].spec), NULL, &table, &reason),
                         bad[_i].result);
        ck_assert_msg(strstr(reason, bad[_i].reason) != NULL, "%s: %s", bad[_i].spec, reason);
}
END_TEST

START_TEST(there_is_a_largest_number_of_members) {
        static const char *const types[] = { "unionmap:{", "randmap:{" };
        static const int limits[] = { 100, 1000 };
        Buf spec = BUF_INIT(64 * 1024);
        const char *reason;

        (void)buf_append_cstr(&spec, types[_i]);
        for (int i = 0; i < limits[_i]; i++)
                (void)buf_append_cstr(&spec, "fail:x,");
        (void)buf_append_cstr(&spec, "}");
        ck_assert_int_eq(table_new(buf_str(&spec), NULL, &table, &reason), 0);
        buf_truncate(&spec, spec.len - 1);
        (void)buf_append_cstr(&spec, "fail:x}");
        table = table_free(table);
        ck_assert_int_eq(table_new(buf_str(&spec), NULL, &table, &reason), TABLE_E_SYNTAX);
        ck_assert_msg(strstr(reason, "too many") != NULL, "%s", reason);
        buf_deinit(&spec);
}
END_TEST

START_TEST(a_union_too_long_to_answer_is_an_error) {
        char *text = malloc(TABLE_VALUE_MAX);
        Buf spec = BUF_INIT(3 * TABLE_VALUE_MAX);

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', TABLE_VALUE_MAX);
        (void)buf_append_cstr(&spec, "unionmap:{static:y,static:");
        (void)buf_append(&spec, text, TABLE_VALUE_MAX);
        (void)buf_append_cstr(&spec, "}");
        make(buf_cstr(&spec), NULL);
        table_bed_expect("a", TABLE_ERROR, "unionmap:{");
        buf_deinit(&spec);
        free(text);
}
END_TEST

static void count_remote(void *userdata, TableResult result, Str text) {
        *(int *)userdata += result == TABLE_FOUND && str_equal(text, STR("remote"));
}

/* NULL: not through the transport. */
static const struct {
        const char *spec;
        const char *asked;
} remote[] = {
        { "unionmap:{static:a,inline:{a=b}}", NULL },
        { "unionmap:{static:a,unix:passwd.byname}", "unionmap:{static:a,unix:passwd.byname} Root" },
        { "pipemap:{static:a,unix:passwd.byname}", "pipemap:{static:a,unix:passwd.byname} Root" },
        { "unionmap:{pipemap:{unix:passwd.byname}}",
          "unionmap:{pipemap:{unix:passwd.byname}} Root" },
        { "randmap:{unix:passwd.byname}", NULL },
        { "proxy:static:a", "proxy:static:a Root" },
        { "unionmap:{proxy:static:a}", "unionmap:{proxy:static:a} Root" },
        { "unix:passwd.byname", "unix:passwd.byname root" },
        { "pcre:{{/a/ b}}", NULL },
};

START_TEST(a_table_with_a_part_that_may_block_goes_through_the_transport_as_a_whole) {
        int n_remote = 0;
        uid_t uid;

        make(remote[_i].spec, &transport);
        ck_assert_int_eq(table_lookup(table, STR("Root"), count_remote, &n_remote), 0);
        ck_assert_uint_eq(n_asked, remote[_i].asked != NULL);
        ck_assert_int_eq(n_remote, remote[_i].asked != NULL);
        if (!remote[_i].asked)
                return;
        ck_assert_str_eq(asked, remote[_i].asked);
        ck_assert(!table_owner(table, &uid));
        table_bed_expect("root", TABLE_ERROR, "must not wait");
        ck_assert_uint_eq(n_asked, 1);
}
END_TEST

static const struct {
        const char *spec;
        bool is_pattern;
} patterns[] = {
        { "static:a", false },
        { "inline:{a=b}", false },
        { "regexp:{{/a/ b}}", true },
        { "fail:x", true },
        { "randmap:{x}", true },
        { "unionmap:{static:a,inline:{a=b}}", false },
        { "unionmap:{static:a,pcre:{{/a/ b}}}", false },
        { "unionmap:{pcre:{{/a/ b}},static:a}", true },
        { "pipemap:{inline:{a=b},randmap:{x}}", false },
        { "proxy:cidr:{{::1 b}}", true },
        { "proxy:static:a", false },
};

START_TEST(the_first_part_says_whether_it_is_of_patterns) {
        make(patterns[_i].spec, NULL);
        ck_assert_int_eq(table_is_pattern(table), patterns[_i].is_pattern);
}
END_TEST

static void expect_owner(const char *spec, bool is_known, uid_t expected) {
        uid_t uid = (uid_t)-1;

        make(spec, NULL);
        buf_reset(&value);
        ck_assert_int_ne(table_lookup_wait(table, STR("root"), &value), TABLE_ERROR);
        ck_assert_msg(table_owner(table, &uid) == is_known, "%s", spec);
        if (is_known)
                ck_assert_uint_eq(uid, expected);
}

START_TEST(the_owner_is_the_one_who_is_trusted_least) {
        TempTree tree;
        char path[128];
        char other[128];
        char spec[512];

        temp_tree_make(&tree);
        temp_tree_write_text(&tree, "theirs", "root x\n");
        ck_assert_int_eq(chown(temp_tree_path(&tree, "theirs", path, sizeof(path)), 12345, 1), 0);
        (void)snprintf(spec, sizeof(spec), "unionmap:{texthash:%s,texthash:%s}", path, path);
        expect_owner(spec, true, 12345);
        (void)snprintf(spec, sizeof(spec), "unionmap:{texthash:%s,static:x}", path);
        expect_owner(spec, true, 12345);
        (void)snprintf(spec, sizeof(spec), "unionmap:{static:x,texthash:%s}", path);
        expect_owner(spec, true, 12345);
        temp_tree_write_text(&tree, "others", "root y\n");
        ck_assert_int_eq(chown(temp_tree_path(&tree, "others", other, sizeof(other)), 12346, 1), 0);
        (void)snprintf(spec, sizeof(spec), "unionmap:{texthash:%s,texthash:%s}", path, other);
        expect_owner(spec, false, 0);
        (void)snprintf(spec, sizeof(spec), "pipemap:{inline:{a=b},texthash:%s}", path);
        expect_owner(spec, true, 0);
        (void)snprintf(spec, sizeof(spec), "pipemap:{static:root,texthash:%s}", path);
        expect_owner(spec, true, 12345);
        (void)snprintf(spec, sizeof(spec), "proxy:texthash:%s", path);
        expect_owner(spec, true, 12345);
        expect_owner("unionmap:{static:a,inline:{a=b}}", true, 0);
        expect_owner("unionmap:{static:a,unix:passwd.byname}", false, 0);
        expect_owner("unionmap:{unix:passwd.byname,static:a}", false, 0);
        expect_owner("randmap:{a}", true, 0);
        expect_owner("environ:x", false, 0);
        temp_tree_remove(&tree);
}
END_TEST

static int refuse(const char *spec) {
        const TableContext context = { .is_trusted = true };
        const char *reason = NULL;

        table = table_free(table);
        return table_new(str_from_cstr(spec), &context, &table, &reason);
}

/* Its answers name commands, and the key is the choice of whoever sends mail. */
START_TEST(a_trusted_table_answers_with_no_part_of_the_key) {
        const TableContext context = { .is_trusted = true };

        table_bed_make("pcre:{{/^list-(.*)$/ $1@x}, {/^b$/ fixed, $$1}}", &context);
        table_bed_expect("list-a, |cmd, b", TABLE_ERROR, "line 1: a part of the key");
        table_bed_expect("b", TABLE_FOUND, "fixed, $1");
        table_bed_make("unionmap:{static:a,regexp:{{/(.*)/ $1}}}", &context);
        table_bed_expect("|cmd", TABLE_ERROR, "a part of the key");
        table_bed_make("pipemap:{static:|cmd,pcre:{{/(.*)/ ${1}}}}", &context);
        table_bed_expect("a", TABLE_ERROR, "a part of the key");
        ck_assert_int_eq(refuse("proxy:static:a"), TABLE_E_SYNTAX);
        ck_assert_int_eq(refuse("unionmap:{proxy:static:a}"), TABLE_E_SYNTAX);
}
END_TEST

START_TEST(by_chance_each_text_is_answered) {
        bool seen[3] = { false };

        make("randmap:{a b c}", NULL);
        for (int i = 0; i < 1000; i++) {
                buf_reset(&value);
                ck_assert_int_eq(table_lookup_wait(table, STR("x"), &value), TABLE_FOUND);
                ck_assert_uint_eq(value.len, 1);
                seen[value.data[0] - 'a'] = true;
        }
        ck_assert(seen[0] && seen[1] && seen[2]);
}
END_TEST

static void append_entry(void *userdata, Str key, Str text) {
        (void)buf_printf(userdata, "%.*s=%.*s;", STR_FMT(key), STR_FMT(text));
}

START_TEST(what_has_entries_lists_them) {
        Buf error = BUF_INIT(256);

        make("proxy:inline:{b=2,a=1,b=3}", NULL);
        ck_assert(table_each(table, append_entry, &value, &error));
        ck_assert_str_eq(buf_cstr(&value), "a=1;b=3;");
        make("proxy:inline:{b=2}", &transport);
        ck_assert(!table_each(table, append_entry, &value, &error));
        make("texthash:/nonexistent", NULL);
        buf_reset(&error);
        ck_assert(!table_each(table, append_entry, &value, &error));
        ck_assert_str_eq(buf_cstr(&error), "No such file or directory");
        make("static:x", NULL);
        ck_assert(!table_each(table, append_entry, &value, &error));
        buf_deinit(&error);
}
END_TEST

START_TEST(types_are_named_in_order) {
        Str before = STR("");
        size_t n = 0;
        Str name;

        for (; !str_is_empty(name = table_type_name(n)); n++) {
                ck_assert_msg(strcmp(before.data, name.data) < 0, "%s", name.data);
                before = name;
        }
        ck_assert_uint_eq(n, 21);
        ck_assert(str_is_empty(table_type_name(n + 1)));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-composite");
        TCase *tcase = tcase_create("composite");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, what_is_asked_is_answered, 0, ARRAY_LEN(cases));
        tcase_add_loop_test(tcase, specs_are_checked_with_their_members, 0, ARRAY_LEN(bad));
        tcase_add_loop_test(tcase, there_is_a_largest_number_of_members, 0, 2);
        tcase_add_test(tcase, a_union_too_long_to_answer_is_an_error);
        tcase_add_loop_test(
                tcase, a_table_with_a_part_that_may_block_goes_through_the_transport_as_a_whole, 0,
                ARRAY_LEN(remote));
        tcase_add_loop_test(tcase, the_first_part_says_whether_it_is_of_patterns, 0,
                            ARRAY_LEN(patterns));
        tcase_add_test(tcase, the_owner_is_the_one_who_is_trusted_least);
        tcase_add_test(tcase, a_trusted_table_answers_with_no_part_of_the_key);
        tcase_add_test(tcase, by_chance_each_text_is_answered);
        tcase_add_test(tcase, what_has_entries_lists_them);
        tcase_add_test(tcase, types_are_named_in_order);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
