/*
 * dotlock: what a killed deliverer has half written is cut off again, and nothing else ever is:
 * not for a lock file of somebody else, nor when another program has written since.
 */

#include <systemd/sd-id128.h>

#include "services/local/dotlock.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

#define OLD       "From old\n\nold\n\n"
#define FROM_LINE "From ann@example.org  Tue Nov 24 22:00:51 2026\n"
#define BOOT      "0123456789abcdef0123456789abcdef" /* another than this */
#define OTHER_UID 54321
#define DAEMON    1 /* an account that every system has */

static TempTree tree;
static char mailbox_path[64], lock_path[64];
static int mailbox_fd = -1;
static struct stat st;

static void setup(void) {
        temp_tree_make(&tree);
        (void)temp_tree_path(&tree, "joe", mailbox_path, sizeof(mailbox_path));
        (void)temp_tree_path(&tree, "joe.lock", lock_path, sizeof(lock_path));
}

static void teardown(void) {
        fd_closep(&mailbox_fd);
        temp_tree_remove(&tree);
}

/* The mailbox with TEXT in it, as a deliverer has it open. */
static DotlockMailbox open_mailbox(Str text) {
        temp_tree_write(&tree, "joe", text);
        mailbox_fd = open(mailbox_path, O_WRONLY | O_APPEND | O_CLOEXEC);
        ck_assert_int_ge(mailbox_fd, 0);
        ck_assert_int_eq(fstat(mailbox_fd, &st), 0);
        return (DotlockMailbox){ .path = mailbox_path,
                                 .fd = mailbox_fd,
                                 .st = &st,
                                 .kernel_locked = true,
                                 .stale_usec = 500 * USEC_PER_SEC };
}

/* The lock file of somebody who died, after the mailbox was OLD. */
static void leave_journal(uint64_t inode) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(DOTLOCK_TEXT_MAX);
        DotlockJournal journal = { strlen(OLD), inode, false, STR(FROM_LINE) };

        ck_assert_int_eq(dotlock_append_text(&journal, &text), 0);
        ck_assert_int_eq(dotlock_make(lock_path, buf_str(&text)), 0);
}

static void check_mailbox(Str expected) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(1 << 20);

        ck_assert_int_eq(file_read(AT_FDCWD, mailbox_path, &buf), 0);
        ck_assert_msg(str_equal(buf_str(&buf), expected), "%.*s", STR_FMT(buf_str(&buf)));
}

static bool has_lock(void) {
        return faccessat(AT_FDCWD, lock_path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* ---- the text ---- */

START_TEST(the_text_is_read_as_it_was_written) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(DOTLOCK_TEXT_MAX);
        DotlockJournal journal = { 4711, 42, false, STR(FROM_LINE) }, found;
        char expected[200];
        sd_id128_t boot;

        ck_assert_int_eq(dotlock_append_text(&journal, &text), 0);
        ck_assert_int_eq(sd_id128_get_boot(&boot), 0);
        (void)snprintf(expected, sizeof(expected),
                       "%ld 4711 42 " SD_ID128_FORMAT_STR " unitpost\n" FROM_LINE, (long)getpid(),
                       SD_ID128_FORMAT_VAL(boot));
        ck_assert(str_equal(buf_str(&text), str_from_cstr(expected)));
        ck_assert(dotlock_parse(buf_str(&text), &found));
        ck_assert_uint_eq(found.size, 4711);
        ck_assert_uint_eq(found.inode, 42);
        ck_assert(found.of_this_boot);
        ck_assert(str_equal(found.from_line, STR(FROM_LINE)));
}
END_TEST

static const char *const no_journals[] = {
        "",
        "123",
        "123\n",
        "123 unitpost\n",
        "1 2 3 unitpost\nFrom x\n",
        "1 2 3 " BOOT " unitpost\n",
        "1 2 " BOOT " unitpost\nFrom x\n",
        "1 2 3 4 " BOOT " unitpost\nFrom x\n",
        "1 2 3 " BOOT "0 unitpost\nFrom x\n",
        "1 2 3 01234567-89abcdef0123456789abcdef unitpost\nFrom x\n",
        "1 2 3 0123456789abcdef0123456789abcdeg unitpost\nFrom x\n",
        "1 -2 3 " BOOT " unitpost\nFrom x\n",
        "1 9223372036854775808 3 " BOOT " unitpost\nFrom x\n",
        "1 2 3 " BOOT " unitpost\nFrom x",
        "1 2 3 " BOOT " unitpost\nFrom x\nFrom y\n",
        "1 2 3 " BOOT " unitpost\nfrom x\n",
        "1 2 3 " BOOT " sendmail\nFrom x\n",
        " 1 2 3 " BOOT " unitpost\nFrom x\n",
};

START_TEST(what_is_no_journal_is_not_taken_for_one) {
        DotlockJournal journal;

        ck_assert(!dotlock_parse(str_from_cstr(no_journals[_i]), &journal));
}
END_TEST

START_TEST(a_lock_is_had_once) {
        ck_assert_int_eq(dotlock_make(lock_path, STR("text")), 0);
        ck_assert_int_eq(dotlock_make(lock_path, STR("text")), DOTLOCK_E_TAKEN);
        ck_assert_int_eq(unlink(lock_path), 0);
        ck_assert_int_eq(symlink("elsewhere", lock_path), 0);
        ck_assert_int_eq(dotlock_make(lock_path, STR("text")), DOTLOCK_E_TAKEN);
        ck_assert_int_lt(dotlock_make("/no-such-directory/x.lock", STR("text")), 0);
}
END_TEST

/* ---- after a kill ---- */

static const char *const written[] = {
        "", "F", FROM_LINE, FROM_LINE "Subject: x\n\nhal", FROM_LINE "Subject: x\n\n>From \n\n",
};

START_TEST(whatever_a_killed_deliverer_has_written_is_cut_off) {
        char text[200];
        DotlockMailbox mailbox;

        (void)snprintf(text, sizeof(text), "%s%s", OLD, written[_i]);
        mailbox = open_mailbox(str_from_cstr(text));
        leave_journal(st.st_ino);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(STR(OLD));
        ck_assert(!has_lock());
}
END_TEST

START_TEST(megabytes_are_cut_off) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1 << 20);
        DotlockMailbox mailbox;

        (void)buf_append_cstr(&text, OLD FROM_LINE);
        while (text.len < 300000)
                (void)buf_append_cstr(&text, "From\n>From \n From \n");
        mailbox = open_mailbox(buf_str(&text));
        leave_journal(st.st_ino);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(STR(OLD));
}
END_TEST

