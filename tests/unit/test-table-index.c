/*
 * Indexes: built, looked up, replaced under a reader; and damaged at every place, when an error
 * must come out and never "not found" or a crash.
 */

#include <sys/mman.h>

#include "common/mail/table-index.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "common/mail/table-seal.h"
#include "common/mail/table.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static TableContext context;
static TableIndexJob job;
static char source[64];
static char index_path[192];
static Table *table;
static Buf value;

static void set_up(void) {
        Buf path = BUF_INIT(sizeof(index_path));

        temp_tree_make(&tree);
        context = (TableContext){ .index_dir = tree.root, .syntax = TABLE_SYNTAX_ALIASES };
        job = (TableIndexJob){
                .index_dir = tree.root,
                .source = source,
                .syntax = TABLE_SYNTAX_ALIASES,
        };
        value = BUF_INIT(4096);
        (void)temp_tree_path(&tree, "source", source, sizeof(source));
        ck_assert_int_eq(table_index_path(tree.root, str_from_cstr(source), &path), 0);
        (void)snprintf(index_path, sizeof(index_path), "%s", buf_cstr(&path));
        buf_deinit(&path);
}

static void tear_down(void) {
        table = table_free(table);
        buf_deinit(&value);
        temp_tree_remove(&tree);
}

static unsigned n_mapped;

void *__real_mmap64(void *address, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *address, size_t len, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *address, size_t len, int protection, int flags, int fd, off_t offset) {
        n_mapped++;
        return __real_mmap64(address, len, protection, flags, fd, offset);
}

static TableIndexResult build(const char *text, int expected) {
        TableIndexResult result;

        temp_tree_write_text(&tree, "source", text);
        ck_assert_int_eq(table_index_build(&job, &result), expected);
        return result;
}

static int build_of(const char *index_dir, const char *path, TableIndexResult *ret) {
        const TableIndexJob other = {
                .index_dir = index_dir,
                .source = path,
                .syntax = TABLE_SYNTAX_ALIASES,
        };

        return table_index_build(&other, ret);
}

static void make(const char *type) {
        char spec[128];

        table = table_free(table);
        (void)snprintf(spec, sizeof(spec), "%s:%s", type, source);
        ck_assert_int_eq(table_new(str_from_cstr(spec), &context, &table, NULL), 0);
}

static TableResult look_up(const char *key) {
        buf_reset(&value);
        return table_lookup_wait(table, str_from_cstr(key), &value);
}

static void expect(const char *key, const char *expected) {
        ck_assert_int_eq(look_up(key), expected ? TABLE_FOUND : TABLE_NOT_FOUND);
        if (expected)
                ck_assert_str_eq(buf_cstr(&value), expected);
}

static void expect_error(const char *part) {
        ck_assert_int_eq(look_up("root"), TABLE_ERROR);
        ck_assert_msg(strstr(buf_cstr(&value), part) != NULL, "%s", buf_cstr(&value));
}

static void wait_for_next_check(void) {
        (void)nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 50000000 }, NULL);
}

static const char aliases[] = "# comment\nRoot: joe, ann,\n  bob\n\"two words\": |\"/bin/x y\"\n";

START_TEST(an_index_answers_what_its_source_says) {
        TableIndexResult result = build(aliases, 0);
        static const char *const types[] = { "tdb", "hash", "btree", "lmdb", "cdb", "dbm" };

        ck_assert_uint_eq(result.n_entries, 2);
        ck_assert_uint_eq(result.n_duplicates, 0);
        for (size_t i = 0; i < ARRAY_LEN(types); i++) {
                make(types[i]);
                expect("ROOT", "joe, ann,  bob");
                expect("two words", "|\"/bin/x y\"");
                expect("joe", NULL);
        }
}
END_TEST

START_TEST(the_name_of_an_index_is_made_of_its_sources_path) {
        Buf path = BUF_INIT(4096);

        ck_assert_int_eq(table_index_path("/var/lib/unitpost/tables", STR("/etc/aliases"), &path),
                         0);
        ck_assert_str_eq(buf_cstr(&path), "/var/lib/unitpost/tables/%etc%aliases.tdb");
        buf_reset(&path);
        ck_assert_int_eq(table_index_path("/d", STR("/a%b\\c/d"), &path), 0);
        ck_assert_str_eq(buf_cstr(&path), "/d/%a\\x25b\\x5cc%d.tdb");
        buf_deinit(&path);
}
END_TEST

