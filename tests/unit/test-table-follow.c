/*
 * A reader that follows its source: when the indexer is asked, what is answered when it could not,
 * what a vanished source means, and that a lookup costs no system call. And the refresh itself,
 * which never reads the half of an edit.
 */

#include <sys/wait.h>
#include <time.h>

#include "common/mail/table-index.h"
#include "tests/unit/table-clock.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static char source[64];
static Table *table;
static Buf value;

/* The indexer of the test: what it is told to do, and what it was asked. */
typedef struct Fake {
        bool is_out_of_order; /* does nothing, and says so */
        usec_t max_wait_usec;
        unsigned n_asked;
        unsigned n_kept;
        char reason[256];
} Fake;

static Fake fake;

static TableIndexResult refresh_source(TableSyntax syntax, usec_t max_wait_usec, int expected) {
        const TableIndexJob job = { .index_dir = tree.root, .source = source, .syntax = syntax };
        TableIndexResult result;

        ck_assert_int_eq(table_index_refresh(&job, max_wait_usec, &result), expected);
        return result;
}

static int fake_refresh(void *context, Str path, TableSyntax syntax, Buf *reason) {
        const TableIndexJob job = { .index_dir = tree.root, .source = source, .syntax = syntax };
        TableIndexResult result;

        ck_assert(str_equal(path, str_from_cstr(source)));
        fake.n_asked++;
        if (!fake.is_out_of_order && table_index_refresh(&job, fake.max_wait_usec, &result) == 0)
                return 0;
        (void)buf_append_cstr(reason, "the reason");
        return TABLE_INDEXER_E_KEPT;
}

static void fake_kept(void *context, Str spec, Str reason) {
        fake.n_kept++;
        (void)snprintf(fake.reason, sizeof(fake.reason), "%.*s: %.*s", STR_FMT(spec),
                       STR_FMT(reason));
}

static void make(const char *type) {
        static const TableIndexer indexer = { .refresh = fake_refresh, .kept = fake_kept };
        const TableContext context = {
                .index_dir = tree.root,
                .indexer = &indexer,
                .syntax = TABLE_SYNTAX_ALIASES,
        };
        char spec[128];

        table = table_free(table);
        (void)snprintf(spec, sizeof(spec), "%s:%s", type, source);
        ck_assert_int_eq(table_new(str_from_cstr(spec), &context, &table, NULL), 0);
}

static void set_up(void) {
        temp_tree_make(&tree);
        value = BUF_INIT(4096);
        fake = (Fake){ .max_wait_usec = TABLE_WAIT_USEC };
        (void)temp_tree_path(&tree, "source", source, sizeof(source));
        make("tdb");
}

static void tear_down(void) {
        table = table_free(table);
        buf_deinit(&value);
        temp_tree_remove(&tree);
}

/* Write the source as if it had last changed SECONDS ago. */
static void write_source(const char *text, int seconds) {
        temp_tree_write_aged(&tree, "source", text, seconds);
}

static void pause_msec(long msec) {
        (void)nanosleep(
                &(struct timespec){ .tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000 },
                NULL);
}

/* The next mail: looks at the source anew. TEXT: the value, or a part of the error. */
static void expect(TableResult result, const char *text) {
        pause_msec(11);
        buf_reset(&value);
        ck_assert_int_eq(table_lookup_wait(table, STR("root"), &value), result);
        if (result == TABLE_FOUND)
                ck_assert_str_eq(buf_cstr(&value), text);
        else
                ck_assert_msg(strstr(buf_cstr(&value), text) != NULL, "%s", buf_cstr(&value));
}

START_TEST(an_edit_counts_for_the_next_lookup) {
        write_source("root: old\n", 10);
        expect(TABLE_FOUND, "old");
        ck_assert_uint_eq(fake.n_asked, 1);
        expect(TABLE_FOUND, "old");
        ck_assert_uint_eq(fake.n_asked, 1);
        write_source("root: new\n", 5);
        expect(TABLE_FOUND, "new");
        ck_assert_uint_eq(fake.n_asked, 2);
        ck_assert_uint_eq(fake.n_kept, 0);
}
END_TEST

START_TEST(a_fresh_edit_is_waited_for) {
        usec_t start;

        write_source("root: old\n", 10);
        expect(TABLE_FOUND, "old");
        write_source("root: new\n", 0);
        start = clock_monotonic_usec();
        expect(TABLE_FOUND, "new");
        ck_assert_uint_ge(clock_monotonic_usec() - start, 900 * USEC_PER_MSEC);
}
END_TEST

