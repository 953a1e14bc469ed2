/*
 * Delivery into a mailbox as root, with files as an attacker would leave them (XL1, XL9): what is
 * not a plain file of the recipient's own is never written through, and what fails half-way leaves
 * the mailbox as it was.
 */

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tests/unit/mailbox-world.h"
#include "tests/unit/unit.h"

static bool unlink_fails, ftruncate_fails, quota_is_over;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_unlink(const char *path);
int __wrap_unlink(const char *path);
int __real_ftruncate64(int fd, off_t size);
int __wrap_ftruncate64(int fd, off_t size);

int __wrap_fdatasync(int fd) {
        errno = EDQUOT;
        return quota_is_over ? -1 : __real_fdatasync(fd);
}

int __wrap_unlink(const char *path) {
        errno = EIO;
        return unlink_fails ? -1 : __real_unlink(path);
}

int __wrap_ftruncate64(int fd, off_t size) {
        errno = EIO;
        return ftruncate_fails ? -1 : __real_ftruncate64(fd, size);
}

static Dsn deliver_as(const LocalRights *user, Str content, size_t content_size) {
        return deliver_fd(user, message_new(content), content_size);
}

static Dsn deliver(Str content) {
        return deliver_as(&joe, content, content.len);
}

static void check_delivered(Dsn dsn) {
        check_dsn(dsn, DSN_SENT, "2.0.0", "delivered to mailbox");
        ck_assert_int_ne(access(path_of("joe.lock"), F_OK), 0);
}

START_TEST(a_new_mailbox_is_the_users_and_private) {
        struct stat st;

        check_delivered(deliver(STR("Subject: x\n\nbody\n")));
        ck_assert_int_eq(stat(path_of("joe"), &st), 0);
        ck_assert_int_eq(st.st_uid, USER_ID);
        ck_assert_int_eq(st.st_gid, MAIL_GID);
        ck_assert_int_eq(st.st_mode, S_IFREG | 0600);
}
END_TEST

START_TEST(roots_mailbox_is_roots) {
        LocalRights root = { .name = "root" };
        struct stat st;

        check_dsn(deliver_as(&root, STR("x\n"), 2), DSN_SENT, "2.0.0", "");
        ck_assert_int_eq(stat(path_of("root"), &st), 0);
        ck_assert_int_eq(st.st_uid, 0);
        ck_assert_int_eq(st.st_gid, MAIL_GID);
}
END_TEST

START_TEST(in_a_spool_open_to_all_the_group_is_the_users) {
        struct stat st;

        ck_assert_int_eq(chmod(spool, 01777), 0);
        check_delivered(deliver(STR("x\n")));
        ck_assert_int_eq(stat(path_of("joe"), &st), 0);
        ck_assert_int_eq(st.st_gid, USER_ID);
}
END_TEST

START_TEST(a_message_is_appended_whole_with_its_header_lines) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(1 << 20);
        Str text;

        make_file("joe", "From old\n\n", USER_ID, 0600);
        check_delivered(deliver(STR("Subject: x\n\nFrom here")));
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &buf), 0);
        text = buf_str(&buf);
        ck_assert(str_has_prefix(text, STR("From old\n\nFrom ann@example.org  ")));
        ck_assert(str_has_suffix(text, STR("\nReturn-Path: <ann@example.org>\n"
                                           "Delivered-To: joe@example.org\n"
                                           "Subject: x\n\n>From here\n\n")));
}
END_TEST

START_TEST(content_larger_than_every_buffer_arrives_whole) {
        _cleanup_(buf_deinit) Buf content = BUF_INIT(1 << 20), buf = BUF_INIT(1 << 20);

        for (unsigned i = 0; i < 20000; i++)
                ck_assert_int_eq(buf_printf(&content, "line %u\n", i), 0);
        check_delivered(deliver(buf_str(&content)));
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &buf), 0);
        ck_assert_int_eq(buf_append_char(&content, '\n'), 0);
        ck_assert(str_has_suffix(buf_str(&buf), buf_str(&content)));
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed) {
        make_file("other", "secret", 0, 0666);
        ck_assert_int_eq(symlink("other", path_of("joe")), 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "symbolic link");
        check_content("other", "secret");
}
END_TEST

