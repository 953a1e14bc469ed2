/*
 * mailbox: what differs between a mailbox in the spool, home_mailbox, and a file that an alias
 * names: whose ids, which checks, which lock, which text, and who is told.
 */

#include <arpa/inet.h>
#include <linux/fs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "tests/unit/mailbox-world.h"
#include "tests/unit/unit.h"

static const Str content = STR("Subject: x\n\nFrom here\n");

static Dsn deliver(MailboxKind kind, const char *path) {
        MailboxTarget target = { .kind = kind, .path = path, .rights = &joe };

        return deliver_to(&target, message_new(content), content.len);
}

static void check_file_has_message(const char *path) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1 << 20);

        ck_assert_int_eq(file_read(AT_FDCWD, path, &text), 0);
        ck_assert(str_has_prefix(buf_str(&text), STR("From ann@example.org  ")));
        ck_assert(str_has_suffix(buf_str(&text), STR("\nReturn-Path: <ann@example.org>\n"
                                                     "Delivered-To: joe@example.org\n"
                                                     "Subject: x\n\n>From here\n\n")));
}

/* Whoever may write in the home: a file of the user's, with MODE. */
static void make_home_file(const char *name, uid_t owner, mode_t mode) {
        int fd = open(home_path(name), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fchown(fd, owner, owner), 0);
        ck_assert_int_eq(fchmod(fd, mode), 0);
        (void)close(fd);
}

static off_t size_of(const char *path) {
        struct stat st;

        ck_assert_int_eq(stat(path, &st), 0);
        return st.st_size;
}

/* ---- home_mailbox ---- */

START_TEST(a_home_mailbox_is_the_users_alone) {
        struct stat st;

        check_dsn(deliver(MAILBOX_HOME, home_path("mbox")), DSN_SENT, "2.0.0",
                  "delivered to mailbox");
        check_file_has_message(home_path("mbox"));
        ck_assert_int_eq(stat(home_path("mbox"), &st), 0);
        ck_assert_int_eq(st.st_uid, USER_ID);
        ck_assert_int_eq(st.st_gid, USER_ID);
        ck_assert_int_eq(st.st_mode, S_IFREG | 0600);
        ck_assert_int_ne(access(home_path("mbox.lock"), F_OK), 0);
}
END_TEST

START_TEST(a_home_mailbox_of_another_is_deferred_unless_ownership_is_not_asked) {
        make_home_file("mbox", USER_ID + 1, 0666);
        check_dsn(deliver(MAILBOX_HOME, home_path("mbox")), DSN_DEFERRED, "4.2.0",
                  "not owned by recipient");
        ck_assert_int_eq(size_of(home_path("mbox")), 0);
        mailboxes.strict_ownership = false;
        check_dsn(deliver(MAILBOX_HOME, home_path("mbox")), DSN_SENT, "2.0.0", "");
        check_file_has_message(home_path("mbox"));
}
END_TEST

START_TEST(a_home_that_is_not_there_defers) {
        check_dsn(deliver(MAILBOX_HOME, home_path("gone/mbox")), DSN_DEFERRED, "4.2.0",
                  "No such file");
        ck_assert_int_eq(chown(home, 0, 0), 0);
        check_dsn(deliver(MAILBOX_HOME, home_path("Maildir/")), DSN_DEFERRED, "4.2.0",
                  "Permission denied");
}
END_TEST

START_TEST(paths_are_made_from_the_settings) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(256);

        mailboxes.spool_directory = "/var/mail";
        mailboxes.home_mailbox = "Maildir/";
        ck_assert_int_eq(mailbox_append_spool_path(&mailboxes, "joe", &path), 0);
        ck_assert_str_eq(buf_cstr(&path), "/var/mail/joe");
        buf_reset(&path);
        mailboxes.spool_directory = "/var/mail/";
        ck_assert_int_eq(mailbox_append_spool_path(&mailboxes, "joe", &path), 0);
        ck_assert_str_eq(buf_cstr(&path), "/var/mail/joe/");
        buf_reset(&path);
        ck_assert_int_eq(mailbox_append_home_path(&mailboxes, "/home/joe", &path), 0);
        ck_assert_str_eq(buf_cstr(&path), "/home/joe/Maildir/");
}
END_TEST

/* ---- Maildir ---- */

START_TEST(a_maildir_gets_no_from_line) {
        struct stat st;

        check_dsn(deliver(MAILBOX_HOME, home_path("Maildir/")), DSN_SENT, "2.0.0",
                  "delivered to maildir");
        ck_assert_int_eq(stat(home_path("Maildir/cur"), &st), 0);
        ck_assert_int_eq(st.st_uid, USER_ID);
        ck_assert_int_eq(st.st_gid, USER_ID);
        ck_assert_uint_eq(mailboxes.copy.from_line_len, 0);
}
END_TEST

