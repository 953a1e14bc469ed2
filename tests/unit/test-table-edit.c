/*
 * Entries added to an index and removed from it by hand, with a source and without one; and the
 * rules that an index was built by, which stay when it is made anew.
 */

#include <sys/wait.h>

#include "common/mail/table-index.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static char source[64];
static Table *table;
static Buf value;
static TableIndexJob job;

static int refresh(void *context, Str path, TableSyntax syntax, Buf *reason) {
        const TableIndexJob plain = { .index_dir = tree.root, .source = source };
        TableIndexResult result;

        return table_index_refresh(&plain, TABLE_WAIT_USEC, &result) == 0 ? 0
                                                                          : TABLE_INDEXER_E_KEPT;
}

static void set_up(void) {
        temp_tree_make(&tree);
        value = BUF_INIT(TABLE_VALUE_MAX);
        (void)temp_tree_path(&tree, "source", source, sizeof(source));
        job = (TableIndexJob){ .index_dir = tree.root, .source = source };
}

static void tear_down(void) {
        table = table_free(table);
        buf_deinit(&value);
        temp_tree_remove(&tree);
}

static void write_source(const char *text, int seconds) {
        temp_tree_write_aged(&tree, "source", text, seconds);
}

/* As a reader that begins now; NULL: not found; "!": an error. */
static void expect(const char *key, const char *expected) {
        static const TableIndexer indexer = { .refresh = refresh };
        const TableContext context = {
                .index_dir = tree.root,
                .indexer = &indexer,
                .keeps_case = job.rules & TABLE_RULE_KEEP_CASE,
        };
        char spec[128];
        TableResult result;

        table = table_free(table);
        (void)snprintf(spec, sizeof(spec), "tdb:%s", source);
        ck_assert_int_eq(table_new(str_from_cstr(spec), &context, &table, NULL), 0);
        buf_reset(&value);
        result = table_lookup_wait(table, str_from_cstr(key), &value);
        if (!expected)
                ck_assert_int_eq(result, TABLE_NOT_FOUND);
        else if (strcmp(expected, "!") == 0)
                ck_assert_int_eq(result, TABLE_ERROR);
        else {
                ck_assert_msg(result == TABLE_FOUND, "%s: %s", key, buf_cstr(&value));
                ck_assert_str_eq(buf_cstr(&value), expected);
        }
}

static TableIndexResult add(const char *text, int expected) {
        TableIndexResult result;

        ck_assert_int_eq(table_index_add(&job, str_from_cstr(text), &result), expected);
        return result;
}

static uint64_t delete (const char *keys, int expected) {
        TableIndexResult result;
        uint64_t n;

        ck_assert_int_eq(table_index_delete(&job, str_from_cstr(keys), &result, &n), expected);
        return n;
}

START_TEST(entries_are_added_to_those_of_the_source) {
        TableIndexResult result;

        write_source("a 1\nb 2\n", 10);
        result = add("C 3\nb other\n", 0);
        ck_assert_uint_eq(result.n_entries, 1);
        ck_assert_uint_eq(result.n_duplicates, 1);
        expect("a", "1");
        expect("b", "2");
        expect("c", "3");
        job.rules = TABLE_RULE_LAST_COUNTS;
        add("b other\n", 0);
        expect("b", "other");
        expect("c", "3");
        /* An edit of the source counts, and nothing else then. */
        write_source("a new\n", 5);
        expect("a", "new");
        expect("c", NULL);
}
END_TEST

START_TEST(entries_are_removed) {
        write_source("a 1\nb 2\nc 3\n", 10);
        ck_assert_uint_eq(delete ("A\nnone\n\nc", 0), 2);
        expect("a", NULL);
        expect("b", "2");
        expect("c", NULL);
        ck_assert_uint_eq(delete ("a", 0), 0);
        /* The record about the index is no entry. */
        {
                TableIndexResult result;
                uint64_t n;

                ck_assert_int_eq(table_index_delete(&job, TABLE_ABOUT_KEY, &result, &n), 0);
                ck_assert_uint_eq(n, 0);
        }
        expect("b", "2");
}
END_TEST

START_TEST(an_index_needs_no_source) {
        TableIndexResult result;
        uint64_t n;

        ck_assert_int_eq(table_index_delete(&job, STR("a"), &result, &n), TABLE_INDEX_E_NONE);
        add("a 1\n", 0);
        expect("a", "1");
        add("b 2\n", 0);
        ck_assert_uint_eq(delete ("a", 0), 1);
        expect("a", NULL);
        expect("b", "2");
        write_source("c 3\n", 10);
        expect("c", "3");
        expect("b", NULL);
        ck_assert_int_eq(unlink(source), 0);
        expect("c", "!");
}
END_TEST

START_TEST(a_malformed_line_adds_nothing) {
        TableIndexResult result;

        write_source("a 1\n", 10);
        result = add("b 2\nnonsense\n", TABLE_INDEX_E_SYNTAX);
        ck_assert_uint_eq(result.error_line, 2);
        expect("a", "1");
        expect("b", NULL);
        write_source("nonsense\n", 5);
        result = add("b 2\n", TABLE_INDEX_E_SYNTAX);
        ck_assert_uint_eq(result.error_line, 1);
}
END_TEST

