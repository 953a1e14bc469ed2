/*
 * The queue's directories: opening, moves, buckets, walks, the lock, and admission, whose verdicts
 * are the rows of the state table in man/unitpost-queue.5.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/base/file.h"
#include "common/mail/queue-admit.h"
#include "common/mail/queue-file-format.h"
#include "tests/unit/unit.h"

#define ALL_DIRS ((1U << QUEUE_N_DIRS) - 1)

static const char id_text[] = "0123456789ABCDEF0123";
static char top[64];
static QueueId id;
static Queue *queue;

static void make_queue(void) {
        char path[128];

        (void)snprintf(top, sizeof(top), "/tmp/unitpost-test-queue-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(top));
        for (int dir = 0; dir < QUEUE_N_DIRS; dir++) {
                (void)snprintf(path, sizeof(path), "%s/%s", top, queue_dir_name((QueueDir)dir));
                ck_assert_int_eq(mkdir(path, 0750), 0);
        }
        ck_assert(queue_id_parse(str_from_cstr(id_text), &id));
        ck_assert_int_eq(queue_open(top, ALL_DIRS, &queue), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
        return remove(path);
}

static void remove_queue(void) {
        queue = queue_free(queue);
        (void)nftw(top, remove_one, 10, FTW_DEPTH | FTW_PHYS);
}

static void put(QueueDir dir, const char *name, const void *bytes, size_t len) {
        _cleanup_(fd_closep) int fd = -1;

        fd = openat(queue_dir_fd(queue, dir), name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0640);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_all(fd, bytes, len), 0);
}

/* A whole message with this much content. */
static void put_message(QueueDir dir, const QueueId *name, size_t content_len) {
        Envelope envelope = { .sender = STR("alice") };
        Recipient rcpt = { .address = STR("bob") };
        QueueFileWriter *writer;
        char block[1000];

        memset(block, 'x', sizeof(block));
        ck_assert_int_eq(queue_file_writer_new(queue_dir_fd(queue, dir), &envelope, NULL, &writer),
                         0);
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), 0);
        for (size_t done = 0; done < content_len; done += sizeof(block))
                ck_assert_int_eq(
                        queue_file_writer_add_content(writer, str_from(block, sizeof(block))), 0);
        ck_assert_int_eq(queue_file_writer_commit(writer, name), 0);
        queue_file_writer_free(writer);
}

static bool exists(const char *path) {
        char full[256];
        struct stat st;

        (void)snprintf(full, sizeof(full), "%s/%s", top, path);
        return lstat(full, &st) == 0;
}

static QueueVerdict admit(QueueDir dir, const char *name, unsigned flags) {
        QueueAdmission admission = QUEUE_ADMISSION_NULL;
        QueueVerdict verdict;

        ck_assert_int_eq(queue_admit(queue, dir, name, flags, &admission), 0);
        verdict = admission.verdict;
        ck_assert_int_eq(verdict == QUEUE_VERDICT_GOOD, admission.file != NULL);
        ck_assert_int_eq(verdict == QUEUE_VERDICT_GOOD, admission.fd >= 0);
        ck_assert(verdict != QUEUE_VERDICT_CORRUPT || admission.reason[0] != '\0');
        queue_admission_deinit(&admission);
        return verdict;
}

START_TEST(a_missing_directory_is_an_error_only_for_those_who_use_it) {
        Queue *other;

        ck_assert_int_eq(unlinkat(queue_dir_fd(queue, QUEUE_HOLD), "../hold", AT_REMOVEDIR), 0);
        ck_assert_int_eq(queue_open(top, ALL_DIRS, &other), -ENOENT);
        ck_assert_int_eq(queue_open(top, 1U << QUEUE_MAILDROP, &other), 0);
        ck_assert_int_ge(queue_dir_fd(other, QUEUE_MAILDROP), 0);
        ck_assert_int_eq(queue_dir_fd(other, QUEUE_ACTIVE), -1);
        queue_free(other);
        ck_assert_int_eq(queue_open("/nonexistent", 0, &other), -ENOENT);
        queue_free(NULL);
}
END_TEST

START_TEST(the_queue_has_one_owner) {
        Queue *other;

        ck_assert_int_eq(queue_open(top, ALL_DIRS, &other), 0);
        ck_assert_int_eq(queue_lock(queue), 0);
        ck_assert_int_eq(queue_lock(queue), 0);
        ck_assert_int_eq(queue_lock(other), QUEUE_E_LOCKED);
        queue = queue_free(queue);
        ck_assert_int_eq(queue_lock(other), 0);
        queue = other;
}
END_TEST

