/* Mailboxes as files: whatever stands in their place, the look ends soon and changes nothing. */

#include "common/base/clock.h"
#include "services/notify/mailbox.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

#define MAIL(n) "From a  x\nMessage-ID: " n "\nSubject: " n "\n\ntext\n\n"

static TempTree tree;
static Ids known, found;
static News news;

static void setup(void) {
        temp_tree_make(&tree);
        known = found = IDS_NULL;
        news_init(&news);
}

static void teardown(void) {
        ids_deinit(&known);
        ids_deinit(&found);
        news_deinit(&news);
        temp_tree_remove(&tree);
}

static const char *path_of(const char *name) {
        static char path[512];

        return temp_tree_path(&tree, name, path, sizeof(path));
}

static int scan(const char *name) {
        ids_deinit(&found);
        news_reset(&news);
        return mailbox_scan(path_of(name), &known, &found, &news);
}

START_TEST(an_mbox_is_read_and_left_as_it_is) {
        struct stat before, after;

        temp_tree_write_text(&tree, "box", MAIL("1") MAIL("2"));
        ck_assert_int_eq(stat(path_of("box"), &before), 0);
        ck_assert_int_eq(scan("box"), 0);
        ck_assert_uint_eq(news.n, 2);
        ck_assert_uint_eq(found.n, 2);
        ck_assert_int_eq(stat(path_of("box"), &after), 0);
        ck_assert_int_eq(before.st_size, after.st_size);
        ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}
END_TEST

START_TEST(what_is_not_there_is_empty) {
        ck_assert_int_eq(scan("box"), 0);
        ck_assert_int_eq(scan("Maildir/"), 0);
        ck_assert_int_eq(mkdir(path_of("Maildir"), 0700), 0);
        ck_assert_int_eq(scan("Maildir/"), 0);
        ck_assert_uint_eq(found.n + news.n, 0);
}
END_TEST

START_TEST(no_mailbox_is_not_waited_for) {
        char target[512];

        ck_assert_int_eq(mkfifo(path_of("fifo"), 0600), 0);
        ck_assert_int_eq(scan("fifo"), MAILBOX_E_UNUSABLE);
        ck_assert_int_eq(scan("fifo/"), MAILBOX_E_UNUSABLE);
        temp_tree_write_text(&tree, "box", MAIL("1"));
        (void)temp_tree_path(&tree, "box", target, sizeof(target));
        ck_assert_int_eq(symlink(target, path_of("link")), 0);
        ck_assert_int_eq(scan("link"), MAILBOX_E_UNUSABLE);
        ck_assert_int_eq(mkdir(path_of("dir"), 0700), 0);
        ck_assert_int_eq(scan("dir"), MAILBOX_E_UNUSABLE);
}
END_TEST

START_TEST(of_a_large_mbox_the_end_is_read) {
        int fd;

        temp_tree_write_text(&tree, "box", MAIL("1"));
        fd = open(path_of("box"), O_WRONLY | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_pwrite_all(fd, "\n\n" MAIL("2"), strlen("\n\n" MAIL("2")),
                                         MAILBOX_SCAN_MAX + 4096),
                         0);
        ck_assert_int_eq(close(fd), 0);
        ck_assert_int_eq(scan("box"), 0);
        ck_assert_uint_eq(found.n, 1);
}
END_TEST

static void lock(const char *name, short type) {
        struct flock flock = { .l_type = type, .l_whence = SEEK_SET };
        int fd = open(path_of(name), O_RDWR | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &flock), 0); /* kept until the process ends */
}

START_TEST(a_lock_is_waited_for_a_second) {
        usec_t start = clock_monotonic_usec();

        temp_tree_write_text(&tree, "box", MAIL("1"));
        lock("box", F_WRLCK);
        ck_assert_int_eq(scan("box"), MAILBOX_E_BUSY);
        ck_assert_uint_ge(clock_monotonic_usec() - start, 900 * USEC_PER_MSEC);
        ck_assert_uint_le(clock_monotonic_usec() - start, 3 * USEC_PER_SEC);
}
END_TEST

/* A reading of the mbox "box" is met by another program that appends a message if it may. */
static struct Other {
        int n_appends; /* that it wants to do yet */
        int n_locked;  /* times that it met our lock */
        int n_free;
} other;

static void other_meets_us(void) {
        struct flock flock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        int fd = open(path_of("box"), O_RDWR | O_APPEND | O_CLOEXEC);

        if (fd < 0) /* the test has no such file */
                return;
        if (fcntl(fd, F_OFD_SETLK, &flock) < 0)
                other.n_locked++;
        else {
                other.n_free++;
                if (other.n_appends-- > 0)
                        ck_assert_int_eq(file_write_all(fd, MAIL("n"), strlen(MAIL("n"))), 0);
        }
        ck_assert_int_eq(close(fd), 0);
}

ssize_t __real_pread64(int fd, void *data, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset);