START_TEST(the_record_about_the_index_is_no_entry) {
        build(aliases, 0);
        make("tdb");
        ck_assert_int_eq(table_lookup_wait(table, str_from("\0index", 6), &value), TABLE_NOT_FOUND);
}
END_TEST

START_TEST(two_tables_of_one_source_share_its_index) {
        Table *second = NULL;

        build(aliases, 0);
        make("tdb");
        expect("root", "joe, ann,  bob");
        second = table;
        table = NULL;
        make("hash");
        expect("root", "joe, ann,  bob");
        table_free(second);
        expect("two words", "|\"/bin/x y\"");
}
END_TEST

START_TEST(of_duplicates_the_first_counts) {
        TableIndexResult result = build("a: 1\nA: 2\na: 3\nb: 4\n", 0);

        ck_assert_uint_eq(result.n_entries, 2);
        ck_assert_uint_eq(result.n_duplicates, 2);
        make("tdb");
        expect("a", "1");
}
END_TEST

START_TEST(a_replaced_index_is_noticed_within_a_second) {
        build("a: old\n", 0);
        make("tdb");
        expect("a", "old");
        build("a: new\n", 0);
        wait_for_next_check();
        expect("a", "new");
}
END_TEST

START_TEST(a_malformed_line_keeps_the_old_index) {
        TableIndexResult result;

        build(aliases, 0);
        result = build("root: x\n\nnonsense\n", TABLE_INDEX_E_SYNTAX);
        ck_assert_uint_eq(result.error_line, 3);
        ck_assert_str_eq(result.reason, "no ':' after the name");
        make("tdb");
        expect("root", "joe, ann,  bob");
}
END_TEST

