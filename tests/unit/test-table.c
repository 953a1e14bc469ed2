/*
 * Tables by type: specs, folding, what is found, and that an error is never "not found".
 * The tdb index has its own test (test-table-index.c).
 */

#include "common/mail/table.h"

#include <pwd.h>
#include <time.h>

#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static Table *table;
static Buf value;

static void set_up(void) {
        temp_tree_make(&tree);
        value = BUF_INIT(4096);
}

static void tear_down(void) {
        table = table_free(table);
        buf_deinit(&value);
        temp_tree_remove(&tree);
}

static void make(const char *spec) {
        const TableContext context = { .index_dir = tree.root };
        const char *reason = NULL;

        table = table_free(table);
        ck_assert_msg(table_new(str_from_cstr(spec), &context, &table, &reason) == 0, "%s: %s",
                      spec, reason);
}

static void expect(const char *key, TableResult result, const char *text) {
        buf_reset(&value);
        ck_assert_int_eq(table_lookup_wait(table, str_from_cstr(key), &value), result);
        ck_assert_msg(strstr(buf_cstr(&value), text) != NULL, "%s", buf_cstr(&value));
        if (result == TABLE_FOUND)
                ck_assert_str_eq(buf_cstr(&value), text);
}

typedef struct SpecCase {
        Str spec;
        int result;
        const char *reason;
} SpecCase;

/* clang-format off */
#define SPEC(spec, result, reason) \
        { { spec, sizeof(spec) - 1 }, result, reason }
/* clang-format on */

static const SpecCase spec_cases[] = {
        SPEC("tdb:/etc/aliases", 0, NULL),
        SPEC("hash:/etc/aliases", 0, NULL),
        SPEC("btree:/x", 0, NULL),
        SPEC("lmdb:/x", 0, NULL),
        SPEC("cdb:/x", 0, NULL),
        SPEC("dbm:/x", 0, NULL),
        SPEC(" static:x ", 0, NULL),
        SPEC("inline:{a=b}", 0, NULL),
        SPEC("", TABLE_E_SYNTAX, "not of the form"),
        SPEC("/etc/aliases", TABLE_E_SYNTAX, "not of the form"),
        SPEC(":x", TABLE_E_SYNTAX, "not of the form"),
        SPEC("tdb:", TABLE_E_SYNTAX, "not of the form"),
        SPEC("tdb:/x\0y", TABLE_E_SYNTAX, "NUL"),
        SPEC("tdb:relative", TABLE_E_SYNTAX, "absolute"),
        SPEC("texthash:relative", TABLE_E_SYNTAX, "absolute"),
        SPEC("HASH:/x", TABLE_E_UNKNOWN_TYPE, "unknown"),
        SPEC("mysql:/x", TABLE_E_UNKNOWN_TYPE, "unknown"),
        SPEC("unix:group.byname", TABLE_E_SYNTAX, "passwd.byname"),
        SPEC("static:{ }", TABLE_E_SYNTAX, "empty"),
        SPEC("static:{ a", TABLE_E_SYNTAX, "no closing brace"),
        SPEC("static:{a}b", TABLE_E_SYNTAX, "behind it"),
        SPEC("inline:a=b", TABLE_E_SYNTAX, "inline:{"),
        SPEC("inline:{a=b", TABLE_E_SYNTAX, "inline:{"),
        SPEC("inline:{a=b}}", TABLE_E_SYNTAX, "inline:{"),
        SPEC("inline:{a=b}{c=d}", TABLE_E_SYNTAX, "inline:{"),
        SPEC("inline:{ {a=b}c=d }", TABLE_E_SYNTAX, "behind a closing brace"),
        SPEC("inline:{}", TABLE_E_SYNTAX, "no entries"),
        SPEC("inline:{ ab }", TABLE_E_SYNTAX, "key = value"),
        SPEC("inline:{ =b }", TABLE_E_SYNTAX, "key = value"),
        SPEC("inline:{ a= }", TABLE_E_SYNTAX, "key = value"),
};