START_TEST(a_dangling_link_makes_no_file) {
        ck_assert_int_eq(symlink("other", path_of("joe")), 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "symbolic link");
        ck_assert_int_ne(access(path_of("other"), F_OK), 0);
}
END_TEST

START_TEST(a_hard_link_is_not_written_through) {
        make_file("joe", "his", USER_ID, 0600);
        ck_assert_int_eq(link(path_of("joe"), home_path("link")), 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "more than one name");
        check_content("joe", "his");
}
END_TEST

START_TEST(a_fifo_is_refused_and_not_waited_for) {
        int reader;

        ck_assert_int_eq(mkfifo(path_of("joe"), 0600), 0);
        ck_assert_int_eq(chown(path_of("joe"), USER_ID, MAIL_GID), 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "not a regular file");
        reader = open(path_of("joe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        ck_assert_int_ge(reader, 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "not a regular file");
        (void)close(reader);
}
END_TEST

START_TEST(a_directory_is_refused) {
        ck_assert_int_eq(mkdir(path_of("joe"), 0700), 0);
        ck_assert_int_eq(chown(path_of("joe"), USER_ID, MAIL_GID), 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "not a regular file");
}
END_TEST

START_TEST(a_device_is_refused) {
        if (mknod(path_of("joe"), S_IFCHR | 0600, makedev(1, 3)) != 0)
                return; /* a container without CAP_MKNOD */
        ck_assert_int_eq(chown(path_of("joe"), USER_ID, MAIL_GID), 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "not a regular file");
}
END_TEST

START_TEST(a_socket_is_refused) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%.80s", path_of("joe"));
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(chown(path_of("joe"), USER_ID, MAIL_GID), 0);
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.0", "not a regular file");
        (void)close(fd);
}
END_TEST

START_TEST(a_file_of_another_owner_is_left_alone) {
        make_file("joe", "hers", USER_ID + 1, 0666);
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "not owned by recipient");
        check_content("joe", "hers");
}
END_TEST

/* Root's power over files is off while we are the user. */
START_TEST(a_file_that_the_user_may_not_write_is_not_written) {
        make_file("joe", "roots", 0, 0600);
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "Permission denied");
        check_content("joe", "roots");
}
END_TEST

START_TEST(a_file_size_limit_cuts_the_mailbox_back) {
        static char big[90000];
        struct rlimit limit = { .rlim_cur = 70000, .rlim_max = RLIM_INFINITY };
        int fd;

        memset(big, 'x', sizeof(big));
        fd = message_new(str_from(big, sizeof(big)));
        make_file("joe", "From old\n\n", USER_ID, 0600);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        check_dsn(deliver_fd(&joe, fd, sizeof(big)), DSN_BOUNCED, "5.2.2", "File too large");
        check_content("joe", "From old\n\n");
        check_delivered(deliver(STR("x\n")));
}
END_TEST

START_TEST(mailbox_size_limit_bounces_and_writes_nothing) {
        make_file("joe", "From old\n\n", USER_ID, 0600);
        mailboxes.size_limit_bytes = 100;
        check_dsn(deliver(STR("x\n")), DSN_BOUNCED, "5.2.2", "File too large");
        check_content("joe", "From old\n\n");
        mailboxes.size_limit_bytes = 300;
        check_delivered(deliver(STR("x\n")));
}
END_TEST

START_TEST(a_full_disk_defers_and_cuts_the_mailbox_back) {
        static char big[200000];
        struct stat st;

        ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
        ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
        ck_assert_int_eq(mount("tmpfs", spool, "tmpfs", 0, "size=100k,mode=2775,gid=8"), 0);
        memset(big, 'x', sizeof(big));
        make_file("joe", "From old\n\n", USER_ID, 0600);
        check_dsn(deliver(str_from(big, sizeof(big))), DSN_DEFERRED, "4.3.0", "No space left");
        check_content("joe", "From old\n\n");
        check_delivered(deliver(STR("x\n")));
        ck_assert_int_eq(stat(path_of("joe"), &st), 0);
        ck_assert_int_gt(st.st_size, 12);
        ck_assert_int_eq(umount(spool), 0);
}
END_TEST

