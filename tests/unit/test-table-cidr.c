/*
 * cidr: which network an address is in, by the first rule that fits; what is no rule; and that a
 * source is followed, with the old rules kept where the new ones are none.
 */

#include <sys/stat.h>
#include <time.h>

#include "tests/unit/table-bed.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static char source[64];

static unsigned n_kept;
static char kept_text[512];

static int no_refresh(void *context, Str path, TableSyntax syntax, Buf *reason) {
        ck_abort_msg("there is no index to refresh");
        return 0;
}

static void note_kept(void *context, Str spec, Str reason) {
        n_kept++;
        (void)snprintf(kept_text, sizeof(kept_text), "%.*s: %.*s", STR_FMT(spec), STR_FMT(reason));
}

static void make(const char *spec) {
        static const TableIndexer indexer = { .refresh = no_refresh, .kept = note_kept };
        const TableContext context = { .index_dir = tree.root, .indexer = &indexer };

        table_bed_make(spec, &context);
}

static void set_up(void) {
        temp_tree_make(&tree);
        table_bed_set_up();
        n_kept = 0;
        (void)temp_tree_path(&tree, "source", source, sizeof(source));
}

static void tear_down(void) {
        table_bed_tear_down();
        temp_tree_remove(&tree);
}

typedef struct Case {
        const char *rules;
        const char *key;
        const char *text; /* NULL: not found */
} Case;

#define NETWORKS                                                                                \
        "{ {192.168.1.1 one}, {192.168.0.0/16 many}, {[2001:db8::1] six}, {2001:db8::/32 v6}, " \
        "{[10.9.0.0]/16 a b}, {[10.8.0.0/16] c}, {128.0.0.0/1 half} }"
#define NESTED                                                                            \
        "{ {if 10.0.0.0/8}, {10.1.0.0/16 a}, {IF !10.2.0.0/16}, {0.0.0.0/0 b}, {endif}, " \
        "{EndIf}, {10.2.0.1 c}, {!10.0.0.0/8 elsewhere}, {::/0 six} }"

static const Case cases[] = {
        { NETWORKS, "192.168.1.1", "one" },
        { NETWORKS, "192.168.7.7", "many" },
        { NETWORKS, "192.169.0.1", "half" },
        { NETWORKS, "127.255.255.255", NULL },
        { NETWORKS, "2001:DB8:0::1", "six" },
        { NETWORKS, "2001:db8::2", "v6" },
        { NETWORKS, "2001:db9::2", NULL },
        { NETWORKS, "10.9.1.1", "a b" },
        { NETWORKS, "10.8.1.1", "c" },
        { NETWORKS, "10.7.255.255", NULL },
        { NETWORKS, "::ffff:192.168.1.1", NULL },
        { NETWORKS, "[192.168.1.1]", NULL },
        { NETWORKS, "192.168.1", NULL },
        { NETWORKS, "192.168.1.01", NULL },
        { NETWORKS, "a-name-that-is-longer-than-any-address-can-be.example.org", NULL },
        { NETWORKS, "192.168.1.1/32", NULL },
        { NESTED, "10.1.1.1", "a" },
        { NESTED, "10.2.0.1", "c" },
        { NESTED, "10.2.0.2", NULL },
        { NESTED, "10.3.3.3", "b" },
        { NESTED, "11.0.0.1", "elsewhere" },
        { NESTED, "::1", "six" },
        { "{{! ! 10.0.0.0/08 x}}", "10.1.1.1", "x" },
        { "{{!10.0.0.0/8 x}}", "::1", NULL },
        { "{{if !10.0.0.0/8}, {::/0 x}, {endif}}", "::1", NULL },
        { "{{0.0.0.0/0 all}}", "255.255.255.255", "all" },
        { "{{::ffff:10.0.0.0/104 x}}", "::ffff:10.1.1.1", "x" },
        { "{{ffff:fffc::/31 x}}", "ffff:fffd::1", "x" },
        { "{{ffff:fffc::/31 x}}", "ffff:fffe::1", NULL },
        { "{}", "10.1.1.1", NULL },
        { "{{# 10.1.1.1 x}}", "10.1.1.1", NULL },
};