static const char *const by_others[] = {
        OLD "From bob@example.org  Tue Nov 24 22:00:51 2026\n\nhello\n\n", /* instead of ours */
        OLD FROM_LINE "\nhalf\nFrom bob@example.org  Tue\n\nhello\n\n",    /* behind ours */
        "From new\n\nrewritten, and longer\n\n",
        "From new\n",
};

START_TEST(what_another_program_has_written_since_is_left) {
        Str text = str_from_cstr(by_others[_i]);
        DotlockMailbox mailbox = open_mailbox(text);

        leave_journal(st.st_ino);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(text);
        ck_assert(!has_lock());
}
END_TEST

/* Nobody waits for the disk before the lock file's removal counts: the message may be read. */
START_TEST(a_lock_file_that_a_power_cut_brought_back_cuts_nothing) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD FROM_LINE "Subject: kept\n\n"));
        DotlockJournal journal;
        char text[200];

        (void)snprintf(text, sizeof(text), "4711 %zu %lu " BOOT " unitpost\n" FROM_LINE,
                       strlen(OLD), (unsigned long)st.st_ino);
        ck_assert(dotlock_parse(str_from_cstr(text), &journal));
        ck_assert(!journal.of_this_boot);
        ck_assert_int_eq(dotlock_make(lock_path, str_from_cstr(text)), 0);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(STR(OLD FROM_LINE "Subject: kept\n\n"));
        ck_assert(!has_lock());
}
END_TEST

/* Wherever the second message begins, for a reader that reads in blocks. */
START_TEST(another_message_is_seen_across_blocks) {
        for (size_t n = 8192 - 20; n < 8192 + 20; n++) {
                _cleanup_(buf_deinit) Buf text = BUF_INIT(1 << 20);
                DotlockMailbox mailbox;

                (void)buf_append_cstr(&text, OLD FROM_LINE);
                while (text.len < strlen(OLD) + n)
                        (void)buf_append_char(&text, 'x');
                (void)buf_append_cstr(&text, "\nFrom bob\n\nhello\n\n");
                fd_closep(&mailbox_fd);
                mailbox = open_mailbox(buf_str(&text));
                leave_journal(st.st_ino);
                ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
                check_mailbox(buf_str(&text));
        }
}
END_TEST

START_TEST(a_journal_of_another_inode_is_somebodys_lock) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD FROM_LINE));

        leave_journal(st.st_ino + 1);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), DOTLOCK_E_TAKEN);
        check_mailbox(STR(OLD FROM_LINE));
        mailbox.stale_usec = 0;
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(STR(OLD FROM_LINE));
}
END_TEST

START_TEST(without_a_kernel_lock_only_age_tells_that_the_maker_is_dead) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD FROM_LINE));

        mailbox.kernel_locked = false;
        leave_journal(st.st_ino);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), DOTLOCK_E_TAKEN);
        check_mailbox(STR(OLD FROM_LINE));
        mailbox.stale_usec = 0;
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(STR(OLD));
}
END_TEST

/* ---- forged ---- */

static void lock_of_another(void) {
        ck_assert_int_eq(chown(lock_path, OTHER_UID, (gid_t)-1), 0);
}

static void lock_with_two_names(void) {
        char other[64];

        (void)temp_tree_path(&tree, "other", other, sizeof(other));
        ck_assert_int_eq(link(lock_path, other), 0);
}

static void lock_that_is_a_link(void) {
        char other[64];

        (void)temp_tree_path(&tree, "other", other, sizeof(other));
        ck_assert_int_eq(rename(lock_path, other), 0);
        ck_assert_int_eq(symlink("other", lock_path), 0);
}