START_TEST(free_space_is_that_of_the_file_system) {
        uint64_t bytes = 0, inodes = 0;

        ck_assert_int_eq(queue_free_space(queue, &bytes, &inodes), 0);
        ck_assert_uint_gt(bytes, 0);
        ck_assert_uint_gt(inodes, 0);
}
END_TEST

START_TEST(only_regular_files_are_opened_and_none_is_waited_for) {
        int active = queue_dir_fd(queue, QUEUE_ACTIVE), fd = -1;
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/active/socket", top);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(mkfifoat(active, "fifo", 0600), 0);
        ck_assert_int_eq(mkdirat(active, "dir", 0700), 0);
        ck_assert_int_eq(symlinkat("/etc/passwd", active, "link"), 0);
        put(QUEUE_ACTIVE, "file", "x", 1);
        for (int flags = O_RDONLY; flags <= O_RDWR; flags += O_RDWR - O_RDONLY) {
                ck_assert_int_eq(queue_open_message(queue, QUEUE_ACTIVE, "fifo", flags, &fd),
                                 QUEUE_E_ODD);
                ck_assert_int_eq(queue_open_message(queue, QUEUE_ACTIVE, "dir", flags, &fd),
                                 QUEUE_E_ODD);
                ck_assert_int_eq(queue_open_message(queue, QUEUE_ACTIVE, "link", flags, &fd),
                                 QUEUE_E_ODD);
                ck_assert_int_eq(queue_open_message(queue, QUEUE_ACTIVE, "socket", flags, &fd),
                                 QUEUE_E_ODD);
                ck_assert_int_eq(queue_open_message(queue, QUEUE_ACTIVE, "none", flags, &fd),
                                 QUEUE_E_GONE);
                ck_assert_int_eq(fd, -1);
                ck_assert_int_eq(queue_open_message(queue, QUEUE_ACTIVE, "file", flags, &fd), 0);
                ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
                fd_closep(&fd);
        }
        (void)close(listener);
}
END_TEST

START_TEST(a_move_never_replaces_a_message) {
        put(QUEUE_INCOMING, id_text, "new", 3);
        ck_assert_int_eq(queue_move(queue, id_text, QUEUE_INCOMING, QUEUE_ACTIVE), 0);
        ck_assert_int_eq(queue_move(queue, id_text, QUEUE_INCOMING, QUEUE_ACTIVE), QUEUE_E_GONE);
        put(QUEUE_INCOMING, id_text, "new", 3);
        ck_assert_int_eq(queue_move(queue, id_text, QUEUE_INCOMING, QUEUE_ACTIVE), QUEUE_E_EXISTS);
        ck_assert(exists("incoming/0123456789ABCDEF0123"));
        ck_assert_int_eq(queue_remove(queue, id_text, QUEUE_INCOMING), 0);
        ck_assert_int_eq(queue_remove(queue, id_text, QUEUE_INCOMING), QUEUE_E_GONE);
}
END_TEST

START_TEST(quarantine_finds_a_free_name_or_hides_in_place) {
        _cleanup_(queue_freep) Queue *poor = NULL;
        QueueWalk *walk;
        const char *name;
        size_t n = 0;

        for (int i = 0; i < 3; i++) {
                put(QUEUE_MAILDROP, "junk", "x", 1);
                ck_assert_int_eq(queue_quarantine(queue, "junk", QUEUE_MAILDROP), 0);
                ck_assert(!exists("maildrop/junk"));
        }
        ck_assert_int_eq(queue_quarantine(queue, "junk", QUEUE_MAILDROP), QUEUE_E_GONE);
        ck_assert(exists("corrupt/junk"));
        ck_assert_int_eq(queue_walk_new(queue, QUEUE_CORRUPT, 0, &walk), 0);
        while (queue_walk_next(walk, &name) == 0)
                n++;
        queue_walk_free(walk);
        ck_assert_uint_eq(n, 3);

        /* Without corrupt/ it must at least not be seen again. */
        ck_assert_int_eq(queue_open(top, 1U << QUEUE_MAILDROP, &poor), 0);
        for (int i = 0; i < 2; i++) {
                put(QUEUE_MAILDROP, "junk", "x", 1);
                ck_assert_int_eq(queue_quarantine(poor, "junk", QUEUE_MAILDROP), 0);
                ck_assert(!exists("maildrop/junk"));
                ck_assert(exists("maildrop/.junk"));
        }
}
END_TEST