START_TEST(specs_are_checked_when_a_table_is_made) {
        const SpecCase *c = &spec_cases[_i];
        const char *reason = NULL;

        ck_assert_int_eq(table_new(c->spec, NULL, &table, &reason), c->result);
        if (c->reason)
                ck_assert_msg(strstr(reason, c->reason) != NULL, "%s", reason);
        else
                ck_assert(str_equal(table_spec(table), str_trim(c->spec)));
}
END_TEST

START_TEST(static_answers_every_key) {
        make("static:OK");
        expect("a", TABLE_FOUND, "OK");
        expect("", TABLE_FOUND, "OK");
        make("static:{ two words, here }");
        expect("a", TABLE_FOUND, "two words, here");
}
END_TEST

START_TEST(inline_entries_may_be_in_braces) {
        make("inline:{ {Key=value}, {k2 = v 2, with = more}, k3=v3,k4=v4 {k5={x}} }");
        expect("KEY", TABLE_FOUND, "value");
        expect("k2", TABLE_FOUND, "v 2, with = more");
        expect("k3", TABLE_FOUND, "v3");
        expect("k4", TABLE_FOUND, "v4");
        expect("k5", TABLE_FOUND, "{x}");
        expect("k", TABLE_NOT_FOUND, "");
        expect("k22", TABLE_NOT_FOUND, "");
        expect("", TABLE_NOT_FOUND, "");
}
END_TEST

START_TEST(of_equal_keys_inline_the_last_counts) {
        make("inline:{ b=0 a=1 A=2 a=3 }");
        expect("a", TABLE_FOUND, "3");
        expect("b", TABLE_FOUND, "0");
}
END_TEST

START_TEST(keys_that_no_source_can_hold_are_not_found) {
        char *long_key = malloc(64 * 1024);

        ck_assert_ptr_nonnull(long_key);
        memset(long_key, 'k', 64 * 1024);
        make("inline:{ k=v }");
        ck_assert_int_eq(table_lookup_wait(table, str_from(long_key, 64 * 1024), &value),
                         TABLE_NOT_FOUND);
        ck_assert_int_eq(table_lookup_wait(table, str_from("k\0", 2), &value), TABLE_NOT_FOUND);
        make("static:x");
        ck_assert_int_eq(table_lookup_wait(table, str_from(long_key, 64 * 1024), &value),
                         TABLE_FOUND);
        free(long_key);
}
END_TEST

START_TEST(a_value_too_long_for_its_buffer_is_an_error) {
        Buf small = BUF_INIT(4);

        make("static:more than four bytes");
        ck_assert_int_eq(table_lookup_wait(table, STR("a"), &small), TABLE_ERROR);
        buf_deinit(&small);
}
END_TEST

START_TEST(users_are_found_and_others_are_not) {
        char expected[512];
        char buffer[4096];
        struct passwd entry;
        struct passwd *root = NULL;

        make("unix:passwd.byname");
        ck_assert_int_eq(getpwnam_r("root", &entry, buffer, sizeof(buffer), &root), 0);
        ck_assert_ptr_nonnull(root);
        (void)snprintf(expected, sizeof(expected), "root:%s:0:0:%s:%s:%s", root->pw_passwd,
                       root->pw_gecos, root->pw_dir, root->pw_shell);
        expect("Root", TABLE_FOUND, expected);
        expect("no-such-user-here", TABLE_NOT_FOUND, "");
        expect("root:x", TABLE_NOT_FOUND, "");
}
END_TEST

/* Injected: remembers the question; answers when the test says so. */
typedef struct Question {
        char table[64];
        char key[64];
        TableReply reply;
        void *userdata;
} Question;

static int ask(void *context, Str name, Str key, TableReply reply, void *userdata) {
        Question *question = context;

        (void)snprintf(question->table, sizeof(question->table), "%.*s", STR_FMT(name));
        (void)snprintf(question->key, sizeof(question->key), "%.*s", STR_FMT(key));
        question->reply = reply;
        question->userdata = userdata;
        return 0;
}