ssize_t __wrap_pread64(int fd, void *data, size_t size, off_t offset) {
        ssize_t n = __real_pread64(fd, data, size, offset);

        other_meets_us();
        return n;
}

START_TEST(nobody_waits_for_a_reading) {
        temp_tree_write_text(&tree, "box", MAIL("1"));
        other = (struct Other){ 0 };
        ck_assert_int_eq(scan("box"), 0);
        ck_assert_int_eq(other.n_free, 1);
        ck_assert_int_eq(other.n_locked, 0);
}
END_TEST

START_TEST(what_comes_meanwhile_is_found) {
        temp_tree_write_text(&tree, "box", MAIL("1"));
        other = (struct Other){ .n_appends = 2 };
        ck_assert_int_eq(scan("box"), 0);
        ck_assert_uint_eq(found.n, 3);
        ck_assert_uint_eq(news.n, 3);
        ck_assert_int_eq(other.n_locked, 0);
}
END_TEST

START_TEST(a_mailbox_that_never_rests_is_locked_for_one_reading) {
        temp_tree_write_text(&tree, "box", MAIL("1"));
        other = (struct Other){ .n_appends = 1000 };
        ck_assert_int_eq(scan("box"), 0);
        ck_assert_uint_eq(found.n, 4);
        ck_assert_int_eq(other.n_free, 3);
        ck_assert_int_eq(other.n_locked, 1);
}
END_TEST

START_TEST(a_maildir_shows_the_newest_and_no_odd_files) {
        _cleanup_(buf_deinit) Buf summary = BUF_INIT(NEWS_SUMMARY_MAX);
        _cleanup_(buf_deinit) Buf body = BUF_INIT(NEWS_BODY_MAX_BYTES);
        char name[32];

        for (int i = 0; i < 8; i++) {
                (void)snprintf(name, sizeof(name), "Maildir/new/%d.x", 9 - i);
                temp_tree_write_text(&tree, name, "Subject: s\nFrom: f\n\n");
                (void)usleep(20000); /* the next one is later, whatever its name */
        }
        ck_assert_int_eq(mkfifo(path_of("Maildir/new/fifo"), 0600), 0);
        ck_assert_int_eq(symlink("/etc/passwd", path_of("Maildir/new/link")), 0);
        temp_tree_write_text(&tree, "Maildir/new/.hidden", "Subject: h\n\n");
        temp_tree_write_text(&tree, "Maildir/new/z", "Subject: last");
        ck_assert_int_eq(scan("Maildir/"), 0);
        ck_assert_uint_eq(found.n, 9);
        ck_assert_int_eq(news_format(&news, &summary, &body), 0);
        ck_assert_str_eq(buf_cstr(&summary), "9 new messages");
        ck_assert_str_eq(buf_cstr(&body), "(unknown sender): last\nf: s\nf: s\nf: s\nf: s");

        known = found;
        found = IDS_NULL;
        ids_sort(&known);
        temp_tree_write_text(&tree, "Maildir/new/0.y", "Subject: early name\n\n");
        ck_assert_int_eq(scan("Maildir/"), 0);
        ck_assert_uint_eq(news.n, 1);
}
END_TEST

START_TEST(a_maildir_may_be_too_full) {
        char name[64];

        ck_assert_int_eq(mkdir(path_of("Maildir"), 0700), 0);
        ck_assert_int_eq(mkdir(path_of("Maildir/new"), 0700), 0);
        for (int i = 0; i < IDS_MAX; i++) {
                (void)snprintf(name, sizeof(name), "Maildir/new/%d", i);
                ck_assert_int_eq(mknod(path_of(name), S_IFREG | 0600, 0), 0);
        }
        ck_assert_int_eq(scan("Maildir/"), 0);
        ck_assert_uint_eq(news.n, IDS_MAX);
        ck_assert_int_eq(mknod(path_of("Maildir/new/more"), S_IFREG | 0600, 0), 0);
        ck_assert_int_eq(scan("Maildir/"), MAILBOX_E_TOO_MANY);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("notify-mailbox");
        TCase *tcase = tcase_create("notify-mailbox");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, an_mbox_is_read_and_left_as_it_is);
        tcase_add_test(tcase, what_is_not_there_is_empty);
        tcase_add_test(tcase, no_mailbox_is_not_waited_for);
        tcase_add_test(tcase, of_a_large_mbox_the_end_is_read);
        tcase_add_test(tcase, a_lock_is_waited_for_a_second);
        tcase_add_test(tcase, nobody_waits_for_a_reading);
        tcase_add_test(tcase, what_comes_meanwhile_is_found);
        tcase_add_test(tcase, a_mailbox_that_never_rests_is_locked_for_one_reading);
        tcase_add_test(tcase, a_maildir_shows_the_newest_and_no_odd_files);
        tcase_add_test(tcase, a_maildir_may_be_too_full);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