START_TEST(quarantine_takes_the_longest_names_and_other_kinds_of_files) {
        _cleanup_(queue_freep) Queue *poor = NULL;
        char longest[NAME_MAX + 1];

        memset(longest, 'n', NAME_MAX);
        longest[NAME_MAX] = '\0';
        for (int i = 0; i < 2; i++) {
                put(QUEUE_MAILDROP, longest, "x", 1);
                ck_assert_int_eq(queue_quarantine(queue, longest, QUEUE_MAILDROP), 0);
        }
        ck_assert_int_eq(queue_open(top, 1U << QUEUE_MAILDROP, &poor), 0);
        put(QUEUE_MAILDROP, longest, "x", 1);
        ck_assert_int_eq(queue_quarantine(poor, longest, QUEUE_MAILDROP), 0);
        ck_assert_int_eq(mkdirat(queue_dir_fd(queue, QUEUE_MAILDROP), "dir", 0700), 0);
        ck_assert_int_eq(queue_quarantine(queue, "dir", QUEUE_MAILDROP), 0);
        ck_assert(exists("corrupt/dir"));
        ck_assert_int_eq(symlinkat("/etc/passwd", queue_dir_fd(queue, QUEUE_MAILDROP), "ln"), 0);
        ck_assert_int_eq(queue_quarantine(queue, "ln", QUEUE_MAILDROP), 0);
        ck_assert(exists("corrupt/ln"));
}
END_TEST

START_TEST(buckets_end_at_multiples_of_64_seconds) {
        static const struct {
                usec_t due;
                uint64_t bucket;
        } table[] = {
                { 0, 64 }, /* 0 is deferred/ itself, to queue_walk_new() */
                { 1, 64 },
                { 64 * USEC_PER_SEC, 64 },
                { 64 * USEC_PER_SEC + 1, 128 },
                { 1700000000 * USEC_PER_SEC, 1700000000 },
                { 1700000001 * USEC_PER_SEC, 1700000064 },
        };

        for (size_t i = 0; i < ARRAY_LEN(table); i++)
                ck_assert_uint_eq(queue_bucket_for(table[i].due), table[i].bucket);
        ck_assert_uint_eq(queue_bucket_for(USEC_INFINITY) % 64, 0);
}
END_TEST

START_TEST(a_bucket_is_due_when_its_time_has_come_or_cannot_be_meant) {
        const usec_t now = 1700000000 * USEC_PER_SEC, max = 4000 * USEC_PER_SEC;

        ck_assert(queue_bucket_is_due(0, now, max));
        ck_assert(queue_bucket_is_due(1700000000, now, max));
        ck_assert(!queue_bucket_is_due(1700000064, now, max));
        ck_assert(!queue_bucket_is_due(queue_bucket_for(now + max), now, max));
        ck_assert(!queue_bucket_is_due(queue_bucket_for(now + max + USEC_PER_SEC), now, max));
        ck_assert(queue_bucket_is_due(1700000000 + 4000 + 64 * 4, now, max));
        ck_assert(queue_bucket_is_due(UINT64_MAX / USEC_PER_SEC / 64 * 64, now, max));
        ck_assert(!queue_bucket_is_due(64, 0, max));
}
END_TEST

