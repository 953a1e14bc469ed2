/*
 * Tables whose files are watched: a lookup learns of a change from memory, and looks by itself once
 * a second. And an index that is damaged under its reader, at every place.
 */

#include <stdlib.h>
#include <time.h>

#include "common/mail/table-index.h"
#include "common/role/role-watch.h"
#include "tests/unit/table-clock.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static char source[64];
static char index_path[192];
static Table *table;
static Buf value;
static bool is_out_of_order; /* the indexer */

static int refresh(void *context, Str path, TableSyntax syntax, Buf *reason) {
        const TableIndexJob job = { .index_dir = tree.root, .source = source, .syntax = syntax };
        TableIndexResult result;

        if (!is_out_of_order && table_index_refresh(&job, TABLE_WAIT_USEC, &result) == 0)
                return 0;
        (void)buf_append_cstr(reason, "the reason");
        return TABLE_INDEXER_E_KEPT;
}

static void make(const char *type, const TableWatch *watch) {
        static const TableIndexer indexer = { .refresh = refresh };
        const TableContext context = {
                .index_dir = tree.root,
                .indexer = &indexer,
                .watch = watch,
        };
        char spec[128];

        table = table_free(table);
        (void)snprintf(spec, sizeof(spec), "%s:%s", type, source);
        ck_assert_int_eq(table_new(str_from_cstr(spec), &context, &table, NULL), 0);
}

static void set_up(void) {
        Buf path = BUF_INIT(sizeof(index_path));

        temp_tree_make(&tree);
        value = BUF_INIT(4096);
        temp_tree_write_text(&tree, "etc/other", "");
        (void)temp_tree_path(&tree, "etc/source", source, sizeof(source));
        ck_assert_int_eq(table_index_path(tree.root, str_from_cstr(source), &path), 0);
        (void)snprintf(index_path, sizeof(index_path), "%s", buf_cstr(&path));
        buf_deinit(&path);
        is_out_of_order = false;
        make("tdb", &role_watch);
}

static void tear_down(void) {
        table = table_free(table);
        buf_deinit(&value);
        temp_tree_remove(&tree);
}

static void write_source(const char *text, int seconds) {
        temp_tree_write_aged(&tree, "etc/source", text, seconds);
}

static TableResult look_up(const char *key) {
        buf_reset(&value);
        return table_lookup_wait(table, str_from_cstr(key), &value);
}

static void expect(const char *expected) {
        ck_assert_msg(look_up("root") == TABLE_FOUND, "%s", buf_cstr(&value));
        ck_assert_str_eq(buf_cstr(&value), expected);
}

static const char *const types[] = { "tdb", "texthash" };

START_TEST(a_lookup_looks_once_a_second) {
        usec_t start;
        unsigned n_seconds;

        make(types[_i], &role_watch);
        write_source("root joe\n", 10);
        expect("joe");
        expect("joe");
        n_stats = 0;
        start = clock_monotonic_usec();
        for (int i = 0; i < 50000; i++)
                expect("joe");
        n_seconds = (unsigned)((clock_monotonic_usec() - start) / USEC_PER_SEC);
        ck_assert_uint_le(n_stats, n_seconds + 1);
        n_stats = 0;
        clock_offset_usec += USEC_PER_SEC;
        for (int i = 0; i < 100; i++)
                expect("joe");
        ck_assert_uint_ge(n_stats, 1);
        ck_assert_uint_le(n_stats, 2);
}
END_TEST

START_TEST(an_edit_counts_for_the_very_next_lookup) {
        char link[64];

        make(types[_i], &role_watch);
        write_source("root old\n", 10);
        expect("old");
        for (int i = 0; i < 20; i++) {
                char text[32];

                (void)snprintf(text, sizeof(text), "root new-%d\n", i);
                write_source(text, 5 + i);
                (void)snprintf(text, sizeof(text), "new-%d", i);
                expect(text);
        }
        /* A link, and what it leads to: both are watched. */
        temp_tree_write_text(&tree, "far/away", "root far\n");
        (void)temp_tree_path(&tree, "far/away", link, sizeof(link));
        ck_assert_int_eq(utimensat(AT_FDCWD, link,
                                   (struct timespec[2]){ { .tv_sec = 1 }, { .tv_sec = 1 } }, 0),
                         0);
        ck_assert_int_eq(unlink(source), 0);
        ck_assert_int_eq(symlink(link, source), 0);
        expect("far");
        temp_tree_write_text(&tree, "far/away", "root farther\n");
        ck_assert_int_eq(utimensat(AT_FDCWD, link,
                                   (struct timespec[2]){ { .tv_sec = 2 }, { .tv_sec = 2 } }, 0),
                         0);
        expect("farther");
}
END_TEST