START_TEST(what_another_process_built_is_used_without_asking) {
        write_source("root: old\n", 10);
        expect(TABLE_FOUND, "old");
        write_source("root: new\n", 5);
        refresh_source(TABLE_SYNTAX_ALIASES, 0, 0);
        expect(TABLE_FOUND, "new");
        ck_assert_uint_eq(fake.n_asked, 1);
}
END_TEST

START_TEST(an_indexer_that_cannot_keeps_the_old_index_and_is_complained_about_once) {
        char expected[128];

        write_source("root: old\n", 10);
        expect(TABLE_FOUND, "old");
        write_source("nonsense\n", 10);
        for (int i = 0; i < 3; i++)
                expect(TABLE_FOUND, "old");
        ck_assert_uint_eq(fake.n_asked, 2);
        ck_assert_uint_eq(fake.n_kept, 1);
        (void)snprintf(expected, sizeof(expected), "tdb:%s: the reason", source);
        ck_assert_str_eq(fake.reason, expected);
        clock_offset_usec += 11 * USEC_PER_SEC; /* asked again, in case it can by now */
        expect(TABLE_FOUND, "old");
        ck_assert_uint_eq(fake.n_asked, 3);
        ck_assert_uint_eq(fake.n_kept, 1);
        write_source("nonsense again\n", 10);
        for (int i = 0; i < 3; i++)
                expect(TABLE_FOUND, "old");
        ck_assert_uint_eq(fake.n_asked, 4);
        ck_assert_uint_eq(fake.n_kept, 2);
        write_source("root: new\n", 0); /* mended just now: waited for as any edit */
        expect(TABLE_FOUND, "new");
}
END_TEST

START_TEST(a_writer_without_end_is_waited_for_once) {
        write_source("root: old\n", 10);
        expect(TABLE_FOUND, "old");
        fake.max_wait_usec = 50 * USEC_PER_MSEC;
        for (int i = 0; i < 4; i++) {
                write_source("root: half\n", 0);
                expect(TABLE_FOUND, "old");
        }
        ck_assert_uint_eq(fake.n_asked, 2);
        write_source("root: whole\n", 2);
        expect(TABLE_FOUND, "whole");
}
END_TEST

START_TEST(no_index_and_no_way_to_one_is_an_error_with_the_reason) {
        fake.is_out_of_order = true;
        write_source("root: joe\n", 10);
        expect(TABLE_ERROR, "source: the reason");
        expect(TABLE_ERROR, "source: the reason");
        ck_assert_uint_eq(fake.n_asked, 1);
        ck_assert_uint_eq(fake.n_kept, 0); /* the error says it already */
        fake.is_out_of_order = false;
        write_source("root: jim\n", 10);
        expect(TABLE_FOUND, "jim");
}
END_TEST

START_TEST(a_damaged_index_is_made_anew) {
        Buf path = BUF_INIT(512);
        int fd;

        write_source("root: joe\n", 10);
        expect(TABLE_FOUND, "joe");
        ck_assert_int_eq(table_index_path(tree.root, str_from_cstr(source), &path), 0);
        fd = open(buf_cstr(&path), O_WRONLY | O_TRUNC | O_CLOEXEC);
        ck_assert(fd >= 0 && close(fd) == 0);
        make("tdb");
        expect(TABLE_FOUND, "joe");
        ck_assert_uint_eq(fake.n_asked, 2);
        buf_deinit(&path);
}
END_TEST

START_TEST(another_owner_or_mode_is_another_source) {
        uid_t owner = 0;

        write_source("root: joe\n", 10);
        expect(TABLE_FOUND, "joe");
        ck_assert_int_eq(chown(source, 12345, (gid_t)-1), 0);
        expect(TABLE_FOUND, "joe");
        ck_assert(table_owner(table, &owner) && owner == 12345);
        ck_assert_int_eq(chmod(source, 0600), 0);
        expect(TABLE_FOUND, "joe");
        ck_assert_uint_eq(fake.n_asked, 3);
}
END_TEST

START_TEST(a_source_that_is_gone_takes_its_table_along_after_a_second) {
        usec_t start;

        write_source("root: joe\n", 10);
        expect(TABLE_FOUND, "joe");
        ck_assert_int_eq(unlink(source), 0);
        start = clock_monotonic_usec();
        expect(TABLE_ERROR, "source: No such file or directory");
        ck_assert_uint_ge(clock_monotonic_usec() - start, 900 * USEC_PER_MSEC);
        start = clock_monotonic_usec();
        expect(TABLE_ERROR, "source: No such file or directory");
        table_allow_missing(table);
        expect(TABLE_NOT_FOUND, "");
        ck_assert_uint_le(clock_monotonic_usec() - start, 500 * USEC_PER_MSEC);
        ck_assert_uint_eq(fake.n_asked, 1);
        write_source("root: jim\n", 10);
        expect(TABLE_FOUND, "jim");
}
END_TEST