/* XL9, where the file system says so only when it has to find room on the disk. */
START_TEST(a_quota_that_is_over_defers_and_cuts_the_mailbox_back) {
        make_file("joe", "From old\n\n", USER_ID, 0600);
        quota_is_over = true;
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.2", "quota");
        check_content("joe", "From old\n\n");
        ck_assert_int_ne(access(path_of("joe.lock"), F_OK), 0);
        quota_is_over = false;
        check_delivered(deliver(STR("x\n")));
}
END_TEST

START_TEST(a_queue_file_that_ends_early_leaves_the_mailbox_alone) {
        static char big[100000];

        memset(big, 'x', sizeof(big));
        make_file("joe", "From old\n\n", USER_ID, 0600);
        check_dsn(deliver_as(&joe, STR("x\n"), 3), DSN_DEFERRED, "4.3.0", "queue file");
        check_dsn(deliver_as(&joe, str_from(big, sizeof(big)), sizeof(big) + 1), DSN_DEFERRED,
                  "4.3.0", "queue file");
        check_dsn(deliver_as(&joe, STR("x\n"), SIZE_MAX), DSN_DEFERRED, "4.3.0", "queue file");
        check_content("joe", "From old\n\n");
}
END_TEST

START_TEST(a_missing_spool_defers) {
        mailboxes.spool_directory = "/tmp/unitpost-no-such-directory";
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.3.0", "No such file");
}
END_TEST

/* ---- locks ---- */

/* A child that holds a lock until its pipe closes. */
static pid_t hold_lock(int *ret_pipe) {
        int to_child[2], to_parent[2];
        char byte;
        pid_t pid;

        ck_assert_int_eq(pipe(to_child), 0);
        ck_assert_int_eq(pipe(to_parent), 0);
        pid = fork();
        if (pid == 0) {
                struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
                int fd = open(path_of("joe"), O_RDWR | O_CLOEXEC);

                (void)close(to_child[1]);
                if (fd < 0 || fcntl(fd, F_SETLK, &all) != 0)
                        _exit(1);
                (void)!write(to_parent[1], "", 1);
                (void)!read(to_child[0], &byte, 1);
                if (access(path_of("new"), F_OK) == 0) {
                        char old[256];

                        (void)snprintf(old, sizeof(old), "%s", path_of("new"));
                        (void)rename(old, path_of("joe"));
                }
                _exit(0);
        }
        ck_assert_int_eq(read(to_parent[0], &byte, 1), 1);
        (void)close(to_child[0]);
        *ret_pipe = to_child[1];
        return pid;
}

START_TEST(a_lock_of_another_program_is_respected_and_not_waited_for_long) {
        usec_t start = clock_monotonic_usec();
        int end, status;
        pid_t pid;

        make_file("joe", "", USER_ID, 0600);
        pid = hold_lock(&end);
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "locked");
        ck_assert_int_lt(clock_monotonic_usec() - start, 2 * USEC_PER_SEC);
        check_content("joe", "");
        (void)close(end);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        check_delivered(deliver(STR("x\n")));
}
END_TEST

START_TEST(a_mailbox_replaced_while_we_waited_gets_the_mail) {
        struct stat st;
        int end, status;
        pid_t pid, closer;

        make_file("joe", "", USER_ID, 0600);
        make_file("new", "", USER_ID, 0600);
        pid = hold_lock(&end);
        mailboxes.lock.wait_usec = 5 * USEC_PER_SEC;
        closer = fork();
        if (closer == 0) { /* keeps the pipe open for a moment */
                (void)usleep(100000);
                _exit(0);
        }
        (void)close(end);
        check_delivered(deliver(STR("x\n")));
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(waitpid(closer, &status, 0), closer);
        ck_assert_int_eq(access(path_of("new"), F_OK), -1);
        ck_assert_int_eq(stat(path_of("joe"), &st), 0);
        ck_assert_int_gt(st.st_size, 0);
}
END_TEST

START_TEST(a_fresh_lock_file_of_another_program_is_respected) {
        make_file("joe.lock", "4711", USER_ID, 0444);
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "locked");
        check_content("joe.lock", "4711");
}
END_TEST