START_TEST(a_message_goes_into_a_bucket_and_back) {
        char path[QUEUE_PATH_MAX];
        QueueWalk *walk;
        const char *name;

        put_message(QUEUE_ACTIVE, &id, 10);
        ck_assert_int_eq(queue_defer(queue, &id, 6400), 0);
        ck_assert(exists("deferred/6400/0123456789ABCDEF0123"));
        ck_assert_int_eq(queue_defer(queue, &id, 6400), QUEUE_E_GONE);
        ck_assert_int_eq(queue_deferred_path(6400, id_text, path), 0);
        ck_assert_str_eq(path, "6400/0123456789ABCDEF0123");
        ck_assert_int_eq(admit(QUEUE_DEFERRED, path, 0), QUEUE_VERDICT_GOOD);
        put_message(QUEUE_ACTIVE, &id, 10);
        ck_assert_int_eq(queue_defer(queue, &id, 6400), QUEUE_E_EXISTS);
        ck_assert_int_eq(queue_undefer(queue, &id, 6400), QUEUE_E_EXISTS);
        ck_assert_int_eq(queue_remove(queue, id_text, QUEUE_ACTIVE), 0);
        ck_assert_int_eq(queue_walk_new(queue, QUEUE_DEFERRED, 6400, &walk), 0);
        ck_assert_int_eq(queue_walk_next(walk, &name), 0);
        ck_assert_str_eq(name, id_text);
        ck_assert_int_eq(queue_walk_next(walk, &name), QUEUE_E_END);
        queue_walk_free(walk);

        ck_assert_int_eq(queue_remove_bucket(queue, 6400), 0); /* has mail: stays */
        ck_assert(exists("deferred/6400"));
        ck_assert_int_eq(queue_undefer(queue, &id, 6400), 0);
        ck_assert(exists("active/0123456789ABCDEF0123"));
        ck_assert_int_eq(queue_undefer(queue, &id, 6400), QUEUE_E_GONE);
        ck_assert_int_eq(queue_undefer(queue, &id, 12800), QUEUE_E_GONE);
        ck_assert_int_eq(queue_remove_bucket(queue, 6400), 0);
        ck_assert(!exists("deferred/6400"));
        ck_assert_int_eq(queue_remove_bucket(queue, 6400), 0);
        ck_assert_int_eq(queue_walk_new(queue, QUEUE_DEFERRED, 6400, &walk), QUEUE_E_GONE);
}
END_TEST

START_TEST(buckets_are_listed_in_order_and_foreign_names_left_alone) {
        static const char *const names[] = {
                "640",  "64",  "1700000000",           "065", "65", "x", "6400", "-64",
                "0064", ".64", "18446744073709551616", "0"
        };
        int deferred = queue_dir_fd(queue, QUEUE_DEFERRED);
        char last[24]; /* the latest time that there is */
        uint64_t *buckets;
        size_t n;

        ck_assert_int_eq(queue_list_buckets(queue, &buckets, &n), 0);
        ck_assert_uint_eq(n, 0);
        free(buckets);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                ck_assert_int_eq(mkdirat(deferred, names[i], 0700), 0);
        (void)snprintf(last, sizeof(last), "%" PRIu64, queue_bucket_for(USEC_INFINITY));
        ck_assert_int_eq(mkdirat(deferred, last, 0700), 0);
        ck_assert_int_eq(queue_list_buckets(queue, &buckets, &n), 0);
        ck_assert_uint_eq(n, 5);
        ck_assert_uint_eq(buckets[0], 64);
        ck_assert_uint_eq(buckets[1], 640);
        ck_assert_uint_eq(buckets[2], 6400);
        ck_assert_uint_eq(buckets[3], 1700000000);
        free(buckets);
}
END_TEST

START_TEST(a_walk_shows_all_but_hidden_names) {
        QueueWalk *walk;
        const char *name;
        size_t n = 0;

        put(QUEUE_HOLD, ".hidden", "x", 1);
        for (int i = 0; i < 2000; i++) {
                char text[32];

                (void)snprintf(text, sizeof(text), "file-%d", i);
                put(QUEUE_HOLD, text, "", 0);
        }
        ck_assert_int_eq(queue_walk_new(queue, QUEUE_HOLD, 0, &walk), 0);
        while (queue_walk_next(walk, &name) == 0) {
                ck_assert(name[0] == 'f');
                ck_assert_int_eq(queue_remove(queue, name, QUEUE_HOLD), 0);
                n++;
        }
        ck_assert_uint_eq(n, 2000);
        queue_walk_free(walk);
        queue_walk_free(NULL);
        /* A second walk starts at the beginning. */
        put(QUEUE_HOLD, "late", "", 0);
        ck_assert_int_eq(queue_walk_new(queue, QUEUE_HOLD, 0, &walk), 0);
        ck_assert_int_eq(queue_walk_next(walk, &name), 0);
        queue_walk_free(walk);
}
END_TEST