START_TEST(a_maildir_in_the_spool_is_in_its_group) {
        struct stat st;

        check_dsn(deliver(MAILBOX_SPOOL, path_of("joe/")), DSN_SENT, "2.0.0",
                  "delivered to maildir");
        ck_assert_int_eq(stat(path_of("joe/new"), &st), 0);
        ck_assert_int_eq(st.st_uid, USER_ID);
        ck_assert_int_eq(st.st_gid, MAIL_GID);
        ck_assert_int_eq(st.st_mode & 0777, 0700);
}
END_TEST

START_TEST(a_maildir_in_the_spool_that_another_has_put_there_gets_nothing) {
        ck_assert_int_eq(chmod(home, 0777), 0);
        ck_assert_int_eq(symlink(home, path_of("joe")), 0);
        check_dsn(deliver(MAILBOX_SPOOL, path_of("joe/")), DSN_BOUNCED, "5.2.0", "not a directory");
        ck_assert_int_eq(unlink(path_of("joe")), 0);
        ck_assert_int_eq(mkdir(path_of("joe"), 0700), 0);
        ck_assert_int_eq(chmod(path_of("joe"), 0777), 0);
        check_dsn(deliver(MAILBOX_SPOOL, path_of("joe/")), DSN_DEFERRED, "4.2.0",
                  "not owned by recipient");
}
END_TEST

START_TEST(a_maildir_that_is_a_file_bounces) {
        make_home_file("Maildir", USER_ID, 0600);
        check_dsn(deliver(MAILBOX_HOME, home_path("Maildir/")), DSN_BOUNCED, "5.2.0",
                  "not a directory");
}
END_TEST

START_TEST(the_size_limit_holds_for_one_message_in_a_maildir) {
        mailboxes.size_limit_bytes = 50;
        check_dsn(deliver(MAILBOX_HOME, home_path("Maildir/")), DSN_BOUNCED, "5.2.2",
                  "File too large");
        mailboxes.size_limit_bytes = 200;
        for (int i = 0; i < 5; i++)
                check_dsn(deliver(MAILBOX_HOME, home_path("Maildir/")), DSN_SENT, "2.0.0", "");
}
END_TEST

/* ---- "/file" ---- */

START_TEST(a_file_is_named_in_the_text) {
        char text[300];

        (void)snprintf(text, sizeof(text), "delivered to file: %s", home_path("archive"));
        check_dsn(deliver(MAILBOX_FILE, home_path("archive")), DSN_SENT, "2.0.0", text);
        check_file_has_message(home_path("archive"));
}
END_TEST

START_TEST(who_may_write_to_a_file_may_deliver_to_it) {
        make_home_file("archive", USER_ID + 1, 0666);
        check_dsn(deliver(MAILBOX_FILE, home_path("archive")), DSN_SENT, "2.0.0", "");
        check_file_has_message(home_path("archive"));
        make_home_file("secret", USER_ID + 1, 0644);
        check_dsn(deliver(MAILBOX_FILE, home_path("secret")), DSN_BOUNCED, "5.2.0",
                  "cannot append message to file");
        ck_assert_int_eq(size_of(home_path("secret")), 0);
}
END_TEST

START_TEST(a_file_goes_without_lock_file_where_none_can_be_made) {
        make_home_file("archive", USER_ID, 0600);
        ck_assert_int_eq(chown(home, 0, 0), 0);
        check_dsn(deliver(MAILBOX_FILE, home_path("archive")), DSN_SENT, "2.0.0", "");
        check_file_has_message(home_path("archive"));
        check_dsn(deliver(MAILBOX_HOME, home_path("archive")), DSN_DEFERRED, "4.2.0",
                  "unable to create lock file");
}
END_TEST

START_TEST(the_lock_file_of_another_program_is_respected_by_files_too) {
        make_home_file("archive.lock", USER_ID, 0600);
        check_dsn(deliver(MAILBOX_FILE, home_path("archive")), DSN_DEFERRED, "4.2.0", "locked");
}
END_TEST

START_TEST(dev_null_takes_everything) {
        check_dsn(deliver(MAILBOX_FILE, "/dev/null"), DSN_SENT, "2.0.0",
                  "delivered to file: /dev/null");
        ck_assert_int_ne(access("/dev/null.lock", F_OK), 0);
}
END_TEST