START_TEST(a_stale_lock_file_is_removed) {
        make_file("joe.lock", "4711", USER_ID, 0444);
        mailboxes.lock.stale_usec = 0;
        check_delivered(deliver(STR("x\n")));
}
END_TEST

/* What is left is known by the journal, and cut off; foreign mail behind it would not be. */
START_TEST(what_a_killed_deliverer_has_half_written_is_cut_off) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(DOTLOCK_TEXT_MAX);
        DotlockJournal journal = { .size = 10, .from_line = STR("From ann  Tue\n") };
        struct stat st;

        make_file("joe", "From old\n\nFrom ann  Tue\nhal", USER_ID, 0600);
        ck_assert_int_eq(stat(path_of("joe"), &st), 0);
        journal.inode = st.st_ino;
        ck_assert_int_eq(dotlock_append_text(&journal, &text), 0);
        make_file("joe.lock", buf_cstr(&text), USER_ID, 0440);
        check_delivered(deliver(STR("Subject: new\n")));
        buf_reset(&text);
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &text), 0);
        ck_assert(str_has_prefix(buf_str(&text), STR("From old\n\nFrom ann@example.org  ")));
        ck_assert(str_has_suffix(buf_str(&text), STR("Subject: new\n\n")));
}
END_TEST

/* After a power cut: nobody knows whether that is all of it, so it stays, and stays apart. */
START_TEST(what_is_left_of_another_boot_stays_apart) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(DOTLOCK_TEXT_MAX);
        struct stat st;

        make_file("joe", "From old\n\nFrom ann  Tue\nhal", USER_ID, 0600);
        ck_assert_int_eq(stat(path_of("joe"), &st), 0);
        ck_assert_int_eq(buf_printf(&text, "4711 10 %lu %032d unitpost\nFrom ann  Tue\n",
                                    (unsigned long)st.st_ino, 1),
                         0);
        make_file("joe.lock", buf_cstr(&text), USER_ID, 0440);
        check_delivered(deliver(STR("Subject: new\n")));
        buf_reset(&text);
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &text), 0);
        ck_assert(
                str_has_prefix(buf_str(&text), STR("From old\n\nFrom ann  Tue\nhal\n\nFrom ann@")));
}
END_TEST

/* In a spool where everybody may make files. */
START_TEST(a_journal_that_another_user_has_forged_cuts_nothing) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(DOTLOCK_TEXT_MAX);
        DotlockJournal journal = { .from_line = STR("From old\n") };
        struct stat st;

        ck_assert_int_eq(chmod(spool, 01777), 0);
        make_file("joe", "From old\n\nkept\n\n", USER_ID, 0600);
        ck_assert_int_eq(stat(path_of("joe"), &st), 0);
        journal.inode = st.st_ino;
        ck_assert_int_eq(dotlock_append_text(&journal, &text), 0);
        make_file("joe.lock", buf_cstr(&text), USER_ID + 1, 0444);
        (void)deliver(STR("x\n"));
        buf_reset(&text);
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &text), 0);
        ck_assert(str_has_prefix(buf_str(&text), STR("From old\n\nkept\n\n")));
}
END_TEST

/* Users "joe" and "joe.lock". */
START_TEST(a_mailbox_with_the_name_of_a_lock_file_is_left_alone) {
        const char *theirs = "From old\n\nof a user of that name\n\n";

        make_file("joe.lock", theirs, USER_ID, 0600);
        mailboxes.lock.stale_usec = 0;
        check_dsn(deliver(STR("x\n")), DSN_SENT, "2.0.0", "delivered to mailbox");
        check_content("joe.lock", theirs);
        mailboxes.lock.use_fcntl = false;
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "locked");
        check_content("joe.lock", theirs);
}
END_TEST

/* Without a journal nobody can take half a message back, but the next one is not part of it. */
START_TEST(without_journal_a_message_begins_a_line_of_its_own) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(1 << 20);

        mailboxes.lock.use_dotlock = false;
        make_file("joe", "From old\n\nhal", USER_ID, 0600);
        check_delivered(deliver(STR("x\n")));
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &text), 0);
        ck_assert(str_has_prefix(buf_str(&text), STR("From old\n\nhal\n\nFrom ann@")));
}
END_TEST