static void count_found(void *userdata, TableResult result, Str text) {
        *(int *)userdata += result == TABLE_FOUND && str_equal(text, STR("answer"));
}

START_TEST(a_type_that_may_block_goes_through_the_transport) {
        Question question = { .reply = NULL };
        const TableTransport transport = { .lookup = ask, .context = &question };
        const TableContext context = { .transport = &transport };
        int n_found = 0;

        ck_assert_int_eq(table_new(STR("unix:passwd.byname"), &context, &table, NULL), 0);
        ck_assert_int_eq(table_lookup(table, STR("Root"), count_found, &n_found), 0);
        ck_assert_str_eq(question.table, "unix:passwd.byname");
        ck_assert_str_eq(question.key, "root");
        ck_assert_int_eq(n_found, 0);
        question.reply(question.userdata, TABLE_FOUND, STR("answer"));
        ck_assert_int_eq(n_found, 1);
        expect("root", TABLE_ERROR, "must not wait");
        table = table_free(table);
        ck_assert_int_eq(table_new(STR("static:answer"), &context, &table, NULL), 0);
        ck_assert_int_eq(table_lookup(table, STR("x"), count_found, &n_found), 0);
        ck_assert_int_eq(n_found, 2);
}
END_TEST

static void expect_owner(bool expected, uid_t expected_uid) {
        uid_t uid = (uid_t)-1;

        ck_assert_int_eq(table_owner(table, &uid), expected);
        if (expected)
                ck_assert_uint_eq(uid, expected_uid);
}

START_TEST(what_main_cf_says_is_roots_and_for_nss_nobody_vouches) {
        make("static:x");
        expect_owner(false, 0); /* nothing was asked yet */
        expect("a", TABLE_FOUND, "x");
        expect_owner(true, 0);
        make("inline:{ a=b }");
        expect("a", TABLE_FOUND, "b");
        expect_owner(true, 0);
        make("unix:passwd.byname");
        ck_assert_int_eq(table_lookup_wait(table, STR("root"), &value), TABLE_FOUND);
        expect_owner(false, 0);
}
END_TEST

static void make_texthash(void) {
        char spec[128];

        (void)snprintf(spec, sizeof(spec), "texthash:%s/source", tree.root);
        make(spec);
}

/* Write the source as if it had last changed SECONDS ago. */
static void write_source(const char *text, int seconds) {
        const struct timespec then = { .tv_sec = time(NULL) - seconds };
        char path[128];

        temp_tree_write_text(&tree, "source", text);
        (void)temp_tree_path(&tree, "source", path, sizeof(path));
        ck_assert_int_eq(utimensat(AT_FDCWD, path, (struct timespec[]){ then, then }, 0), 0);
}

static void wait_for_next_check(void) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = 15000000 }, NULL);
}

static void wait_until_quiet(void) {
        (void)nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 50000000 }, NULL);
}

START_TEST(texthash_reads_its_source) {
        write_source("Key one two\n\"a b\"@x.example v\n", 10);
        make_texthash();
        expect("key", TABLE_FOUND, "one two");
        expect("\"A b\"@X.example", TABLE_FOUND, "v");
        expect("other", TABLE_NOT_FOUND, "");
}
END_TEST

START_TEST(texthash_notices_a_change_once_it_is_quiet) {
        write_source("key old\n", 10);
        make_texthash();
        expect("key", TABLE_FOUND, "old");
        write_source("key half", 0);
        wait_for_next_check();
        write_source("key new\n", -3600); /* in the future: says nothing, so it is taken */
        wait_for_next_check();
        expect("key", TABLE_FOUND, "new");
        write_source("key newer\n", 10);
        wait_for_next_check();
        expect("key", TABLE_FOUND, "newer");
}
END_TEST

START_TEST(texthash_keeps_the_old_content_while_its_source_is_written) {
        write_source("key old\n", 10);
        make_texthash();
        expect("key", TABLE_FOUND, "old");
        wait_for_next_check();
        write_source("key\n", 0); /* half a line of an editor */
        expect("key", TABLE_FOUND, "old");
}
END_TEST

