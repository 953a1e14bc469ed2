/*
 * Maildir: a message is in new/ whole or not at all, under a name that no other has, and no
 * directory that somebody else has put there gets the mail.
 */

#include <dirent.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "services/local/identity.h"
#include "services/local/maildir.h"
#include "tests/unit/no-tmpfile.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

#define USER_ID 54321

/* The descriptor whose fsync fails counts from 0: the message, then new/. */
static int fsync_fails_at = -1;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd) {
        if (fsync_fails_at-- != 0)
                return __real_fsync(fd);
        errno = EIO;
        return -1;
}

static rlim_t file_size_limit = RLIM_INFINITY; /* for the delivery only */

static TempTree tree;
static Copy copy;
static MaildirRules rules;

static void setup(void) {
        temp_tree_make(&tree);
        ck_assert_int_eq(chown(tree.root, USER_ID, USER_ID), 0);
        ck_assert_int_eq(identity_init(), 0);
        rules = (MaildirRules){
                .hostname = "mx.example.org",
                .check_owner = true,
                .owner = USER_ID,
                .follow_link = true,
        };
}

static void teardown(void) {
        copy_deinit(&copy);
        temp_tree_remove(&tree);
}

static const char *path_of(const char *name) {
        static char path[256];

        return temp_tree_path(&tree, name, path, sizeof(path));
}

/* As USER_ID, into NAME below the tree. CONTENT_SIZE may be more than there is. */
static int deliver_size(const char *name, Str content, size_t content_size) {
        CopyEnvelope envelope = { .sender = STR("a@b"),
                                  .delivered = STR("joe@c"),
                                  .flags = COPY_DELIVERED_TO };
        Delivery delivery = { .request = { .content_size = content_size } };
        struct rlimit limit = { .rlim_cur = file_size_limit, .rlim_max = RLIM_INFINITY };
        int r;

        delivery.message_fd = memfd_create("message", MFD_CLOEXEC);
        ck_assert_int_eq(file_pwrite_all(delivery.message_fd, content.data, content.len, 0), 0);
        ck_assert_int_eq(copy_begin(&copy, &delivery, &envelope), 0);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ck_assert_int_eq(identity_become(USER_ID, USER_ID), 0);
        r = maildir_deliver(&rules, path_of(name), &copy);
        identity_restore();
        (void)close(delivery.message_fd);
        return r;
}

static int deliver(const char *name, Str content) {
        return deliver_size(name, content, content.len);
}

/* How many files DIRECTORY has; the name of one of them. */
static int count_files(const char *directory, char *ret_name, size_t size) {
        DIR *dir = opendir(path_of(directory));
        struct dirent *entry;
        int n = 0;

        ck_assert_ptr_nonnull(dir);
        while ((entry = readdir(dir)))
                if (entry->d_name[0] != '.') {
                        (void)snprintf(ret_name, size, "%s/%s", directory, entry->d_name);
                        n++;
                }
        (void)closedir(dir);
        return n;
}

static void check_counts(const char *maildir, int n_new, int n_tmp) {
        char directory[64], name[512];

        (void)snprintf(directory, sizeof(directory), "%s/new", maildir);
        ck_assert_int_eq(count_files(directory, name, sizeof(name)), n_new);
        (void)snprintf(directory, sizeof(directory), "%s/tmp", maildir);
        ck_assert_int_eq(count_files(directory, name, sizeof(name)), n_tmp);
}

/* The one message in new/ is what it should be, its owner's, and private. */
static void check_message(const char *maildir, Str content) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1 << 20), expected = BUF_INIT(1 << 20);
        char directory[64], name[512] = "";
        struct stat st;

        (void)snprintf(directory, sizeof(directory), "%s/new", maildir);
        ck_assert_int_eq(count_files(directory, name, sizeof(name)), 1);
        ck_assert_int_eq(file_read(AT_FDCWD, path_of(name), &text), 0);
        (void)buf_append_cstr(&expected, "Return-Path: <a@b>\nDelivered-To: joe@c\n");
        (void)buf_append_str(&expected, content);
        ck_assert(str_equal(buf_str(&text), buf_str(&expected)));
        ck_assert_int_eq(stat(path_of(name), &st), 0);
        ck_assert_int_eq(st.st_uid, USER_ID);
        ck_assert_int_eq(st.st_mode, S_IFREG | 0600);
        ck_assert_int_eq(st.st_nlink, 1);
}

static void check_directory(const char *name) {
        struct stat st;

        ck_assert_int_eq(stat(path_of(name), &st), 0);
        ck_assert_int_eq(st.st_mode, S_IFDIR | 0700);
        ck_assert_int_eq(st.st_uid, USER_ID);
}