/*
 * As long as the lock file is there the next deliverer would take the message back, so it is not
 * acknowledged.
 */
START_TEST(a_lock_file_that_cannot_be_removed_is_a_failure) {
        make_file("joe", "From old\n\n", USER_ID, 0600);
        unlink_fails = true;
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "error removing lock file");
        unlink_fails = false;
        check_content("joe", "From old\n\n");
        check_delivered(deliver(STR("x\n")));
}
END_TEST

START_TEST(what_cannot_be_cut_back_now_is_cut_back_later) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(1 << 20);

        make_file("joe", "From old\n\n", USER_ID, 0600);
        unlink_fails = ftruncate_fails = true;
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "error cutting it back");
        unlink_fails = false;
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "error cutting back what was half");
        ftruncate_fails = false;
        check_delivered(deliver(STR("second\n")));
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &text), 0);
        ck_assert(str_has_suffix(buf_str(&text), STR("Delivered-To: joe@example.org\nsecond\n\n")));
        ck_assert_int_lt(text.len, 200);
}
END_TEST

/* At every moment of its work: the next delivery is never kept waiting by what it left. */
START_TEST(a_deliverer_that_is_killed_never_delays_the_next) {
        for (int i = 0; i < 300; i++) {
                pid_t pid = fork();
                int status;

                if (pid == 0)
                        for (;;)
                                (void)deliver(STR("x\n"));
                (void)usleep((useconds_t)(1000 + random() % 3000));
                (void)kill(pid, SIGKILL);
                ck_assert_int_eq(waitpid(pid, &status, 0), pid);
                check_delivered(deliver(STR("x\n")));
        }
}
END_TEST

START_TEST(a_directory_where_the_lock_file_cannot_be_made_defers) {
        make_file("joe", "", USER_ID, 0600);
        ck_assert_int_eq(chmod(spool, 02755), 0);
        check_dsn(deliver(STR("x\n")), DSN_DEFERRED, "4.2.0", "unable to create lock file");
        check_content("joe", "");
}
END_TEST

START_TEST(lock_words_are_postfixs) {
        MailboxLockRules rules;

        ck_assert(mailbox_lock_parse(STR("fcntl, dotlock"), &rules));
        ck_assert(rules.use_fcntl && rules.use_dotlock && !rules.use_flock);
        ck_assert(mailbox_lock_parse(STR("flock"), &rules));
        ck_assert(!rules.use_fcntl && !rules.use_dotlock && rules.use_flock);
        ck_assert(!mailbox_lock_parse(STR("fcntl, nolock"), &rules));
}
END_TEST

#define N_WRITERS  20
#define N_MESSAGES 10

static void write_many(unsigned writer) {
        mailboxes.lock.wait_usec = 30 * USEC_PER_SEC;
        for (unsigned i = 0; i < N_MESSAGES; i++) {
                _cleanup_(buf_deinit) Buf content = BUF_INIT(1 << 20);

                for (unsigned line = 0; line < 500; line++)
                        (void)buf_printf(&content, "%u/%u\n", writer, i);
                if (deliver(buf_str(&content)).status != DSN_SENT)
                        _exit(1);
        }
        _exit(0);
}

/* Each message is its 500 lines, all the same, between its header lines and an empty line. */
static unsigned count_whole_messages(Str text) {
        unsigned n = 0, n_lines = 0;
        Str line, first = STR_NULL;

        while (str_next_part(&text, '\n', &line)) {
                if (str_has_prefix(line, STR("From "))) {
                        ck_assert_uint_eq(n_lines, 0);
                } else if (str_is_empty(line)) {
                        n += n_lines == 500;
                        n_lines = 0;
                } else if (!str_contains(line, ':')) {
                        first = n_lines++ == 0 ? line : first;
                        ck_assert(str_equal(line, first));
                }
        }
        return n;
}