/* Read while it was written: the same size and time may stand for more than was read. */
START_TEST(texthash_reads_again_what_was_not_quiet) {
        struct timespec times[2];
        struct stat st;
        char path[128];

        write_source("key old\n", 0);
        make_texthash();
        expect("key", TABLE_FOUND, "old");
        (void)temp_tree_path(&tree, "source", path, sizeof(path));
        ck_assert_int_eq(stat(path, &st), 0);
        times[0] = times[1] = st.st_mtim;
        temp_tree_write_text(&tree, "source", "key new\n");
        ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
        wait_until_quiet();
        expect("key", TABLE_FOUND, "new");
}
END_TEST

START_TEST(texthash_errors_are_no_answers_and_heal) {
        make_texthash();
        expect("key", TABLE_ERROR, "/source: No such file or directory");
        write_source("key v\nbad\n", 10);
        wait_for_next_check();
        expect("key", TABLE_ERROR, "/source: line 2: no value");
        write_source("key v\n", 10);
        wait_for_next_check();
        expect("key", TABLE_FOUND, "v");
}
END_TEST

START_TEST(texthash_is_owned_by_the_owner_of_its_source) {
        char path[128];

        write_source("key v\n", 10);
        (void)temp_tree_path(&tree, "source", path, sizeof(path));
        ck_assert_int_eq(chown(path, 12345, 54321), 0);
        make_texthash();
        expect("key", TABLE_FOUND, "v");
        expect_owner(true, 12345);
        ck_assert_int_eq(unlink(path), 0);
        table_allow_missing(table);
        wait_for_next_check();
        expect("key", TABLE_NOT_FOUND, "");
        expect_owner(false, 0);
        ck_assert_int_eq(symlink("/nonexistent/source", path), 0);
        wait_for_next_check();
        expect("key", TABLE_NOT_FOUND, "");
}
END_TEST

START_TEST(texthash_of_a_directory_is_an_error) {
        char spec[128];

        (void)snprintf(spec, sizeof(spec), "texthash:%s", tree.root);
        make(spec);
        expect("key", TABLE_ERROR, "Is a directory");
}
END_TEST

START_TEST(a_missing_default_source_is_an_empty_table) {
        make_texthash();
        table_allow_missing(table);
        expect("key", TABLE_NOT_FOUND, "");
        write_source("bad\n", 10);
        wait_for_next_check();
        expect("key", TABLE_ERROR, "no value");
}
END_TEST

static TCase *make_case(void) {
        TCase *tcase = tcase_create("types");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, specs_are_checked_when_a_table_is_made, 0,
                            ARRAY_LEN(spec_cases));
        tcase_add_test(tcase, static_answers_every_key);
        tcase_add_test(tcase, inline_entries_may_be_in_braces);
        tcase_add_test(tcase, of_equal_keys_inline_the_last_counts);
        tcase_add_test(tcase, keys_that_no_source_can_hold_are_not_found);
        tcase_add_test(tcase, a_value_too_long_for_its_buffer_is_an_error);
        tcase_add_test(tcase, users_are_found_and_others_are_not);
        tcase_add_test(tcase, a_type_that_may_block_goes_through_the_transport);
        tcase_add_test(tcase, texthash_reads_its_source);
        tcase_add_test(tcase, texthash_notices_a_change_once_it_is_quiet);
        tcase_add_test(tcase, texthash_keeps_the_old_content_while_its_source_is_written);
        tcase_add_test(tcase, texthash_reads_again_what_was_not_quiet);
        tcase_add_test(tcase, texthash_errors_are_no_answers_and_heal);
        tcase_add_test(tcase, what_main_cf_says_is_roots_and_for_nss_nobody_vouches);
        tcase_add_test(tcase, texthash_is_owned_by_the_owner_of_its_source);
        tcase_add_test(tcase, texthash_of_a_directory_is_an_error);
        tcase_add_test(tcase, a_missing_default_source_is_an_empty_table);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("table");

        suite_add_tcase(suite, make_case());
        return unit_run(suite);
}