static void (*const forgeries[])(void) = {
        lock_of_another,
        lock_with_two_names,
        lock_that_is_a_link,
};

START_TEST(a_forged_journal_cuts_nothing) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD FROM_LINE "Subject: kept\n\n"));

        leave_journal(st.st_ino);
        forgeries[_i]();
        ck_assert_int_ne(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(STR(OLD FROM_LINE "Subject: kept\n\n"));
        ck_assert(has_lock());
}
END_TEST

START_TEST(a_mailbox_with_two_names_is_not_cut) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD FROM_LINE));
        char other[64];

        ck_assert_int_eq(link(mailbox_path, temp_tree_path(&tree, "other", other, sizeof(other))),
                         0);
        ck_assert_int_eq(fstat(mailbox_fd, &st), 0);
        leave_journal(st.st_ino);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        check_mailbox(STR(OLD FROM_LINE));
}
END_TEST

/* ---- of other programs ---- */

static const char *const foreign_locks[] = {
        "",
        "4711\n",
        "123 unitpost\n",
        "4711:a-host-with-a-name-as-long-as-names-may-be-on-linux.example.org",
};

START_TEST(a_lock_of_another_program_goes_when_it_is_old) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD));

        temp_tree_write_text(&tree, "joe.lock", foreign_locks[_i]);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), DOTLOCK_E_TAKEN);
        ck_assert(has_lock());
        mailbox.stale_usec = 0;
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
        ck_assert(!has_lock());
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), 0);
}
END_TEST

START_TEST(a_fifo_in_the_place_of_a_lock_file_is_not_waited_for) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD));

        ck_assert_int_eq(mkfifo(lock_path, 0644), 0);
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), DOTLOCK_E_TAKEN);
}
END_TEST

/* With users "joe" and "joe.lock", the mailbox of the one has the name of the other's lock. */
START_TEST(a_mailbox_is_never_removed_as_a_stale_lock) {
        DotlockMailbox mailbox = open_mailbox(STR(OLD));
        char daemon_path[64], long_text[256];

        mailbox.stale_usec = 0;
        temp_tree_write_text(&tree, "joe.lock", FROM_LINE "\nhello\n\n");
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), DOTLOCK_E_NO_LOCK);
        temp_tree_write(&tree, "joe.lock", str_from(memset(long_text, 'x', 256), 256));
        ck_assert_int_eq(dotlock_break(lock_path, &mailbox), DOTLOCK_E_NO_LOCK);
        ck_assert(has_lock());
        temp_tree_write_text(&tree, "daemon", "");
        (void)temp_tree_path(&tree, "daemon", daemon_path, sizeof(daemon_path));
        ck_assert_int_eq(chown(daemon_path, DAEMON, (gid_t)-1), 0);
        ck_assert_int_eq(dotlock_break(daemon_path, &mailbox), DOTLOCK_E_NO_LOCK);
        ck_assert_int_eq(access(daemon_path, F_OK), 0);
        ck_assert_int_eq(chown(daemon_path, OTHER_UID, (gid_t)-1), 0);
        ck_assert_int_eq(dotlock_break(daemon_path, &mailbox), 0);
}
END_TEST

static TCase *text_case(void) {
        TCase *tcase = tcase_create("text");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, the_text_is_read_as_it_was_written);
        tcase_add_loop_test(tcase, what_is_no_journal_is_not_taken_for_one, 0,
                            ARRAY_LEN(no_journals));
        tcase_add_test(tcase, a_lock_is_had_once);
        return tcase;
}

static TCase *journal_case(void) {
        TCase *tcase = tcase_create("journal");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_loop_test(tcase, whatever_a_killed_deliverer_has_written_is_cut_off, 0,
                            ARRAY_LEN(written));
        tcase_add_test(tcase, megabytes_are_cut_off);
        tcase_add_loop_test(tcase, what_another_program_has_written_since_is_left, 0,
                            ARRAY_LEN(by_others));
        tcase_add_test(tcase, a_lock_file_that_a_power_cut_brought_back_cuts_nothing);
        tcase_add_test(tcase, another_message_is_seen_across_blocks);
        tcase_add_test(tcase, a_journal_of_another_inode_is_somebodys_lock);
        tcase_add_test(tcase, without_a_kernel_lock_only_age_tells_that_the_maker_is_dead);
        tcase_add_loop_test(tcase, a_forged_journal_cuts_nothing, 0, ARRAY_LEN(forgeries));
        tcase_add_test(tcase, a_mailbox_with_two_names_is_not_cut);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("dotlock");
        TCase *foreign = tcase_create("foreign");

        tcase_add_checked_fixture(foreign, setup, teardown);
        tcase_add_loop_test(foreign, a_lock_of_another_program_goes_when_it_is_old, 0,
                            ARRAY_LEN(foreign_locks));
        tcase_add_test(foreign, a_fifo_in_the_place_of_a_lock_file_is_not_waited_for);
        tcase_add_test(foreign, a_mailbox_is_never_removed_as_a_stale_lock);
        suite_add_tcase(suite, text_case());
        suite_add_tcase(suite, journal_case());
        suite_add_tcase(suite, foreign);
        return unit_run(suite);
}