START_TEST(a_message_arrives_as_it_is) {
        no_tmpfile = _i == 1;
        ck_assert_int_eq(deliver("Maildir/", STR("Subject: x\n\nFrom here\nno end")), 0);
        check_message("Maildir", STR("Subject: x\n\nFrom here\nno end"));
        check_counts("Maildir", 1, 0);
}
END_TEST

START_TEST(content_larger_than_every_buffer_arrives_whole) {
        static char big[300000];

        memset(big, 'x', sizeof(big));
        ck_assert_int_eq(deliver("Maildir", str_from(big, sizeof(big))), 0);
        check_message("Maildir", str_from(big, sizeof(big)));
}
END_TEST

START_TEST(what_is_missing_of_the_directories_is_made) {
        ck_assert_int_eq(deliver("a/b/Maildir/", STR("x\n")), 0);
        check_directory("a");
        check_directory("a/b");
        check_directory("a/b/Maildir");
        check_directory("a/b/Maildir/tmp");
        check_directory("a/b/Maildir/new");
        check_directory("a/b/Maildir/cur");
        ck_assert_int_eq(rmdir(path_of("a/b/Maildir/cur")), 0);
        ck_assert_int_eq(deliver("a/b/Maildir/", STR("x\n")), 0);
        check_directory("a/b/Maildir/cur");
        check_counts("a/b/Maildir", 2, 0);
}
END_TEST

START_TEST(names_are_postfixs_and_never_the_same) {
        char name[512], expected[512];
        unsigned long seconds, usec;
        char *end, *micro;
        struct stat st;

        rules.hostname = "a/b:c";
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
        ck_assert_int_eq(count_files("Maildir/new", name, sizeof(name)), 1);
        ck_assert_int_eq(stat(path_of(name), &st), 0);
        seconds = strtoul(name + strlen("Maildir/new/"), &end, 10);
        micro = strstr(end, "M");
        ck_assert_ptr_nonnull(micro);
        usec = strtoul(micro + 1, NULL, 10);
        ck_assert_uint_lt(usec, USEC_PER_SEC);
        ck_assert_uint_lt(clock_realtime_usec() / USEC_PER_SEC - seconds, 60);
        (void)snprintf(expected, sizeof(expected), "Maildir/new/%lu.V%lxI%lxM%lu.a\\057b\\072c",
                       seconds, (unsigned long)st.st_dev, (unsigned long)st.st_ino, usec);
        ck_assert_str_eq(name, expected);
        for (int i = 0; i < 100; i++)
                ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
        check_counts("Maildir", 101, 0);
}
END_TEST

START_TEST(parallel_deliveries_are_all_there) {
        for (int i = 0; i < 8; i++)
                if (fork() == 0) {
                        for (int j = 0; j < 20; j++)
                                if (deliver("Maildir", STR("x\n")) != 0)
                                        _exit(1);
                        _exit(0);
                }
        for (int i = 0; i < 8; i++) {
                int status;

                ck_assert_int_gt(wait(&status), 0);
                ck_assert_int_eq(status, 0);
        }
        check_counts("Maildir", 160, 0);
}
END_TEST

/* ---- failures: nothing in new/, nothing in tmp/ ---- */

static void check_fails(int error, Str content, size_t content_size) {
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
        ck_assert_int_eq(deliver_size("Maildir", content, content_size), error);
        check_counts("Maildir", 1, 0);
}

START_TEST(a_queue_file_that_ends_early_leaves_nothing) {
        no_tmpfile = _i == 1;
        check_fails(COPY_E_SOURCE, STR("x\n"), 3);
}
END_TEST

START_TEST(a_message_above_the_limit_is_not_written) {
        rules.size_limit_bytes = 100;
        check_fails(-EFBIG, STR("0123456789012345678901234567890123456789012345678901234567890\n"),
                    62);
        ck_assert_int_eq(deliver("Maildir", STR("01234567890123456789\n")), 0);
}
END_TEST

START_TEST(a_write_that_fails_leaves_nothing) {
        static char big[100000];

        no_tmpfile = _i == 1;
        (void)signal(SIGXFSZ, SIG_IGN);
        memset(big, 'x', sizeof(big));
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
        file_size_limit = 70000;
        ck_assert_int_eq(deliver("Maildir", str_from(big, sizeof(big))), -EFBIG);
        check_counts("Maildir", 1, 0);
}
END_TEST

START_TEST(a_sync_that_fails_leaves_nothing) {
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
        for (int i = 0; i < 2; i++) {
                no_tmpfile = _i == 1;
                fsync_fails_at = i;
                ck_assert_int_eq(deliver("Maildir", STR("x\n")), -EIO);
                check_counts("Maildir", 1, 0);
        }
        fsync_fails_at = 2;
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
}
END_TEST