/* In a process of its own, after MSEC: what an editor does next. */
static void later(long msec, const char *text) {
        pid_t child = fork();

        ck_assert_int_ge(child, 0);
        if (child != 0)
                return;
        pause_msec(msec);
        temp_tree_write_text(&tree, "source", text);
        _exit(0);
}

START_TEST(a_source_that_is_away_for_a_moment_is_waited_for) {
        write_source("root: old\n", 10);
        expect(TABLE_FOUND, "old");
        table_allow_missing(table);
        ck_assert_int_eq(unlink(source), 0);
        later(300, "root: new\n");
        expect(TABLE_FOUND, "new");
        ck_assert(wait(NULL) > 0);
}
END_TEST

START_TEST(a_default_source_that_was_never_there_costs_no_wait) {
        usec_t start = clock_monotonic_usec();

        table_allow_missing(table);
        expect(TABLE_NOT_FOUND, "");
        ck_assert_uint_le(clock_monotonic_usec() - start, 500 * USEC_PER_MSEC);
        ck_assert_uint_eq(fake.n_asked, 0);
        write_source("root: joe\n", 10);
        expect(TABLE_FOUND, "joe");
}
END_TEST

START_TEST(a_lookup_costs_no_system_call) {
        usec_t start;
        unsigned n_moments;

        write_source("root: joe\n", 10);
        expect(TABLE_FOUND, "joe");
        n_stats = 0;
        start = clock_monotonic_usec();
        for (int i = 0; i < 20000; i++) {
                buf_reset(&value);
                ck_assert_int_eq(table_lookup_wait(table, STR("root"), &value), TABLE_FOUND);
        }
        n_moments = (unsigned)((clock_monotonic_usec() - start) / (10 * USEC_PER_MSEC));
        ck_assert_uint_le(n_stats, 2 * n_moments + 4);
}
END_TEST

START_TEST(texthash_is_waited_for_too) {
        write_source("root old\n", 10);
        make("texthash");
        expect(TABLE_FOUND, "old");
        write_source("root half\n", 0);
        later(300, "root new\n");
        expect(TABLE_FOUND, "new");
        ck_assert(wait(NULL) > 0);
        ck_assert_int_eq(unlink(source), 0);
        later(300, "root newer\n");
        expect(TABLE_FOUND, "newer");
        ck_assert(wait(NULL) > 0);
        write_source("root newest\n", 5);
        expect(TABLE_FOUND, "newest");
}
END_TEST

START_TEST(texthash_keeps_what_it_has_when_the_new_source_is_none_and_says_so_once) {
        write_source("root old\n", 10);
        make("texthash");
        expect(TABLE_FOUND, "old");
        write_source("root new\nbad\n", 9);
        expect(TABLE_FOUND, "old");
        expect(TABLE_FOUND, "old");
        ck_assert_uint_eq(fake.n_kept, 1);
        ck_assert_msg(strstr(fake.reason, "/source: line 2: no value") != NULL, "%s", fake.reason);
        write_source("bad\nroot new\n", 8);
        expect(TABLE_FOUND, "old");
        ck_assert_uint_eq(fake.n_kept, 2);
        ck_assert_msg(strstr(fake.reason, "line 1") != NULL, "%s", fake.reason);
        write_source("root new\n", 7);
        expect(TABLE_FOUND, "new");
        ck_assert_uint_eq(fake.n_kept, 2);
}
END_TEST

/* ---- the refresh ---- */

START_TEST(a_refresh_builds_only_what_changed) {
        write_source("root: joe\n", 10);
        ck_assert(refresh_source(TABLE_SYNTAX_ALIASES, 0, 0).is_built);
        ck_assert(!refresh_source(TABLE_SYNTAX_ALIASES, 0, 0).is_built);
        write_source("root: jim\n", 9);
        ck_assert(refresh_source(TABLE_SYNTAX_ALIASES, 0, 0).is_built);
}
END_TEST