START_TEST(two_who_add_at_once_lose_nothing) {
        pid_t children[8];
        char line[32];

        for (int i = 0; i < 8; i++) {
                children[i] = fork();
                ck_assert_int_ge(children[i], 0);
                if (children[i] > 0)
                        continue;
                for (int k = 0; k < 10; k++) {
                        (void)snprintf(line, sizeof(line), "key-%d-%d v\n", i, k);
                        add(line, 0);
                }
                _exit(0);
        }
        for (int i = 0; i < 8; i++) {
                int status;

                ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
                ck_assert_int_eq(status, 0);
        }
        for (int i = 0; i < 80; i++) {
                (void)snprintf(line, sizeof(line), "key-%d-%d", i / 10, i % 10);
                expect(line, "v");
        }
}
END_TEST

START_TEST(keys_keep_their_case_where_the_rules_say_so) {
        TableIndexResult result;

        job.rules = TABLE_RULE_KEEP_CASE;
        write_source("Key 1\nkey 2\n", 10);
        ck_assert_int_eq(table_index_build(&job, &result), 0);
        expect("Key", "1");
        expect("key", "2");
        write_source("Key new\n", 5); /* made anew by somebody who does not know the rules */
        expect("Key", "new");
        expect("key", NULL);
}
END_TEST

static unsigned index_mode(void) {
        Buf path = BUF_INIT(512);
        struct stat st;

        ck_assert_int_eq(table_index_path(tree.root, str_from_cstr(source), &path), 0);
        ck_assert_int_eq(stat(buf_cstr(&path), &st), 0);
        buf_deinit(&path);
        return st.st_mode & 0777;
}

START_TEST(values_are_the_content_of_files) {
        TableIndexResult result;
        char path[128];
        char line[256];

        job.rules = TABLE_RULE_FILE_VALUES;
        temp_tree_write_text(&tree, "one", "foo");
        temp_tree_write_text(&tree, "two", "bar");
        (void)snprintf(line, sizeof(line), "k %s/one, %s/two\n", tree.root, tree.root);
        write_source(line, 10);
        ck_assert_int_eq(table_index_build(&job, &result), 0);
        expect("k", "Zm9vCmJhcg==");
        ck_assert_uint_eq(index_mode(), 0644);
        (void)snprintf(line, sizeof(line), "k %s/two\n", tree.root);
        ck_assert_int_eq(chmod(temp_tree_path(&tree, "two", path, sizeof(path)), 0640), 0);
        write_source(line, 5);
        expect("k", "YmFy");
        ck_assert_uint_eq(index_mode(), 0600);
        (void)snprintf(line, sizeof(line), "k one\nj %s/one\n", tree.root);
        write_source(line, 5);
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SYNTAX);
        ck_assert_str_eq(result.reason, "the name of a file is no absolute path");
}
END_TEST

/* A user's source names his own files: nobody reads others for him. */
START_TEST(files_of_others_are_not_read_for_a_user) {
        const uid_t user = 12345;
        TableIndexResult result;
        char line[256];

        job.rules = TABLE_RULE_FILE_VALUES;
        temp_tree_write_text(&tree, "secret", "foo");
        (void)snprintf(line, sizeof(line), "k %s/secret\n", tree.root);
        write_source(line, 10);
        ck_assert_int_eq(chown(source, user, (gid_t)-1), 0);
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SYNTAX);
        ck_assert_str_eq(result.reason, "it belongs to another user");
        ck_assert_uint_eq(result.error_line, 1);
        job.owner = &user;
        job.takes_any_files = true; /* not for him */
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SYNTAX);
        job.owner = NULL;
        ck_assert_int_eq(table_index_build(&job, &result), 0);
        expect("k", "Zm9v");
}
END_TEST

/* Lines are short and files are long: what a user may have made of them is bounded all the same. */
START_TEST(what_a_user_has_made_is_bounded) {
        const size_t file_bytes = 700000;
        const uid_t user = 12345;
        TableIndexResult result;
        Buf text = BUF_INIT(100000);
        char path[128];
        char *big = malloc(file_bytes + 1);

        ck_assert_ptr_nonnull(big);
        memset(big, 'x', file_bytes);
        big[file_bytes] = '\0';
        temp_tree_write_text(&tree, "big", big);
        free(big);
        (void)temp_tree_path(&tree, "big", path, sizeof(path));
        ck_assert_int_eq(chown(path, user, (gid_t)-1), 0);
        for (int i = 0; i < 40; i++)
                (void)buf_printf(&text, "k%d %s\n", i, path);
        write_source(buf_cstr(&text), 10);
        buf_deinit(&text);
        ck_assert_int_eq(chown(source, user, (gid_t)-1), 0);
        job.rules = TABLE_RULE_FILE_VALUES;
        job.owner = &user;
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SYNTAX);
        ck_assert_str_eq(result.reason, "all entries together are too large");
        ck_assert_uint_eq(result.error_line, 36); /* of 933,336 bytes each, 32 MiB */
        job.owner = NULL;
        ck_assert_int_eq(table_index_build(&job, &result), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-edit");
        TCase *tcase = tcase_create("edit");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, entries_are_added_to_those_of_the_source);
        tcase_add_test(tcase, entries_are_removed);
        tcase_add_test(tcase, what_a_user_has_made_is_bounded);
        tcase_add_test(tcase, an_index_needs_no_source);
        tcase_add_test(tcase, a_malformed_line_adds_nothing);
        tcase_add_test(tcase, two_who_add_at_once_lose_nothing);
        tcase_add_test(tcase, keys_keep_their_case_where_the_rules_say_so);
        tcase_add_test(tcase, values_are_the_content_of_files);
        tcase_add_test(tcase, files_of_others_are_not_read_for_a_user);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
