/* Whole-file reads and writes: every byte or a reason, and nothing that can hang a reader. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "tests/unit/unit.h"

static char dir_path[] = "/tmp/unitpost-test-file-XXXXXX";
static int dir_fd = -1;

static void setup(void) {
        memcpy(dir_path + sizeof(dir_path) - 7, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(dir_path));
        dir_fd = file_open_dir(AT_FDCWD, dir_path);
        ck_assert_int_ge(dir_fd, 0);
}

static void teardown(void) {
        const char *names[] = { "plain", "link", "fifo" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                (void)unlinkat(dir_fd, names[i], 0);
        (void)unlinkat(dir_fd, "sub", AT_REMOVEDIR);
        fd_closep(&dir_fd);
        ck_assert_int_eq(rmdir(dir_path), 0);
}

static int plain_open(int flags) {
        int fd = openat(dir_fd, "plain", flags | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        return fd;
}

static void plain_make(const char *content, size_t len) {
        _cleanup_(fd_closep) int fd = plain_open(O_CREAT | O_TRUNC | O_WRONLY);

        ck_assert_int_eq(file_write_all(fd, content, len), 0);
}

START_TEST(what_is_written_is_read_back_nul_included) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(100);

        plain_make("ab\0cd", 5);
        ck_assert_int_eq(buf_append_char(&buf, '>'), 0);
        ck_assert_int_eq(file_read(dir_fd, "plain", &buf), 0);
        ck_assert(str_equal(buf_str(&buf), STR(">ab\0cd")));
}
END_TEST

START_TEST(a_file_of_exactly_the_bound_fits_and_one_byte_more_does_not) {
        _cleanup_(buf_deinit) Buf fits = BUF_INIT(5), small = BUF_INIT(4);

        plain_make("abcde", 5);
        ck_assert_int_eq(file_read(dir_fd, "plain", &fits), 0);
        ck_assert(str_equal(buf_str(&fits), STR("abcde")));
        ck_assert_int_eq(file_read(dir_fd, "plain", &small), FILE_E_TOO_BIG);
        ck_assert_uint_eq(small.len, 0);
}
END_TEST

START_TEST(an_empty_file_is_no_error) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(0);

        plain_make("", 0);
        ck_assert_int_eq(file_read(dir_fd, "plain", &buf), 0);
        ck_assert_uint_eq(buf.len, 0);
}
END_TEST

START_TEST(a_file_without_a_size_is_read_to_its_end) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(1024 * 1024);

        ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/status", &buf), 0);
        ck_assert(str_has_prefix(buf_str(&buf), STR("Name:")));
}
END_TEST

START_TEST(a_large_file_is_read_whole) {
        enum {
                SIZE = 1000003
        };
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(2 * SIZE);
        _cleanup_(freep) char *content = malloc(SIZE);

        ck_assert_ptr_nonnull(content);
        for (size_t i = 0; i < SIZE; i++)
                content[i] = (char)(i * 7);
        plain_make(content, SIZE);
        ck_assert_int_eq(file_read(dir_fd, "plain", &buf), 0);
        ck_assert_uint_eq(buf.len, SIZE);
        ck_assert_int_eq(memcmp(buf.data, content, SIZE), 0);
}
END_TEST

START_TEST(a_missing_file_is_enoent) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(10);

        ck_assert_int_eq(file_read(dir_fd, "plain", &buf), -ENOENT);
}
END_TEST

START_TEST(a_fifo_is_refused_and_does_not_hang) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(10);

        ck_assert_int_eq(mkfifoat(dir_fd, "fifo", 0600), 0);
        (void)alarm(5);
        ck_assert_int_eq(file_read(dir_fd, "fifo", &buf), FILE_E_NOT_REGULAR);
        (void)alarm(0);
}
END_TEST

START_TEST(directories_and_devices_are_refused) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(10);

        ck_assert_int_eq(file_read(AT_FDCWD, dir_path, &buf), FILE_E_NOT_REGULAR);
        ck_assert_int_eq(file_read(AT_FDCWD, "/dev/zero", &buf), FILE_E_NOT_REGULAR);
}
END_TEST

START_TEST(a_symbolic_link_is_followed_by_read_but_not_as_a_directory) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(10);

        plain_make("x", 1);
        ck_assert_int_eq(symlinkat("plain", dir_fd, "link"), 0);
        ck_assert_int_eq(file_read(dir_fd, "link", &buf), 0);
        ck_assert_int_eq(unlinkat(dir_fd, "link", 0), 0);
        ck_assert_int_eq(mkdirat(dir_fd, "sub", 0700), 0);
        ck_assert_int_eq(symlinkat("sub", dir_fd, "link"), 0);
        ck_assert_int_eq(file_open_dir(dir_fd, "link"), -ENOTDIR);
}
END_TEST

START_TEST(pread_stops_short_at_the_end_and_leaves_the_offset) {
        _cleanup_(fd_closep) int fd = -1;
        char room[4];

        plain_make("abcdef", 6);
        fd = plain_open(O_RDONLY);
        ck_assert_int_eq(file_pread_all(fd, room, 4, 2), 0);
        ck_assert_int_eq(memcmp(room, "cdef", 4), 0);
        ck_assert_int_eq(file_pread_all(fd, room, 4, 3), FILE_E_SHORT);
        ck_assert_int_eq(file_pread_all(fd, room, 0, 99), 0);
        ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
}
END_TEST

START_TEST(pwrite_replaces_bytes_in_the_middle) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(10);
        _cleanup_(fd_closep) int fd = -1;

        plain_make("abcdef", 6);
        fd = plain_open(O_WRONLY);
        ck_assert_int_eq(file_pwrite_all(fd, "XY", 2, 2), 0);
        ck_assert_int_eq(file_read(dir_fd, "plain", &buf), 0);
        ck_assert(str_equal(buf_str(&buf), STR("abXYef")));
}
END_TEST

START_TEST(errors_of_the_kernel_come_up_as_they_are) {
        char byte = 0;

        ck_assert_int_eq(file_write_all(-1, "x", 1), -EBADF);
        ck_assert_int_eq(file_pwrite_all(-1, "x", 1, 0), -EBADF);
        ck_assert_int_eq(file_pread_all(-1, &byte, 1, 0), -EBADF);
        ck_assert_int_eq(file_open_dir(dir_fd, "missing"), -ENOENT);
}
END_TEST

START_TEST(a_write_cut_short_by_a_limit_ends_in_that_limits_error) {
        struct rlimit limit = { .rlim_cur = 3, .rlim_max = RLIM_INFINITY };
        _cleanup_(fd_closep) int fd = plain_open(O_CREAT | O_WRONLY);
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(10);

        (void)signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ck_assert_int_eq(file_write_all(fd, "abcdef", 6), -EFBIG);
        ck_assert_int_eq(file_pwrite_all(fd, "abcdef", 6, 0), -EFBIG);
        ck_assert_int_eq(file_read(dir_fd, "plain", &buf), 0);
        ck_assert(str_equal(buf_str(&buf), STR("abc")));
}
END_TEST

START_TEST(a_directory_is_closed_on_exec) {
        ck_assert_int_eq(fcntl(dir_fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}
END_TEST

/* Which directory was synced cannot be seen, but one that is not there is. */
START_TEST(a_parent_is_what_stands_before_the_last_slash) {
        static char longest[PATH_MAX + 10];
        char path[100];

        (void)snprintf(path, sizeof(path), "%s/no-such-file", dir_path);
        ck_assert_int_eq(file_sync_parent(path), 0);
        (void)snprintf(path, sizeof(path), "%s/no-such-directory/x", dir_path);
        ck_assert_int_eq(file_sync_parent(path), -ENOENT);
        plain_make("", 0);
        (void)snprintf(path, sizeof(path), "%s/plain/x", dir_path);
        ck_assert_int_eq(file_sync_parent(path), -ENOTDIR);
        ck_assert_int_eq(file_sync_parent("/x"), 0);
        memset(longest, '/', sizeof(longest) - 1);
        ck_assert_int_eq(file_sync_parent(longest), -ENAMETOOLONG);
}
END_TEST

