/* Lists of tables: how they are cut; the first answer, or the first error, ends a search. */

#include "common/mail/table-list.h"

#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static TableList *list;
static Buf value;

static void set_up(void) {
        temp_tree_make(&tree);
        value = BUF_INIT(4096);
}

static void tear_down(void) {
        list = table_list_free(list);
        buf_deinit(&value);
        temp_tree_remove(&tree);
}

static void make(const char *specs, size_t n) {
        const TableContext context = { .index_dir = tree.root };
        Buf error = BUF_INIT(1024);

        list = table_list_free(list);
        ck_assert_msg(table_list_new(str_from_cstr(specs), &context, &list, &error) == 0, "%s: %s",
                      specs, buf_cstr(&error));
        ck_assert_uint_eq(table_list_n(list), n);
        buf_deinit(&error);
}

/* What KEY gives, and the spec of the table that gives it (NULL: none). */
static void expect(const char *key, TableResult result, const char *text, const char *spec) {
        Table *table = NULL;

        buf_reset(&value);
        ck_assert_int_eq(table_list_lookup_wait(list, str_from_cstr(key), &value, &table), result);
        ck_assert_msg(strstr(buf_cstr(&value), text) != NULL, "%s", buf_cstr(&value));
        ck_assert_int_eq(table != NULL, spec != NULL);
        if (spec)
                ck_assert(str_equal(table_spec(table), str_from_cstr(spec)));
}

START_TEST(the_first_table_that_knows_the_key_answers) {
        make("inline:{a=1},inline:{a=2 b=2}\tinline:{ {c=x, y z}, {d=4} } , static:rest", 4);
        expect("a", TABLE_FOUND, "1", "inline:{a=1}");
        expect("B", TABLE_FOUND, "2", "inline:{a=2 b=2}");
        expect("c", TABLE_FOUND, "x, y z", "inline:{ {c=x, y z}, {d=4} }");
        expect("other", TABLE_FOUND, "rest", "static:rest");
        ck_assert_int_eq(table_list_lookup_wait(list, STR("a"), &value, NULL), TABLE_FOUND);
}
END_TEST

START_TEST(an_error_ends_the_search) {
        make("inline:{a=1} texthash:/nonexistent/x inline:{b=2}", 3);
        expect("a", TABLE_FOUND, "1", "inline:{a=1}");
        expect("b", TABLE_ERROR, "texthash:/nonexistent/x: No such file",
               "texthash:/nonexistent/x");
}
END_TEST

START_TEST(missing_sources_can_be_allowed) {
        make("texthash:/nonexistent/x tdb:/nonexistent/y inline:{b=2}", 3);
        table_list_allow_missing(list);
        expect("b", TABLE_FOUND, "2", "inline:{b=2}");
        expect("a", TABLE_NOT_FOUND, "", NULL);
}
END_TEST

START_TEST(no_tables_know_nothing) {
        make("", 0);
        expect("a", TABLE_NOT_FOUND, "", NULL);
        make(" , \n", 0);
        expect("a", TABLE_NOT_FOUND, "", NULL);
}
END_TEST

START_TEST(each_table_is_looked_up_where_the_context_says) {
        char spec[64];

        (void)snprintf(spec, sizeof(spec), "tdb:%s/source", tree.root);
        temp_tree_write_text(&tree, "source", "a 1\n");
        make(spec, 1);
        expect("a", TABLE_ERROR, "no index", spec);
}
END_TEST

typedef struct BadCase {
        const char *specs;
        int result;
        const char *text;
} BadCase;

static const BadCase bad_cases[] = {
        { "static:a /etc/aliases", TABLE_E_SYNTAX, "/etc/aliases: not of the form type:name" },
        { "static:a mysql:/x static:b", TABLE_E_UNKNOWN_TYPE, "mysql:/x: unknown type of table" },
        { "static:a, tdb:x", TABLE_E_SYNTAX, "tdb:x: not an absolute path" },
        { "static:a inline:{ {a=b }", TABLE_E_SYNTAX, "inline:{ {a=b }: no closing brace" },
};

START_TEST(an_entry_that_is_wrong_is_named) {
        Buf error = BUF_INIT(1024);

        ck_assert_int_eq(table_list_new(str_from_cstr(bad_cases[_i].specs), NULL, &list, &error),
                         bad_cases[_i].result);
        ck_assert_str_eq(buf_cstr(&error), bad_cases[_i].text);
        ck_assert_ptr_null(list);
        buf_deinit(&error);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-list");
        TCase *tcase = tcase_create("list");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, the_first_table_that_knows_the_key_answers);
        tcase_add_test(tcase, an_error_ends_the_search);
        tcase_add_test(tcase, missing_sources_can_be_allowed);
        tcase_add_test(tcase, no_tables_know_nothing);
        tcase_add_test(tcase, each_table_is_looked_up_where_the_context_says);
        tcase_add_loop_test(tcase, an_entry_that_is_wrong_is_named, 0, ARRAY_LEN(bad_cases));
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