START_TEST(a_refresh_does_not_read_what_is_being_written) {
        TableIndexResult result;

        write_source("root: joe\n", 0);
        result = refresh_source(TABLE_SYNTAX_ALIASES, 100 * USEC_PER_MSEC, TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(result.source_error, EBUSY);
        later(300, "root: joe\nann: x\n");
        result = refresh_source(TABLE_SYNTAX_ALIASES, TABLE_WAIT_USEC, 0);
        ck_assert_uint_eq(result.n_entries, 2);
        ck_assert(wait(NULL) > 0);
}
END_TEST

START_TEST(a_refresh_keeps_how_the_index_was_built_by_hand) {
        const TableIndexJob by_hand = {
                .index_dir = tree.root,
                .source = source,
                .syntax = TABLE_SYNTAX_ALIASES,
                .rules = TABLE_RULE_LAST_COUNTS,
        };
        TableIndexResult result;

        write_source("root: a\nroot: b\n", 10);
        ck_assert_int_eq(table_index_build(&by_hand, &result), 0);
        ck_assert_uint_eq(result.n_duplicates, 1);
        expect(TABLE_FOUND, "b");
        write_source("root: c\nroot: d\n", 10);
        ck_assert(refresh_source(TABLE_SYNTAX_MAP, 0, 0).is_built);
        expect(TABLE_FOUND, "d");
        ck_assert_uint_eq(fake.n_asked, 0);
}
END_TEST

START_TEST(only_files_of_the_one_owner_are_read) {
        const uid_t owner = 12345;
        const TableIndexJob job = {
                .index_dir = tree.root,
                .source = source,
                .owner = &owner,
                .syntax = TABLE_SYNTAX_ALIASES,
        };
        TableIndexResult result;

        write_source("root: joe\n", 10);
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(result.source_error, EPERM);
        ck_assert_int_eq(table_index_refresh(&job, 0, &result), TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(result.source_error, EPERM);
        ck_assert_int_eq(chown(source, owner, (gid_t)-1), 0);
        ck_assert_int_eq(table_index_refresh(&job, 0, &result), 0);
        ck_assert_int_eq(truncate(source, (off_t)TABLE_STRANGERS_MAX_BYTES + 1), 0);
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(result.source_error, EFBIG);
}
END_TEST

/* A write in the tick of the one before leaves the time as it is. */
START_TEST(a_build_waits_until_the_clock_has_moved) {
        usec_t start = clock_monotonic_usec();
        TableIndexResult result;

        write_source("root: joe\n", 0);
        ck_assert_int_eq(table_index_build(&(TableIndexJob){ .index_dir = tree.root,
                                                             .source = source,
                                                             .syntax = TABLE_SYNTAX_ALIASES },
                                           &result),
                         0);
        ck_assert_uint_ge(clock_monotonic_usec() - start, 20 * USEC_PER_MSEC);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, an_edit_counts_for_the_next_lookup);
        tcase_add_test(tcase, a_fresh_edit_is_waited_for);
        tcase_add_test(tcase, what_another_process_built_is_used_without_asking);
        tcase_add_test(tcase,
                       an_indexer_that_cannot_keeps_the_old_index_and_is_complained_about_once);
        tcase_add_test(tcase, a_writer_without_end_is_waited_for_once);
        tcase_add_test(tcase, no_index_and_no_way_to_one_is_an_error_with_the_reason);
        tcase_add_test(tcase, a_damaged_index_is_made_anew);
        tcase_add_test(tcase, another_owner_or_mode_is_another_source);
        tcase_add_test(tcase, a_source_that_is_gone_takes_its_table_along_after_a_second);
        tcase_add_test(tcase, a_source_that_is_away_for_a_moment_is_waited_for);
        tcase_add_test(tcase, a_default_source_that_was_never_there_costs_no_wait);
        tcase_add_test(tcase, a_lookup_costs_no_system_call);
        tcase_add_test(tcase, texthash_is_waited_for_too);
        tcase_add_test(tcase,
                       texthash_keeps_what_it_has_when_the_new_source_is_none_and_says_so_once);
        tcase_add_test(tcase, a_refresh_builds_only_what_changed);
        tcase_add_test(tcase, a_refresh_does_not_read_what_is_being_written);
        tcase_add_test(tcase, a_refresh_keeps_how_the_index_was_built_by_hand);
        tcase_add_test(tcase, only_files_of_the_one_owner_are_read);
        tcase_add_test(tcase, a_build_waits_until_the_clock_has_moved);
}

int main(void) {
        Suite *suite = suite_create("table-follow");
        TCase *tcase = tcase_create("follow");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        add_tests(tcase);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