START_TEST(no_other_device_is_written_to) {
        check_dsn(deliver(MAILBOX_FILE, "/dev/zero"), DSN_BOUNCED, "5.2.0", "not a regular file");
        check_dsn(deliver(MAILBOX_FILE, "/dev/tty"), DSN_BOUNCED, "5.2.0", "not a regular file");
        check_dsn(deliver(MAILBOX_HOME, "/dev/null"), DSN_BOUNCED, "5.2.0", "not a regular file");
        if (mknod(home_path("null"), S_IFCHR | 0666, makedev(1, 3)) != 0)
                return; /* a container without CAP_MKNOD */
        check_dsn(deliver(MAILBOX_FILE, home_path("null")), DSN_BOUNCED, "5.2.0",
                  "not a regular file");
}
END_TEST

START_TEST(a_program_gets_no_mail) {
        make_home_file("program", USER_ID, 0755);
        check_dsn(deliver(MAILBOX_FILE, home_path("program")), DSN_BOUNCED, "5.7.1", "executable");
        ck_assert_int_eq(size_of(home_path("program")), 0);
}
END_TEST

static void make_link(const char *path) {
        ck_assert_int_eq(symlink("/etc/passwd", path), 0);
}

static void make_fifo(const char *path) {
        ck_assert_int_eq(mkfifo(path, 0666), 0);
        ck_assert_int_eq(chmod(path, 0666), 0);
}

static void make_directory(const char *path) {
        ck_assert_int_eq(mkdir(path, 0777), 0);
}

static void make_hard_link(const char *path) {
        make_home_file("target", USER_ID, 0600);
        ck_assert_int_eq(linkat(AT_FDCWD, home_path("target"), AT_FDCWD, path, 0), 0);
}

static const struct {
        void (*make)(const char *path);
        const char *text;
} odd[] = {
        { make_link, "symbolic link" },
        { make_fifo, "not a regular file" },
        { make_directory, "not a regular file" },
        { make_hard_link, "more than one name" },
};

START_TEST(a_file_that_is_something_else_bounces) {
        char path[256];

        (void)snprintf(path, sizeof(path), "%s/odd", home);
        odd[_i].make(path);
        check_dsn(deliver(MAILBOX_FILE, path), DSN_BOUNCED, "5.2.0", odd[_i].text);
        check_dsn(deliver(MAILBOX_HOME, path), DSN_BOUNCED, "5.2.0", odd[_i].text);
}
END_TEST

START_TEST(an_immutable_file_defers) {
        int fd, flags = FS_IMMUTABLE_FL, none = 0;

        make_home_file("mbox", USER_ID, 0600);
        fd = open(home_path("mbox"), O_RDONLY | O_CLOEXEC);
        if (ioctl(fd, FS_IOC_SETFLAGS, &flags) != 0) {
                (void)close(fd);
                return; /* a file system without the flag */
        }
        check_dsn(deliver(MAILBOX_HOME, home_path("mbox")), DSN_DEFERRED, "4.2.0",
                  "Operation not permitted");
        check_dsn(deliver(MAILBOX_FILE, home_path("mbox")), DSN_DEFERRED, "4.2.0",
                  "Operation not permitted");
        ck_assert_int_eq(ioctl(fd, FS_IOC_SETFLAGS, &none), 0);
        (void)close(fd);
}
END_TEST

START_TEST(a_read_only_file_system_defers) {
        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        make_home_file("mbox", USER_ID, 0600);
        ck_assert_int_eq(mount(home, home, NULL, MS_BIND, NULL), 0);
        ck_assert_int_eq(mount(NULL, home, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
        check_dsn(deliver(MAILBOX_HOME, home_path("mbox")), DSN_DEFERRED, "4.2.0", "Read-only");
        check_dsn(deliver(MAILBOX_HOME, home_path("Maildir/")), DSN_DEFERRED, "4.2.0", "Read-only");
        ck_assert_int_eq(umount(home), 0);
}
END_TEST

START_TEST(delivered_to_is_left_out_where_it_is_not_asked_for) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1 << 20);

        mailboxes.delivered_to_kinds = COPY_KIND_COMMAND | COPY_KIND_FORWARD;
        check_dsn(deliver(MAILBOX_HOME, home_path("mbox")), DSN_SENT, "2.0.0", "");
        ck_assert_int_eq(file_read(AT_FDCWD, home_path("mbox"), &text), 0);
        ck_assert(str_has_suffix(buf_str(&text), STR("\nReturn-Path: <ann@example.org>\n"
                                                     "Subject: x\n\n>From here\n\n")));
}
END_TEST