START_TEST(a_source_that_appears_is_noticed) {
        table_allow_missing(table);
        ck_assert_int_eq(look_up("root"), TABLE_NOT_FOUND);
        write_source("root joe\n", 10);
        expect("joe");
        make("texthash", &role_watch);
        ck_assert_int_eq(unlink(source), 0);
        ck_assert_int_eq(look_up("root"), TABLE_ERROR);
        write_source("root jim\n", 10);
        expect("jim");
}
END_TEST

static bool refuse_watch(void *context, Str path) {
        return false;
}

START_TEST(what_cannot_be_watched_is_looked_at) {
        static const _Atomic uint32_t generation;
        static const TableWatch watch = { .generation = &generation, .add = refuse_watch };

        make(types[_i], &watch);
        write_source("root old\n", 10);
        expect("old");
        write_source("root new\n", 5);
        clock_offset_usec += 11 * USEC_PER_MSEC;
        expect("new");
}
END_TEST

/* ---- damage under a reader ---- */

static Buf read_index(void) {
        Buf content = BUF_INIT(1024 * 1024);

        ck_assert_int_eq(file_read(AT_FDCWD, index_path, &content), 0);
        return content;
}

static void write_over(Str content) {
        int fd = open(index_path, O_WRONLY | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_pwrite_all(fd, content.data, content.len, 0), 0);
        ck_assert_int_eq(close(fd), 0);
}

/* Without a watch, too, and before any look: the answer itself is none. */
START_TEST(an_index_cut_anywhere_under_its_reader_is_an_error) {
        Buf content;

        write_source("root joe\nann bob\n", 10);
        make("tdb", NULL);
        expect("joe");
        content = read_index();
        is_out_of_order = true;
        for (size_t len = 0; len < content.len; len += len < 256 ? 1 : 61) {
                static const char *const keys[] = { "root", "nobody" };

                for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
                        ck_assert_int_eq(truncate(index_path, 0), 0);
                        write_over(buf_str(&content));
                        make("tdb", NULL);
                        is_out_of_order = false;
                        expect("joe");
                        is_out_of_order = true;
                        ck_assert_int_eq(truncate(index_path, (off_t)len), 0);
                        ck_assert_msg(look_up(keys[i]) == TABLE_ERROR, "cut to %zu", len);
                        ck_assert_ptr_nonnull(strstr(buf_cstr(&value), source));
                }
        }
        buf_deinit(&content);
}
END_TEST

START_TEST(an_index_written_into_under_its_reader_is_an_error) {
        Buf content;

        write_source("root joe\nann bob\n", 10);
        expect("joe");
        content = read_index();
        for (size_t i = 0; i < content.len; i += i < 256 || i > content.len - 64 ? 1 : 61) {
                is_out_of_order = true;
                content.data[i] = (char)(content.data[i] ^ (1 << (i % 8)));
                write_over(buf_str(&content));
                clock_offset_usec += 11 * USEC_PER_SEC;
                ck_assert_msg(look_up("root") == TABLE_ERROR, "byte %zu", i);
                ck_assert_int_eq(look_up("nobody"), TABLE_ERROR);
                content.data[i] = (char)(content.data[i] ^ (1 << (i % 8)));
                write_over(buf_str(&content));
                is_out_of_order = false;
                clock_offset_usec += 11 * USEC_PER_SEC;
                expect("joe");
        }
        buf_deinit(&content);
}
END_TEST

START_TEST(a_damaged_index_is_made_anew_for_the_lookup_that_finds_it) {
        static const TableWatch *const watches[] = { NULL, &role_watch };

        write_source("root joe\n", 10);
        for (size_t i = 0; i < ARRAY_LEN(watches); i++) {
                make("tdb", watches[i]);
                expect("joe");
                clock_offset_usec += 2 * USEC_PER_SEC;
                expect("joe");
                ck_assert_int_eq(truncate(index_path, 100), 0);
                expect("joe");
                ck_assert_int_eq(look_up("nobody"), TABLE_NOT_FOUND);
        }
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-watch");
        TCase *tcase = tcase_create("watch");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, a_lookup_looks_once_a_second, 0, ARRAY_LEN(types));
        tcase_add_loop_test(tcase, an_edit_counts_for_the_very_next_lookup, 0, ARRAY_LEN(types));
        tcase_add_test(tcase, a_source_that_appears_is_noticed);
        tcase_add_loop_test(tcase, what_cannot_be_watched_is_looked_at, 0, ARRAY_LEN(types));
        tcase_add_test(tcase, an_index_cut_anywhere_under_its_reader_is_an_error);
        tcase_add_test(tcase, an_index_written_into_under_its_reader_is_an_error);
        tcase_add_test(tcase, a_damaged_index_is_made_anew_for_the_lookup_that_finds_it);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