START_TEST(sources_that_cannot_be_read_keep_the_old_index) {
        TableIndexResult result;

        build(aliases, 0);
        ck_assert_int_eq(unlink(source), 0);
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(result.source_error, ENOENT);
        ck_assert_int_eq(mkfifo(source, 0644), 0); /* must not hang */
        ck_assert_int_eq(table_index_build(&job, &result), TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(build_of(tree.root, tree.root, &result), TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(result.source_error, EISDIR);
        ck_assert_int_eq(build_of(tree.root, "source", &result), TABLE_INDEX_E_SOURCE);
        make("tdb");
        expect("root", "joe, ann,  bob");
}
END_TEST

START_TEST(a_name_too_long_for_a_file_is_an_error) {
        TableIndexResult result;
        char path[512];

        memset(path, 'x', sizeof(path) - 1);
        path[0] = '/';
        path[sizeof(path) - 1] = '\0';
        ck_assert_int_eq(build_of(tree.root, path, &result), TABLE_INDEX_E_SOURCE);
        ck_assert_int_eq(result.source_error, ENAMETOOLONG);
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_an_error) {
        TableIndexResult result;

        temp_tree_write_text(&tree, "source", aliases);
        ck_assert_int_eq(build_of("/nonexistent", source, &result), -ENOENT);
}
END_TEST

START_TEST(owner_and_mode_are_those_of_the_source) {
        TableIndexResult result;
        struct stat st;
        uid_t owner;

        temp_tree_write_text(&tree, "source", aliases);
        ck_assert_int_eq(chown(source, 12345, 54321), 0);
        ck_assert_int_eq(chmod(source, 04740), 0);
        ck_assert_int_eq(table_index_build(&job, &result), 0);
        ck_assert_int_eq(stat(index_path, &st), 0);
        ck_assert_uint_eq(st.st_uid, 12345);
        ck_assert_uint_eq(st.st_gid, 54321);
        ck_assert_uint_eq(st.st_mode & 07777, 0640);
        make("tdb");
        ck_assert(!table_owner(table, &owner));
        expect("root", "joe, ann,  bob");
        ck_assert(table_owner(table, &owner) && owner == 12345);
}
END_TEST

static bool exists(const char *name) {
        char path[128];

        return access(temp_tree_path(&tree, name, path, sizeof(path)), F_OK) == 0;
}

START_TEST(old_leftovers_of_a_killed_build_are_removed) {
        const struct timespec old[2] = { { .tv_sec = time(NULL) - 7200 },
                                         { .tv_sec = time(NULL) - 7200 } };
        static const char *const names[] = { ".0123456789ABCDEF.tmp", ".tmp", "x.tmp", ".x.tdb" };
        char path[128];

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                temp_tree_write_text(&tree, names[i], "x");
                (void)temp_tree_path(&tree, names[i], path, sizeof(path));
                ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
        }
        temp_tree_write_text(&tree, ".FEDCBA9876543210.tmp", "being written");
        build(aliases, 0);
        ck_assert(!exists(".0123456789ABCDEF.tmp"));
        ck_assert(exists(".FEDCBA9876543210.tmp"));
        ck_assert(exists(".tmp") && exists("x.tmp") && exists(".x.tdb"));
}
END_TEST

START_TEST(a_missing_index_is_an_error_until_it_is_built) {
        temp_tree_write_text(&tree, "source", aliases);
        make("tdb");
        expect_error("no index; run newaliases or postmap");
        build(aliases, 0);
        wait_for_next_check();
        expect("root", "joe, ann,  bob");
        ck_assert_int_eq(table_index_remove(tree.root, source), 0);
        ck_assert_int_eq(table_index_remove(tree.root, source), 0);
        wait_for_next_check();
        expect_error("no index");
}
END_TEST

START_TEST(only_a_default_source_may_be_missing) {
        make("tdb");
        expect_error("no index");
        table_allow_missing(table);
        expect("root", NULL);
        temp_tree_write_text(&tree, "source", aliases);
        expect_error("no index");
        ck_assert_int_eq(unlink(source), 0);
        ck_assert_int_eq(mkdir(index_path, 0755), 0); /* there, and no index */
        make("tdb");
        table_allow_missing(table);
        expect_error("damaged index");
}
END_TEST

START_TEST(a_source_that_cannot_be_looked_for_is_not_missing) {
        char spec[128];

        temp_tree_write_text(&tree, "source", aliases);
        (void)snprintf(spec, sizeof(spec), "tdb:%s/below", source);
        ck_assert_int_eq(table_new(str_from_cstr(spec), &context, &table, NULL), 0);
        table_allow_missing(table);
        expect_error("no index");
}
END_TEST

START_TEST(an_index_of_another_source_is_an_error) {
        char other[192];
        Buf path = BUF_INIT(512);

        build(aliases, 0);
        (void)snprintf(other, sizeof(other), "tdb:%s/other", tree.root);
        ck_assert_int_eq(table_index_path(tree.root, str_skip(str_from_cstr(other), 4), &path), 0);
        ck_assert_int_eq(rename(index_path, buf_cstr(&path)), 0);
        ck_assert_int_eq(table_new(str_from_cstr(other), &context, &table, NULL), 0);
        expect_error("not an index of this source");
        buf_deinit(&path);
}
END_TEST

/* The system calls of a build, each made to fail once (wrapped by the linker). */
typedef enum Call {
        CALL_NONE,
        CALL_FCHMOD,
        CALL_FCHOWN,
        CALL_FSYNC,
        CALL_PWRITE,
        CALL_RENAMEAT,
        N_CALLS
} Call;

static Call failing;

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode) {
        errno = EIO;
        return failing == CALL_FCHMOD ? -1 : __real_fchmod(fd, mode);
}

int __real_fchown(int fd, uid_t owner, gid_t group);
int __wrap_fchown(int fd, uid_t owner, gid_t group);
int __wrap_fchown(int fd, uid_t owner, gid_t group) {
        errno = EIO;
        return failing == CALL_FCHOWN ? -1 : __real_fchown(fd, owner, group);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd) {
        errno = EIO;
        return failing == CALL_FSYNC ? -1 : __real_fsync(fd);
}

ssize_t __real_pwrite64(int fd, const void *data, size_t len, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *data, size_t len, off_t offset) {
        errno = EIO;
        return failing == CALL_PWRITE ? -1 : __real_pwrite64(fd, data, len, offset);
}

int __real_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to);
int __wrap_renameat(int from_fd, const char *from, int to_fd, const char *to) {
        errno = EIO;
        return failing == CALL_RENAMEAT ? -1 : __real_renameat(from_fd, from, to_fd, to);
}