START_TEST(parallel_deliveries_do_not_mix) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(4 << 20);

        for (unsigned i = 0; i < N_WRITERS; i++)
                if (fork() == 0)
                        write_many(i);
        for (unsigned i = 0; i < N_WRITERS; i++) {
                int status;

                ck_assert_int_gt(wait(&status), 0);
                ck_assert_int_eq(status, 0);
        }
        ck_assert_int_eq(file_read(AT_FDCWD, path_of("joe"), &buf), 0);
        ck_assert_uint_eq(count_whole_messages(buf_str(&buf)), N_WRITERS * N_MESSAGES);
}
END_TEST

static TCase *delivery_case(void) {
        TCase *tcase = tcase_create("delivery");

        tcase_add_checked_fixture(tcase, world_setup, world_teardown);
        tcase_add_test(tcase, a_new_mailbox_is_the_users_and_private);
        tcase_add_test(tcase, roots_mailbox_is_roots);
        tcase_add_test(tcase, in_a_spool_open_to_all_the_group_is_the_users);
        tcase_add_test(tcase, a_message_is_appended_whole_with_its_header_lines);
        tcase_add_test(tcase, content_larger_than_every_buffer_arrives_whole);
        tcase_add_test(tcase, a_file_size_limit_cuts_the_mailbox_back);
        tcase_add_test(tcase, mailbox_size_limit_bounces_and_writes_nothing);
        tcase_add_test(tcase, a_full_disk_defers_and_cuts_the_mailbox_back);
        tcase_add_test(tcase, a_quota_that_is_over_defers_and_cuts_the_mailbox_back);
        tcase_add_test(tcase, a_queue_file_that_ends_early_leaves_the_mailbox_alone);
        tcase_add_test(tcase, a_missing_spool_defers);
        return tcase;
}

static TCase *attack_case(void) {
        TCase *tcase = tcase_create("XL1");

        tcase_add_checked_fixture(tcase, world_setup, world_teardown);
        tcase_add_test(tcase, a_symbolic_link_is_not_followed);
        tcase_add_test(tcase, a_dangling_link_makes_no_file);
        tcase_add_test(tcase, a_hard_link_is_not_written_through);
        tcase_add_test(tcase, a_fifo_is_refused_and_not_waited_for);
        tcase_add_test(tcase, a_directory_is_refused);
        tcase_add_test(tcase, a_device_is_refused);
        tcase_add_test(tcase, a_socket_is_refused);
        tcase_add_test(tcase, a_file_of_another_owner_is_left_alone);
        tcase_add_test(tcase, a_file_that_the_user_may_not_write_is_not_written);
        return tcase;
}

static TCase *lock_case(void) {
        TCase *tcase = tcase_create("locks");

        tcase_add_checked_fixture(tcase, world_setup, world_teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, a_lock_of_another_program_is_respected_and_not_waited_for_long);
        tcase_add_test(tcase, a_mailbox_replaced_while_we_waited_gets_the_mail);
        tcase_add_test(tcase, a_fresh_lock_file_of_another_program_is_respected);
        tcase_add_test(tcase, a_stale_lock_file_is_removed);
        tcase_add_test(tcase, a_deliverer_that_is_killed_never_delays_the_next);
        tcase_add_test(tcase, what_a_killed_deliverer_has_half_written_is_cut_off);
        tcase_add_test(tcase, what_is_left_of_another_boot_stays_apart);
        tcase_add_test(tcase, a_journal_that_another_user_has_forged_cuts_nothing);
        tcase_add_test(tcase, a_mailbox_with_the_name_of_a_lock_file_is_left_alone);
        tcase_add_test(tcase, without_journal_a_message_begins_a_line_of_its_own);
        tcase_add_test(tcase, a_lock_file_that_cannot_be_removed_is_a_failure);
        tcase_add_test(tcase, what_cannot_be_cut_back_now_is_cut_back_later);
        tcase_add_test(tcase, a_directory_where_the_lock_file_cannot_be_made_defers);
        tcase_add_test(tcase, lock_words_are_postfixs);
        tcase_add_test(tcase, parallel_deliveries_do_not_mix);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("mailbox");

        suite_add_tcase(suite, delivery_case());
        suite_add_tcase(suite, attack_case());
        suite_add_tcase(suite, lock_case());
        return unit_run(suite);
}