START_TEST(only_old_temporary_names_of_writers_are_stale) {
        const usec_t day = 24 * 3600 * USEC_PER_SEC;
        size_t n;

        put(QUEUE_INCOMING, ".0123456789ABCDEF.tmp", "x", 1);
        put(QUEUE_INCOMING, ".0123456789ABCDE.tmp", "x", 1);
        put(QUEUE_INCOMING, ".0123456789ABCDEF.tmq", "x", 1);
        put(QUEUE_INCOMING, ".junk.tmp", "x", 1);
        put(QUEUE_INCOMING, id_text, "x", 1);
        ck_assert_int_eq(mkdirat(queue_dir_fd(queue, QUEUE_INCOMING), ".1123456789ABCDEF.tmp", 0),
                         0);
        ck_assert_int_eq(
                queue_remove_stale(queue, QUEUE_INCOMING, clock_realtime_usec() + day / 2, &n), 0);
        ck_assert_uint_eq(n, 0);
        ck_assert_int_eq(
                queue_remove_stale(queue, QUEUE_INCOMING, clock_realtime_usec() + 2 * day, &n), 0);
        ck_assert_uint_eq(n, 1);
        ck_assert(!exists("incoming/.0123456789ABCDEF.tmp"));
        ck_assert(exists("incoming/.junk.tmp"));
        ck_assert(exists("incoming/0123456789ABCDEF0123"));
}
END_TEST

START_TEST(admission_of_a_good_message_hands_it_over) {
        QueueAdmission admission = QUEUE_ADMISSION_NULL;

        put_message(QUEUE_INCOMING, &id, 100);
        ck_assert_int_eq(queue_admit(queue, QUEUE_INCOMING, id_text, QUEUE_ADMIT_WRITE, &admission),
                         0);
        ck_assert_int_eq(admission.verdict, QUEUE_VERDICT_GOOD);
        ck_assert_int_eq(fcntl(admission.fd, F_GETFL) & O_ACCMODE, O_RDWR);
        ck_assert_uint_eq(queue_file_n_recipients(admission.file), 1);
        queue_admission_deinit(&admission);
        queue_admission_deinit(&admission);
        ck_assert_int_eq(admit(QUEUE_INCOMING, id_text, 0), QUEUE_VERDICT_GOOD);
        ck_assert(exists("incoming/0123456789ABCDEF0123"));
        ck_assert_int_eq(admit(QUEUE_ACTIVE, id_text, 0), QUEUE_VERDICT_GONE);
}
END_TEST

START_TEST(an_incomplete_file_is_removed_where_it_was_never_acknowledged) {
        static const QueueDir fresh[] = { QUEUE_MAILDROP, QUEUE_INCOMING, QUEUE_ACTIVE };

        for (size_t i = 0; i < ARRAY_LEN(fresh); i++) {
                put(fresh[i], id_text, "UNITPO", i * 3);
                ck_assert_int_eq(admit(fresh[i], id_text, 0), QUEUE_VERDICT_INCOMPLETE);
                ck_assert_int_eq(admit(fresh[i], id_text, 0), QUEUE_VERDICT_GONE);
        }
        put(QUEUE_HOLD, id_text, "", 0);
        ck_assert_int_eq(admit(QUEUE_HOLD, id_text, 0), QUEUE_VERDICT_CORRUPT);
        ck_assert(exists("corrupt/0123456789ABCDEF0123"));
        ck_assert_int_eq(mkdirat(queue_dir_fd(queue, QUEUE_DEFERRED), "64", 0700), 0);
        put(QUEUE_DEFERRED, "64/0123456789ABCDEF0123", "", 0);
        ck_assert_int_eq(admit(QUEUE_DEFERRED, "64/0123456789ABCDEF0123", 0),
                         QUEUE_VERDICT_CORRUPT);
        ck_assert(!exists("deferred/64/0123456789ABCDEF0123"));
}
END_TEST

START_TEST(damaged_odd_and_misnamed_files_are_set_aside) {
        put(QUEUE_MAILDROP, id_text, "hello", 5);
        ck_assert_int_eq(admit(QUEUE_MAILDROP, id_text, 0), QUEUE_VERDICT_CORRUPT);
        put(QUEUE_MAILDROP, "hello", "", 0);
        ck_assert_int_eq(admit(QUEUE_MAILDROP, "hello", 0), QUEUE_VERDICT_CORRUPT);
        ck_assert(exists("corrupt/hello"));
        ck_assert_int_eq(symlinkat("/etc/passwd", queue_dir_fd(queue, QUEUE_MAILDROP), id_text), 0);
        ck_assert_int_eq(admit(QUEUE_MAILDROP, id_text, 0), QUEUE_VERDICT_CORRUPT);
        ck_assert_int_eq(mkdirat(queue_dir_fd(queue, QUEUE_MAILDROP), id_text, 0700), 0);
        ck_assert_int_eq(admit(QUEUE_MAILDROP, id_text, 0), QUEUE_VERDICT_CORRUPT);
        ck_assert(!exists("maildrop/0123456789ABCDEF0123"));
}
END_TEST

