/*
 * newaliases, one of postalias's names: which indexes are built for which alias_database, and what
 * it says and exits with when one cannot be.
 */

#include "tools/postalias/newaliases.h"

#include <sysexits.h>

#include "common/mail/table.h"
#include "common/role/ipc-address.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static Buf said;

static void set_up(void) {
        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        said = BUF_INIT(16 * 1024);
}

static void tear_down(void) {
        buf_deinit(&said);
        temp_tree_remove(&tree);
}

/* Run with alias_database = SETTING (NULL: not set); "@" in it stands for the tree. */
static int run(const char *setting, const char *option, bool verbose) {
        BuildOptions options = {
                .program = "newaliases",
                .index_dir = tree.root,
                .verbose = verbose,
        };
        const char *overrides[2] = { NULL };
        ConfigSource source = { .root = tree.root, .overrides = overrides };
        char text[512];
        char path[128];
        Buf override = BUF_INIT(512);
        Buf error = BUF_INIT(512);
        Config *config = NULL;
        int saved = dup(STDERR_FILENO);
        int fd = open(temp_tree_path(&tree, "said", path, sizeof(path)),
                      O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        int status;

        (void)snprintf(text, sizeof(text), "alias_database = %s", setting ? setting : "");
        for (const char *c = text; *c; c++)
                (void)(*c == '@' ? buf_append_cstr(&override, tree.root)
                                 : buf_append_char(&override, *c));
        overrides[0] = setting ? buf_cstr(&override) : NULL;
        ck_assert_int_eq(config_load(&source, &config, &error), 0);
        ck_assert(saved >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
        status = newaliases_run(config, option, &options);
        ck_assert(dup2(saved, STDERR_FILENO) >= 0);
        buf_reset(&said);
        ck_assert_int_eq(file_read(AT_FDCWD, path, &said), 0);
        ck_assert(close(saved) == 0 && close(fd) == 0);
        config_free(config);
        buf_deinit(&override);
        buf_deinit(&error);
        return status;
}

static void expect_said(const char *part) {
        ck_assert_msg(strstr(buf_cstr(&said), part) != NULL, "%s", buf_cstr(&said));
}

static TableResult look_up(const char *name, Buf *value) {
        const TableContext context = { .index_dir = tree.root };
        char spec[128];
        Table *table = NULL;
        TableResult result;

        (void)snprintf(spec, sizeof(spec), "tdb:%s/%s", tree.root, name);
        ck_assert_int_eq(table_new(str_from_cstr(spec), &context, &table, NULL), 0);
        result = table_lookup_wait(table, STR("root"), value);
        table_free(table);
        return result;
}

static void expect_found(const char *name) {
        Buf value = BUF_INIT(1024);

        ck_assert_int_eq(look_up(name, &value), TABLE_FOUND);
        buf_deinit(&value);
}

START_TEST(every_source_of_alias_database_is_indexed_in_silence) {
        temp_tree_write_text(&tree, "a", "root: x\n");
        temp_tree_write_text(&tree, "b", "root: x\n");
        temp_tree_write_text(&tree, "c", "root: x\n");
        ck_assert_int_eq(run("hash:@/a, tdb:@/b @/c", NULL, false), 0);
        ck_assert_uint_eq(said.len, 0);
        expect_found("a");
        expect_found("b");
        expect_found("c");
}
END_TEST

START_TEST(verbose_says_what_was_built) {
        temp_tree_write_text(&tree, "a", "root: x\nann: yy\nroot: z\n");
        ck_assert_int_eq(run("hash:@/a", NULL, true), 0);
        expect_said("/a: 1 duplicate names ignored\n");
        expect_said("/a: 2 aliases, longest 2 bytes, 10 bytes total\n");
}
END_TEST

START_TEST(a_bad_line_is_named_and_the_other_sources_are_built) {
        temp_tree_write_text(&tree, "a", "# x\nroot joe\n");
        temp_tree_write_text(&tree, "b", "root: x\n");
        ck_assert_int_eq(run("tdb:@/a tdb:@/b", NULL, false), 1);
        expect_said("newaliases: fatal: /tmp/");
        expect_said("/a, line 2: no ':' after the name\n");
        ck_assert_ptr_null(strstr(buf_cstr(&said), "joe"));
        expect_found("b");
}
END_TEST

START_TEST(what_has_no_index_is_refused) {
        ck_assert_int_eq(run("texthash:/x", NULL, false), 1);
        expect_said("fatal: texthash:/x: no index is built for tables of this type");
        ck_assert_int_eq(run("ldap:/x", NULL, false), 1);
        expect_said("fatal: ldap:/x: no index");
        ck_assert_int_eq(run("aliases", NULL, false), 1);
        ck_assert_int_eq(run("tdb:aliases", NULL, false), 1);
        expect_said("not an absolute path");
}
END_TEST

START_TEST(a_missing_source_that_was_named_is_an_error) {
        ck_assert_int_eq(run("tdb:@/none", NULL, false), 1);
        expect_said("/none: No such file or directory\n");
}
END_TEST

START_TEST(the_option_takes_the_place_of_the_parameter) {
        char option[128];

        temp_tree_write_text(&tree, "a", "root: x\n");
        ck_assert_int_eq(
                run("tdb:/nonexistent", temp_tree_path(&tree, "a", option, sizeof(option)), false),
                0);
        expect_found("a");
}
END_TEST

START_TEST(an_empty_alias_database_is_nothing_to_do) {
        ck_assert_int_eq(run("", NULL, false), 0);
        ck_assert_uint_eq(said.len, 0);
}
END_TEST

/* /etc/aliases of the machine that tests: there or not, it is no error when nobody named it. */
START_TEST(the_default_source_may_be_missing) {
        ck_assert_int_eq(run(NULL, NULL, false), 0);
}
END_TEST

/* The role decides; it is not there. */
START_TEST(others_than_root_need_the_role) {
        temp_tree_write_text(&tree, "a", "root: x\n");
        ck_assert_int_eq(chmod(tree.root, 0777), 0);
        ck_assert(geteuid() != 0 || seteuid(65534) == 0);
        ck_assert_int_eq(run("tdb:@/a", NULL, false), EX_UNAVAILABLE);
        expect_said("/a: the mail system is down (systemctl start unitpost-tables.socket)\n");
        ck_assert(getuid() != 0 || seteuid(0) == 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("postalias");
        TCase *tcase = tcase_create("run");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, every_source_of_alias_database_is_indexed_in_silence);
        tcase_add_test(tcase, verbose_says_what_was_built);
        tcase_add_test(tcase, a_bad_line_is_named_and_the_other_sources_are_built);
        tcase_add_test(tcase, what_has_no_index_is_refused);
        tcase_add_test(tcase, a_missing_source_that_was_named_is_an_error);
        tcase_add_test(tcase, the_option_takes_the_place_of_the_parameter);
        tcase_add_test(tcase, an_empty_alias_database_is_nothing_to_do);
        tcase_add_test(tcase, the_default_source_may_be_missing);
        tcase_add_test(tcase, others_than_root_need_the_role);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