START_TEST(the_first_rule_that_fits_answers) {
        const Case *c = &cases[_i];
        char spec[512];

        (void)snprintf(spec, sizeof(spec), "cidr:%s", c->rules);
        make(spec);
        ck_assert(table_is_pattern(table));
        table_bed_expect(c->key, c->text ? TABLE_FOUND : TABLE_NOT_FOUND, c->text ? c->text : "");
}
END_TEST

static const struct {
        const char *name;
        const char *reason;
} bad[] = {
        { "relative", "not an absolute path" },
        { "{10.0.0.0/8 x}", "not in braces" },
        { "{{10.0.0.0/8 x}", "no closing brace" },
        { "{{10.0.0.0/8 x}}y", "behind it" },
        { "{{10.0.0.0/8 x}y}", "behind a closing brace" },
        { "{{10.0.0.1/8 x}}", "line 1: an address with bits" },
        { "{{::1/127 x}}", "line 1: an address with bits" },
        { "{{1.1.1.1 x}, {10.0.0.0/33 x}}", "line 2: a malformed or too large number" },
        { "{{::/129 x}}", "number of bits" },
        { "{{10.0.0.0/ x}}", "number of bits" },
        { "{{10.0.0.0/+8 x}}", "number of bits" },
        { "{{10.0.0/8 x}}", "not an address" },
        { "{{name x}}", "not an address" },
        { "{{[10.0.0.0 x}}", "not an address" },
        { "{{[10.0.0.0/8]/8 x}}", "not an address" },
        { "{{[10.0.0.0]8 x}}", "not an address" },
        { "{{/8 x}}", "not an address" },
        { "{{10.0.0.0/8}}", "no value" },
        { "{{!}}", "no pattern" },
        { "{{if}}", "no pattern" },
        { "{{endif}}", "closes no if" },
        { "{{1.1.1.1 x}, {if 10.0.0.0/8}, {1.1.1.1 x}}", "line 2: an if that has no endif" },
        { "{{if 10.0.0.0/8 x}, {endif}}", "behind the pattern of an if" },
        { "{{if 10.0.0.0/8}, {endif x}}", "behind an endif" },
};

START_TEST(what_is_no_rule_says_which_line_and_why) {
        const char *reason = "";
        char spec[512];

        (void)snprintf(spec, sizeof(spec), "cidr:%s", bad[_i].name);
        ck_assert_int_eq(table_new(str_from_cstr(spec), NULL, &table, &reason), TABLE_E_SYNTAX);
        ck_assert_msg(strstr(reason, bad[_i].reason) != NULL, "%s: %s", spec, reason);
}
END_TEST

START_TEST(ifs_nest_only_so_deep) {
        Buf spec = BUF_INIT(4096);
        const char *reason = "";

        (void)buf_append_cstr(&spec, "cidr:{");
        for (int i = 0; i < 33; i++)
                (void)buf_append_cstr(&spec, "{if ::/0},");
        for (int i = 0; i < 33; i++)
                (void)buf_append_cstr(&spec, "{endif},");
        (void)buf_append_cstr(&spec, "}");
        ck_assert_int_eq(table_new(buf_str(&spec), NULL, &table, &reason), TABLE_E_SYNTAX);
        ck_assert_msg(strstr(reason, "line 33: ifs within ifs") != NULL, "%s", reason);
        buf_deinit(&spec);
}
END_TEST

/* Write the source as if it had last changed SECONDS ago; the next look is at it. */
static void write_source(const char *text, int seconds) {
        struct timespec then = { .tv_sec = time(NULL) - seconds };

        temp_tree_write_text(&tree, "source", text);
        ck_assert_int_eq(utimensat(AT_FDCWD, source, (struct timespec[]){ then, then }, 0), 0);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 15000000 }, NULL);
}

static void make_of_source(void) {
        char spec[128];

        (void)snprintf(spec, sizeof(spec), "cidr:%s", source);
        make(spec);
}