START_TEST(a_file_of_a_newer_release_is_held_and_left_as_it_is) {
        uint8_t preamble[QUEUE_FORMAT_PRE_BYTES] = QUEUE_FORMAT_MAGIC;

        queue_format_put32(preamble + QUEUE_FORMAT_PRE_VERSION, QUEUE_FORMAT_VERSION + 1);
        queue_format_put32(preamble + QUEUE_FORMAT_PRE_CHECKSUM,
                           crc32c(0, preamble, QUEUE_FORMAT_PRE_CHECKSUM));
        put(QUEUE_ACTIVE, id_text, preamble, sizeof(preamble));
        ck_assert_int_eq(admit(QUEUE_ACTIVE, id_text, QUEUE_ADMIT_WRITE), QUEUE_VERDICT_NEWER);
        ck_assert(exists("hold/0123456789ABCDEF0123"));
        ck_assert_int_eq(admit(QUEUE_HOLD, id_text, 0), QUEUE_VERDICT_NEWER);
        ck_assert(exists("hold/0123456789ABCDEF0123"));
}
END_TEST

START_TEST(a_hole_in_the_content_is_found_after_a_start) {
        static const char hole[4096];
        _cleanup_(fd_closep) int fd = -1;

        put_message(QUEUE_INCOMING, &id, 100000);
        ck_assert_int_eq(admit(QUEUE_INCOMING, id_text, QUEUE_ADMIT_CHECK_CONTENT),
                         QUEUE_VERDICT_GOOD);
        fd = openat(queue_dir_fd(queue, QUEUE_INCOMING), id_text, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(file_pwrite_all(fd, hole, sizeof(hole), 8192), 0);
        ck_assert_int_eq(admit(QUEUE_INCOMING, id_text, 0), QUEUE_VERDICT_GOOD);
        ck_assert_int_eq(admit(QUEUE_INCOMING, id_text, QUEUE_ADMIT_CHECK_CONTENT),
                         QUEUE_VERDICT_CORRUPT);
}
END_TEST

static void add_tests(TCase *tcase) {
        tcase_add_test(tcase, a_missing_directory_is_an_error_only_for_those_who_use_it);
        tcase_add_test(tcase, the_queue_has_one_owner);
        tcase_add_test(tcase, free_space_is_that_of_the_file_system);
        tcase_add_test(tcase, only_regular_files_are_opened_and_none_is_waited_for);
        tcase_add_test(tcase, a_move_never_replaces_a_message);
        tcase_add_test(tcase, quarantine_finds_a_free_name_or_hides_in_place);
        tcase_add_test(tcase, quarantine_takes_the_longest_names_and_other_kinds_of_files);
        tcase_add_test(tcase, buckets_end_at_multiples_of_64_seconds);
        tcase_add_test(tcase, a_bucket_is_due_when_its_time_has_come_or_cannot_be_meant);
        tcase_add_test(tcase, a_message_goes_into_a_bucket_and_back);
        tcase_add_test(tcase, buckets_are_listed_in_order_and_foreign_names_left_alone);
        tcase_add_test(tcase, a_walk_shows_all_but_hidden_names);
        tcase_add_test(tcase, only_old_temporary_names_of_writers_are_stale);
        tcase_add_test(tcase, admission_of_a_good_message_hands_it_over);
        tcase_add_test(tcase, an_incomplete_file_is_removed_where_it_was_never_acknowledged);
        tcase_add_test(tcase, damaged_odd_and_misnamed_files_are_set_aside);
        tcase_add_test(tcase, a_file_of_a_newer_release_is_held_and_left_as_it_is);
        tcase_add_test(tcase, a_hole_in_the_content_is_found_after_a_start);
}

int main(void) {
        Suite *suite = suite_create("queue");
        TCase *tcase = tcase_create("queue");

        tcase_add_checked_fixture(tcase, make_queue, remove_queue);
        add_tests(tcase);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