START_TEST(a_home_that_is_not_there_is_not_made) {
        ck_assert_int_eq(chown(tree.root, 0, 0), 0);
        ck_assert_int_eq(chmod(tree.root, 0755), 0);
        ck_assert_int_eq(deliver("joe/Maildir/", STR("x\n")), -EACCES);
        ck_assert_int_ne(access(path_of("joe"), F_OK), 0);
}
END_TEST

/* ---- where another may write (XL1) ---- */

START_TEST(a_directory_of_another_gets_no_mail) {
        static const char *const parts[] = { "Maildir", "Maildir/new", "Maildir/tmp" };

        no_tmpfile = true; /* only then is tmp/ written to */
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
        ck_assert_int_eq(chmod(path_of(parts[_i]), 0777), 0);
        ck_assert_int_eq(chown(path_of(parts[_i]), USER_ID + 1, USER_ID + 1), 0);
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), MAILDIR_E_OWNER);
        check_counts("Maildir", 1, 0);
        rules.check_owner = false;
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
}
END_TEST

static void move(const char *from, const char *to) {
        char from_path[256];

        (void)temp_tree_path(&tree, from, from_path, sizeof(from_path));
        ck_assert_int_eq(rename(from_path, path_of(to)), 0);
}

START_TEST(new_and_tmp_are_no_links) {
        static const char *const parts[] = { "Maildir/new", "Maildir/tmp" };

        no_tmpfile = true;
        ck_assert_int_eq(deliver("elsewhere", STR("x\n")), 0);
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), 0);
        move(parts[_i], "moved");
        ck_assert_int_eq(symlink("../elsewhere/new", path_of(parts[_i])), 0);
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), MAILDIR_E_NOT_DIRECTORY);
        check_counts("elsewhere", 1, 0);
}
END_TEST

START_TEST(a_link_to_a_maildir_is_followed_only_where_the_user_made_it) {
        ck_assert_int_eq(deliver("elsewhere", STR("x\n")), 0);
        ck_assert_int_eq(symlink("elsewhere", path_of("Maildir")), 0);
        ck_assert_int_eq(deliver("Maildir/", STR("x\n")), 0);
        check_counts("elsewhere", 2, 0);
        rules.follow_link = false;
        ck_assert_int_eq(deliver("Maildir/", STR("x\n")), MAILDIR_E_NOT_DIRECTORY);
        ck_assert_int_eq(deliver("Maildir", STR("x\n")), MAILDIR_E_NOT_DIRECTORY);
        check_counts("elsewhere", 2, 0);
}
END_TEST

START_TEST(what_is_no_directory_is_refused) {
        temp_tree_write_text(&tree, "Maildir", "a file");
        ck_assert_int_eq(deliver("Maildir/", STR("x\n")), MAILDIR_E_NOT_DIRECTORY);
        ck_assert_int_eq(unlink(path_of("Maildir")), 0);
        ck_assert_int_eq(mkfifo(path_of("Maildir"), 0666), 0);
        ck_assert_int_eq(deliver("Maildir/", STR("x\n")), MAILDIR_E_NOT_DIRECTORY);
        ck_assert_int_eq(deliver("Maildir/below/", STR("x\n")), -ENOTDIR);
}
END_TEST

static TCase *failure_case(void) {
        TCase *tcase = tcase_create("failure");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_queue_file_that_ends_early_leaves_nothing, 0, 2);
        tcase_add_test(tcase, a_message_above_the_limit_is_not_written);
        tcase_add_loop_test(tcase, a_write_that_fails_leaves_nothing, 0, 2);
        tcase_add_loop_test(tcase, a_sync_that_fails_leaves_nothing, 0, 2);
        tcase_add_test(tcase, a_home_that_is_not_there_is_not_made);
        return tcase;
}

static TCase *attack_case(void) {
        TCase *tcase = tcase_create("XL1");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, a_directory_of_another_gets_no_mail, 0, 3);
        tcase_add_loop_test(tcase, new_and_tmp_are_no_links, 0, 2);
        tcase_add_test(tcase, a_link_to_a_maildir_is_followed_only_where_the_user_made_it);
        tcase_add_test(tcase, what_is_no_directory_is_refused);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("maildir");
        TCase *delivery = tcase_create("delivery");

        tcase_add_checked_fixture(delivery, setup, teardown);
        tcase_add_loop_test(delivery, a_message_arrives_as_it_is, 0, 2);
        tcase_add_test(delivery, content_larger_than_every_buffer_arrives_whole);
        tcase_add_test(delivery, what_is_missing_of_the_directories_is_made);
        tcase_add_test(delivery, names_are_postfixs_and_never_the_same);
        tcase_add_test(delivery, parallel_deliveries_are_all_there);
        suite_add_tcase(suite, delivery);
        suite_add_tcase(suite, failure_case());
        suite_add_tcase(suite, attack_case());
        return unit_run(suite);
}