START_TEST(a_source_is_read_and_followed) {
        make_of_source();
        table_bed_expect("10.1.1.1", TABLE_ERROR, "/source: No such file or directory");
        write_source("# comment\n\n10.0.0.0/8  two\n  lines \n", 10);
        table_bed_expect("10.1.1.1", TABLE_FOUND, "two  lines");
        write_source("10.0.0.0/8 new\n", 9);
        table_bed_expect("10.1.1.1", TABLE_FOUND, "new");
        write_source("", 8);
        table_bed_expect("10.1.1.1", TABLE_NOT_FOUND, "");
        ck_assert_uint_eq(n_kept, 0);
}
END_TEST

START_TEST(old_rules_are_kept_when_the_new_ones_are_none) {
        make_of_source();
        write_source("10.0.0.0/8 x\nbad\n", 10);
        table_bed_expect("10.1.1.1", TABLE_ERROR, "/source: line 2: not an address");
        ck_assert_uint_eq(n_kept, 0);
        write_source("10.0.0.0/8 x\n", 9);
        table_bed_expect("10.1.1.1", TABLE_FOUND, "x");
        write_source("10.0.0.0/8 y\nif ::/0\n", 8);
        for (int i = 0; i < 3; i++) {
                table_bed_expect("10.1.1.1", TABLE_FOUND, "x");
                (void)nanosleep(&(struct timespec){ .tv_nsec = 15000000 }, NULL);
        }
        ck_assert_uint_eq(n_kept, 1);
        ck_assert_msg(strstr(kept_text, "/source: line 2: an if that has no endif") != NULL, "%s",
                      kept_text);
        write_source("10.0.0.0/8 z\n", 7);
        table_bed_expect("10.1.1.1", TABLE_FOUND, "z");
        ck_assert_int_eq(unlink(source), 0);
        (void)nanosleep(&(struct timespec){ .tv_nsec = 15000000 }, NULL);
        table_bed_expect("10.1.1.1", TABLE_ERROR, "No such file");
}
END_TEST

START_TEST(old_rules_are_kept_when_the_source_cannot_be_read) {
        make_of_source();
        write_source("10.0.0.0/8 x\n", 10);
        table_bed_expect("10.1.1.1", TABLE_FOUND, "x");
        ck_assert_int_eq(unlink(source), 0);
        ck_assert_int_eq(mkdir(source, 0700), 0);
        for (int i = 0; i < 3; i++) {
                (void)nanosleep(&(struct timespec){ .tv_nsec = 15000000 }, NULL);
                table_bed_expect("10.1.1.1", TABLE_FOUND, "x");
        }
        ck_assert_uint_eq(n_kept, 1);
        ck_assert_msg(strstr(kept_text, "/source: Is a directory") != NULL, "%s", kept_text);
        ck_assert_int_eq(rmdir(source), 0);
        write_source("10.0.0.0/8 y\n", 9);
        table_bed_expect("10.1.1.1", TABLE_FOUND, "y");
}
END_TEST

START_TEST(rules_are_owned_by_who_wrote_them) {
        uid_t uid = (uid_t)-1;

        make("cidr:{{10.0.0.0/8 x}}");
        table_bed_expect("10.1.1.1", TABLE_FOUND, "x");
        ck_assert(table_owner(table, &uid));
        ck_assert_uint_eq(uid, 0);
        write_source("10.0.0.0/8 x\n", 10);
        ck_assert_int_eq(chown(source, 12345, 54321), 0);
        make_of_source();
        table_bed_expect("10.1.1.1", TABLE_FOUND, "x");
        ck_assert(table_owner(table, &uid));
        ck_assert_uint_eq(uid, 12345);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-cidr");
        TCase *tcase = tcase_create("cidr");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, the_first_rule_that_fits_answers, 0, ARRAY_LEN(cases));
        tcase_add_loop_test(tcase, what_is_no_rule_says_which_line_and_why, 0, ARRAY_LEN(bad));
        tcase_add_test(tcase, ifs_nest_only_so_deep);
        tcase_add_test(tcase, a_source_is_read_and_followed);
        tcase_add_test(tcase, old_rules_are_kept_when_the_new_ones_are_none);
        tcase_add_test(tcase, old_rules_are_kept_when_the_source_cannot_be_read);
        tcase_add_test(tcase, rules_are_owned_by_who_wrote_them);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