/* ---- biff ---- */

static void bring_loopback_up(void) {
        struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
        int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
        (void)close(fd);
}

/* comsat's port, in a network of our own. */
static int listen_as_comsat(void) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_port = htons(512),
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd;

        ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
        bring_loopback_up();
        fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

static void check_datagram(int fd, const char *expected) {
        char text[100] = "";
        ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

        ck_assert_int_eq(n, (ssize_t)strlen(expected));
        ck_assert_str_eq(text, expected);
}

START_TEST(comsat_is_told_of_mail_in_the_spool_only) {
        char byte, text[100];
        int fd = listen_as_comsat();

        mailboxes.biff.enabled = true;
        check_dsn(deliver(MAILBOX_SPOOL, path_of("joe")), DSN_SENT, "2.0.0", "");
        check_datagram(fd, "joe@0");
        (void)snprintf(text, sizeof(text), "joe@%lld", (long long)size_of(path_of("joe")));
        check_dsn(deliver(MAILBOX_SPOOL, path_of("joe")), DSN_SENT, "2.0.0", "");
        check_datagram(fd, text);
        (void)deliver(MAILBOX_HOME, home_path("mbox"));
        (void)deliver(MAILBOX_FILE, home_path("file"));
        (void)deliver(MAILBOX_SPOOL, path_of("new/"));
        mailboxes.size_limit_bytes = 1;
        check_dsn(deliver(MAILBOX_SPOOL, path_of("joe")), DSN_BOUNCED, "5.2.2", "");
        mailboxes.size_limit_bytes = 0;
        mailboxes.biff.enabled = false;
        (void)deliver(MAILBOX_SPOOL, path_of("joe"));
        ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
        (void)close(fd);
}
END_TEST

START_TEST(nobody_who_listens_changes_nothing) {
        int fd = listen_as_comsat();

        (void)close(fd);
        mailboxes.biff.enabled = true;
        for (int i = 0; i < 3; i++)
                check_dsn(deliver(MAILBOX_SPOOL, path_of("joe")), DSN_SENT, "2.0.0", "");
}
END_TEST

static TCase *file_case(void) {
        TCase *tcase = tcase_create("file");

        tcase_add_checked_fixture(tcase, world_setup, world_teardown);
        tcase_add_test(tcase, a_file_is_named_in_the_text);
        tcase_add_test(tcase, who_may_write_to_a_file_may_deliver_to_it);
        tcase_add_test(tcase, a_file_goes_without_lock_file_where_none_can_be_made);
        tcase_add_test(tcase, the_lock_file_of_another_program_is_respected_by_files_too);
        tcase_add_test(tcase, dev_null_takes_everything);
        tcase_add_test(tcase, no_other_device_is_written_to);
        tcase_add_test(tcase, a_program_gets_no_mail);
        tcase_add_loop_test(tcase, a_file_that_is_something_else_bounces, 0, ARRAY_LEN(odd));
        tcase_add_test(tcase, an_immutable_file_defers);
        tcase_add_test(tcase, a_read_only_file_system_defers);
        tcase_add_test(tcase, delivered_to_is_left_out_where_it_is_not_asked_for);
        return tcase;
}

static TCase *home_case(void) {
        TCase *tcase = tcase_create("home");

        tcase_add_checked_fixture(tcase, world_setup, world_teardown);
        tcase_add_test(tcase, a_home_mailbox_is_the_users_alone);
        tcase_add_test(tcase, a_home_mailbox_of_another_is_deferred_unless_ownership_is_not_asked);
        tcase_add_test(tcase, a_home_that_is_not_there_defers);
        tcase_add_test(tcase, paths_are_made_from_the_settings);
        tcase_add_test(tcase, a_maildir_gets_no_from_line);
        tcase_add_test(tcase, a_maildir_in_the_spool_is_in_its_group);
        tcase_add_test(tcase, a_maildir_in_the_spool_that_another_has_put_there_gets_nothing);
        tcase_add_test(tcase, a_maildir_that_is_a_file_bounces);
        tcase_add_test(tcase, the_size_limit_holds_for_one_message_in_a_maildir);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("mailbox-kinds");
        TCase *biff = tcase_create("biff");

        tcase_add_checked_fixture(biff, world_setup, world_teardown);
        tcase_add_test(biff, comsat_is_told_of_mail_in_the_spool_only);
        tcase_add_test(biff, nobody_who_listens_changes_nothing);
        suite_add_tcase(suite, home_case());
        suite_add_tcase(suite, file_case());
        suite_add_tcase(suite, biff);
        return unit_run(suite);
}