static int count_files(void) {
        DIR *dir = opendir(tree.root);
        int n = 0;

        ck_assert_ptr_nonnull(dir);
        while (readdir(dir))
                n++;
        ck_assert_int_eq(closedir(dir), 0);
        return n;
}

START_TEST(a_system_call_that_fails_keeps_the_old_index) {
        build("root: old\n", 0);
        failing = (Call)_i;
        build("root: new\n", -EIO);
        failing = CALL_NONE;
        ck_assert_int_eq(count_files(), 4); /* . .. source index */
        make("tdb");
        expect("root", "old");
}
END_TEST

START_TEST(a_killed_build_leaves_the_old_index_or_the_new_one) {
        int n_new = 0;

        for (int i = 0; i < 60; i++) {
                const struct timespec pause = { .tv_nsec = 19000000 + i * 100000 };
                pid_t child;

                build("root: old\n", 0);
                child = fork();
                ck_assert_int_ge(child, 0);
                if (child == 0) {
                        build("root: new\n", 0);
                        _exit(0);
                }
                (void)nanosleep(&pause, NULL);
                ck_assert_int_eq(kill(child, SIGKILL), 0);
                ck_assert_int_eq(waitpid(child, NULL, 0), child);
                make("tdb");
                ck_assert_int_eq(look_up("root"), TABLE_FOUND);
                n_new += strcmp(buf_cstr(&value), "new") == 0;
                ck_assert(n_new > 0 || strcmp(buf_cstr(&value), "old") == 0);
        }
        (void)printf("killed 60 builds, the new index was in place in %d\n", n_new);
}
END_TEST

static Buf read_index(void) {
        Buf content = BUF_INIT(1024 * 1024);

        ck_assert_int_eq(file_read(AT_FDCWD, index_path, &content), 0);
        return content;
}

/* Put CONTENT in the index's place as a new file, and ask: an error, whatever was asked. */
static void expect_damage_is_noticed(Str content) {
        int fd;

        ck_assert_int_eq(unlink(index_path), 0);
        fd = open(index_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_all(fd, content.data, content.len), 0);
        ck_assert_int_eq(close(fd), 0);
        make("tdb");
        ck_assert_int_eq(look_up("root"), TABLE_ERROR);
        ck_assert_int_eq(look_up("nobody"), TABLE_ERROR);
}

START_TEST(an_index_cut_anywhere_is_an_error) {
        Buf content;

        build(aliases, 0);
        content = read_index();
        for (size_t len = 0; len < content.len; len += len < 256 ? 1 : 97)
                expect_damage_is_noticed(str_first(buf_str(&content), len));
        expect_damage_is_noticed(str_first(buf_str(&content), content.len - 1));
        buf_deinit(&content);
}
END_TEST

START_TEST(an_index_with_any_bit_flipped_is_an_error) {
        Buf content;

        build(aliases, 0);
        content = read_index();
        for (size_t i = 0; i < content.len; i += i < 256 || i > content.len - 64 ? 1 : 37) {
                content.data[i] = (char)(content.data[i] ^ (1 << (i % 8)));
                expect_damage_is_noticed(buf_str(&content));
                content.data[i] = (char)(content.data[i] ^ (1 << (i % 8)));
        }
        buf_deinit(&content);
}
END_TEST

/* A file whose seal is right and whose tdb is not: what tdb itself must survive. */
static void seal_anew(Str content) {
        int fd;

        ck_assert(unlink(index_path) == 0 || errno == ENOENT);
        fd = open(index_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_all(fd, content.data, content.len), 0);
        ck_assert_int_eq(table_seal_write(fd), 0);
        ck_assert_int_eq(close(fd), 0);
}

START_TEST(damage_below_a_valid_seal_never_crashes) {
        Buf content;
        Str bare;

        build(aliases, 0);
        content = read_index();
        bare = str_first(buf_str(&content), content.len - 32);
        for (size_t i = 0; i < bare.len; i += i < 1024 ? 1 : 3) {
                content.data[i] = (char)(content.data[i] ^ (char)(i % 2 ? 0xff : 0x01));
                seal_anew(bare);
                make("tdb");
                (void)look_up("root");
                (void)look_up("nobody");
                content.data[i] = (char)(content.data[i] ^ (char)(i % 2 ? 0xff : 0x01));
        }
        for (size_t len = 0; len < bare.len; len += 113) {
                seal_anew(str_first(bare, len));
                make("tdb");
                ck_assert_int_ne(look_up("root"), TABLE_FOUND);
        }
        buf_deinit(&content);
}
END_TEST