START_TEST(a_nameless_file_gets_a_name_that_is_free) {
        _cleanup_(fd_closep) int fd = file_open_nameless(dir_fd, ".", O_WRONLY, 0640);
        struct stat st;

        if (fd == -EOPNOTSUPP)
                return; /* a file system without */
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        ck_assert_int_eq(file_link_nameless(fd, dir_fd, "plain"), 0);
        ck_assert_int_eq(fstatat(dir_fd, "plain", &st, AT_SYMLINK_NOFOLLOW), 0);
        ck_assert_int_eq(st.st_nlink, 1);
        ck_assert_int_eq(file_link_nameless(fd, dir_fd, "plain"), -EEXIST);
        ck_assert_int_eq(file_open_nameless(dir_fd, "no-such-directory", O_WRONLY, 0640), -ENOENT);
}
END_TEST

static Suite *suite_make(void) {
        Suite *suite = suite_create("file");
        TCase *tcase = tcase_create("file");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, what_is_written_is_read_back_nul_included);
        tcase_add_test(tcase, a_file_of_exactly_the_bound_fits_and_one_byte_more_does_not);
        tcase_add_test(tcase, an_empty_file_is_no_error);
        tcase_add_test(tcase, a_file_without_a_size_is_read_to_its_end);
        tcase_add_test(tcase, a_large_file_is_read_whole);
        tcase_add_test(tcase, a_missing_file_is_enoent);
        tcase_add_test(tcase, a_fifo_is_refused_and_does_not_hang);
        tcase_add_test(tcase, directories_and_devices_are_refused);
        tcase_add_test(tcase, a_symbolic_link_is_followed_by_read_but_not_as_a_directory);
        tcase_add_test(tcase, pread_stops_short_at_the_end_and_leaves_the_offset);
        tcase_add_test(tcase, pwrite_replaces_bytes_in_the_middle);
        tcase_add_test(tcase, errors_of_the_kernel_come_up_as_they_are);
        tcase_add_test(tcase, a_write_cut_short_by_a_limit_ends_in_that_limits_error);
        tcase_add_test(tcase, a_directory_is_closed_on_exec);
        tcase_add_test(tcase, a_parent_is_what_stands_before_the_last_slash);
        tcase_add_test(tcase, a_nameless_file_gets_a_name_that_is_free);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_run(suite_make());
}