/* Whoever may write to it must not make others read for ever. */
START_TEST(an_index_that_is_too_large_is_not_even_mapped) {
        build(aliases, 0);
        ck_assert_int_eq(truncate(index_path, TABLE_INDEX_MAX_BYTES + 1), 0);
        n_mapped = 0;
        make("tdb");
        expect_error("damaged index");
        ck_assert_uint_eq(n_mapped, 0);
        build(aliases, 0);
        make("tdb");
        expect("root", "joe, ann,  bob");
        ck_assert_uint_gt(n_mapped, 0);
}
END_TEST

START_TEST(an_index_that_shrinks_under_its_reader_is_an_error) {
        build(aliases, 0);
        make("tdb");
        expect("root", "joe, ann,  bob");
        ck_assert_int_eq(truncate(index_path, 100), 0);
        ck_assert_int_eq(look_up("root"), TABLE_ERROR);
        wait_for_next_check();
        expect_error("damaged index");
}
END_TEST

START_TEST(a_hundred_thousand_aliases_are_all_found) {
        Buf text = BUF_INIT(16 * 1024 * 1024);
        TableIndexResult result;
        char key[32];

        for (int i = 0; i < 100000; i++)
                (void)buf_printf(&text, "user%d: mailbox%d\n", i, i);
        temp_tree_write(&tree, "source", buf_str(&text));
        buf_deinit(&text);
        ck_assert_int_eq(table_index_build(&job, &result), 0);
        ck_assert_uint_eq(result.n_entries, 100000);
        make("tdb");
        for (int i = 0; i < 100000; i += 99) {
                char expected[32];

                (void)snprintf(key, sizeof(key), "user%d", i);
                (void)snprintf(expected, sizeof(expected), "mailbox%d", i);
                expect(key, expected);
        }
        expect("user100000", NULL);
}
END_TEST

static TCase *make_case(void) {
        TCase *tcase = tcase_create("index");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, an_index_answers_what_its_source_says);
        tcase_add_test(tcase, the_name_of_an_index_is_made_of_its_sources_path);
        tcase_add_test(tcase, the_record_about_the_index_is_no_entry);
        tcase_add_test(tcase, two_tables_of_one_source_share_its_index);
        tcase_add_test(tcase, of_duplicates_the_first_counts);
        tcase_add_test(tcase, a_replaced_index_is_noticed_within_a_second);
        tcase_add_test(tcase, a_malformed_line_keeps_the_old_index);
        tcase_add_test(tcase, sources_that_cannot_be_read_keep_the_old_index);
        tcase_add_test(tcase, a_name_too_long_for_a_file_is_an_error);
        tcase_add_test(tcase, a_directory_that_is_not_there_is_an_error);
        tcase_add_test(tcase, owner_and_mode_are_those_of_the_source);
        tcase_add_test(tcase, old_leftovers_of_a_killed_build_are_removed);
        tcase_add_loop_test(tcase, a_system_call_that_fails_keeps_the_old_index, CALL_NONE + 1,
                            N_CALLS);
        tcase_add_test(tcase, a_killed_build_leaves_the_old_index_or_the_new_one);
        tcase_add_test(tcase, a_missing_index_is_an_error_until_it_is_built);
        tcase_add_test(tcase, only_a_default_source_may_be_missing);
        tcase_add_test(tcase, a_source_that_cannot_be_looked_for_is_not_missing);
        tcase_add_test(tcase, an_index_of_another_source_is_an_error);
        tcase_add_test(tcase, an_index_cut_anywhere_is_an_error);
        tcase_add_test(tcase, an_index_with_any_bit_flipped_is_an_error);
        tcase_add_test(tcase, damage_below_a_valid_seal_never_crashes);
        tcase_add_test(tcase, an_index_that_is_too_large_is_not_even_mapped);
        tcase_add_test(tcase, an_index_that_shrinks_under_its_reader_is_an_error);
        tcase_add_test(tcase, a_hundred_thousand_aliases_are_all_found);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("table-index");

        suite_add_tcase(suite, make_case());
        return unit_run(suite);
}
