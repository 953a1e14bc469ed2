/*
 * The life of some messages in a queue, for tests/role/queue-fault-sweep.py. `run DIR` does all
 * that roles do with the queue and says after each step, in one write(2), what the queue has
 * promised by now. `run-hidden DIR` takes the first steps on a file system without O_TMPFILE.
 * `check DIR` is the restart after a crash: it admits whatever it finds, as pickup and qmgr do, and
 * says what that is.
 *
 * A step that fails is told, ends the way of its message, and must not touch another message.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"
#include "common/mail/queue-admit.h"
#include "tests/unit/no-tmpfile.h"

#define BUCKET    UINT64_C(1700000064)
#define ALL_DIRS  ((1U << QUEUE_N_DIRS) - 1)
#define N_RCPTS   4
#define SMALL     3000
#define LARGE     150000
#define SUBMITTED 2000
#define DAY_USEC  (24 * 3600 * USEC_PER_SEC)

/* One line, one write, no buffer that a crash could lose. */
static void say(const char *format, ...) _printf_(1, 2);

static void say(const char *format, ...) {
        char line[256];
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(line, sizeof(line) - 1, format, args);
        va_end(args);
        line[n++] = '\n';
        if (write(STDOUT_FILENO, line, (size_t)n) != n)
                _exit(3);
}

/* Messages are numbered; number and ID mean the same. */
static QueueId id_of(int number) {
        char text[QUEUE_ID_LEN + 1];
        QueueId id;

        (void)snprintf(text, sizeof(text), "0123456789ABCDEF%04u", (unsigned)number % 10000);
        (void)queue_id_parse(str_from_cstr(text), &id);
        return id;
}

/* Byte I of message NUMBER's content. */
static char content_byte(int number, size_t i) {
        return (char)(i % 72 == 71 ? '\n' : 'a' + (i / 72 + i + (size_t)number) % 26);
}

static int failed(int number, const char *step, int r) {
        say("ERR %d %s %d", number, step, r);
        return -1;
}

/* ---- steps ---- */

static int write_content(QueueFileWriter *writer, int number, size_t size) {
        char block[997];
        int r = 0;

        for (size_t done = 0; r == 0 && done < size;) {
                size_t n = size_min(sizeof(block), size - done);

                for (size_t i = 0; i < n; i++)
                        block[i] = content_byte(number, done + i);
                r = queue_file_writer_add_content(writer, str_from(block, n));
                done += n;
        }
        return r;
}

static int write_message(QueueFileWriter *writer, int number, size_t size) {
        Recipient rcpt = { .orcpt = STR("rfc822;x@example.org") };
        char address[32];
        int r = 0;

        for (int i = 0; r == 0 && i < N_RCPTS; i++) {
                (void)snprintf(address, sizeof(address), "user%d@example.org", i);
                rcpt.address = str_from_cstr(address);
                r = queue_file_writer_add_recipient(writer, &rcpt);
        }
        return r == 0 ? write_content(writer, number, size) : r;
}

/* cleanup and postdrop: after ACK the message is ours, after REFUSED it must not be found. */
static int accept_message(Queue *queue, QueueDir dir, int number, size_t size) {
        _cleanup_(queue_file_writer_freep) QueueFileWriter *writer = NULL;
        Envelope envelope = { .sender = STR("alice@example.org"), .uid = ENVELOPE_NO_UID };
        QueueId id = id_of(number);
        int r;

        say("BEGIN %d %s", number, queue_dir_name(dir));
        r = queue_file_writer_new(queue_dir_fd(queue, dir), &envelope, NULL, &writer);
        if (r == 0)
                r = write_message(writer, number, size);
        if (r == 0)
                r = queue_file_writer_commit(writer, &id);
        if (r == 0) {
                say("ACK %d %s", number, queue_dir_name(dir));
                return 0;
        }
        writer = queue_file_writer_free(writer);
        say("REFUSED %d %s %d", number, queue_dir_name(dir), r);
        return -1;
}

static int admit(Queue *queue, QueueDir dir, int number, unsigned flags, QueueAdmission *ret) {
        QueueId id = id_of(number);
        int r;

        r = queue_admit(queue, dir, id.text, flags, ret);
        if (r != 0)
                return failed(number, "admit", r);
        say("VERDICT %d %d", number, ret->verdict);
        return ret->verdict == QUEUE_VERDICT_GOOD ? 0 : -1;
}

/* pickup: maildrop -> cleanup -> incoming under the same ID, then away with the first. */
static void hand_over(Queue *queue, int number) {
        _cleanup_(queue_admission_deinit) QueueAdmission from = QUEUE_ADMISSION_NULL;
        QueueId id = id_of(number);
        int r;

        if (admit(queue, QUEUE_MAILDROP, number, 0, &from) != 0)
                return;
        if (accept_message(queue, QUEUE_INCOMING, number, queue_file_content_size(from.file)) != 0)
                return;
        r = queue_remove(queue, id.text, QUEUE_MAILDROP);
        if (r != 0)
                (void)failed(number, "remove", r);
}

/* Outcome of the recipient with this index; told before it is written down, as in real life. */
static int mark(int fd, int number, int index, uint64_t offset, RecipientState state) {
        Dsn dsn;
        int r;

        if (state == RECIPIENT_SENT || state == RECIPIENT_RETURNED) {
                say("DELIVERED %d %d", number, index);
                r = queue_file_mark(fd, offset, state);
        } else {
                dsn_set(&dsn, state == RECIPIENT_TODO ? DSN_DEFERRED : DSN_BOUNCED,
                        state == RECIPIENT_TODO ? "4.4.1" : "5.1.1", "attempt of %d", index);
                r = queue_file_write_diagnosis(fd, offset, &dsn, 1700000000, state);
        }
        if (r != 0)
                return failed(number, "mark", r);
        say("MARKED %d %d %c", number, index, state);
        return 0;
}

/* One attempt: STATES has a letter for each recipient, '.' for none. */
static int attempt(QueueAdmission *message, int number, const char *states) {
        QueueFileRecipient rcpt;
        uint64_t cursor = 0;
        int r;

        for (int i = 0; i < N_RCPTS; i++) {
                r = queue_file_next_recipient(message->file, &cursor, true, &rcpt);
                if (r != 0)
                        return failed(number, "next", r);
                if (states[i] != '.' &&
                    mark(message->fd, number, i, rcpt.offset, (RecipientState)states[i]) != 0)
                        return -1;
        }
        return 0;
}

static int move(Queue *queue, int number, const char *step) {
        QueueId id = id_of(number);
        int r;

        if (strcmp(step, "activate") == 0)
                r = queue_move(queue, id.text, QUEUE_INCOMING, QUEUE_ACTIVE);
        else if (strcmp(step, "defer") == 0)
                r = queue_defer(queue, &id, BUCKET);
        else if (strcmp(step, "undefer") == 0)
                r = queue_undefer(queue, &id, BUCKET);
        else
                r = queue_remove(queue, id.text, QUEUE_ACTIVE);
        if (r != 0)
                return failed(number, step, r);
        say("MOVED %d %s", number, step);
        return 0;
}

/* qmgr: an attempt with all outcomes, a second one later, a notice, and the end. */
static void deliver(Queue *queue, int number) {
        _cleanup_(queue_admission_deinit) QueueAdmission message = QUEUE_ADMISSION_NULL;

        if (admit(queue, QUEUE_INCOMING, number, QUEUE_ADMIT_WRITE, &message) != 0 ||
            move(queue, number, "activate") != 0 || attempt(&message, number, "STFT") != 0 ||
            move(queue, number, "defer") != 0 || move(queue, number, "undefer") != 0 ||
            attempt(&message, number, ".F.T") != 0 || attempt(&message, number, ".RRS") != 0)
                return;
        say("DONE %d", number);
        (void)move(queue, number, "remove");
}

static void defer(Queue *queue, int number) {
        _cleanup_(queue_admission_deinit) QueueAdmission message = QUEUE_ADMISSION_NULL;
        unsigned flags = QUEUE_ADMIT_WRITE | QUEUE_ADMIT_CHECK_CONTENT;

        if (admit(queue, QUEUE_INCOMING, number, flags, &message) == 0 &&
            move(queue, number, "activate") == 0 && attempt(&message, number, "TSTT") == 0)
                (void)move(queue, number, "defer");
}

/* Names that the sweep has put there: foreign, empty, newer, a directory, cut, damaged. */
static void admit_junk(Queue *queue) {
        for (int number = 90; number < 96; number++) {
                QueueAdmission admission = QUEUE_ADMISSION_NULL;

                (void)admit(queue, number == 93 ? QUEUE_MAILDROP : QUEUE_INCOMING, number, 0,
                            &admission);
                queue_admission_deinit(&admission);
        }
}

static void tidy(Queue *queue) {
        _cleanup_(freep) uint64_t *buckets = NULL;
        uint64_t bytes, inodes;
        size_t n = 0;
        int r;

        r = queue_list_buckets(queue, &buckets, &n);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = queue_remove_bucket(queue, buckets[i]);
        if (r == 0)
                r = queue_remove_stale(queue, QUEUE_INCOMING, clock_realtime_usec(), NULL);
        if (r == 0)
                r = queue_free_space(queue, &bytes, &inodes);
        if (r != 0)
                (void)failed(0, "tidy", r);
}

static int run(const char *path) {
        _cleanup_(queue_freep) Queue *queue = NULL;
        int r;

        say("START");
        r = queue_open(path, ALL_DIRS, &queue);
        if (r == 0)
                r = queue_lock(queue);
        if (r != 0) {
                (void)failed(0, "open", r);
                return 1;
        }
        (void)accept_message(queue, QUEUE_INCOMING, 1, SMALL);
        (void)accept_message(queue, QUEUE_INCOMING, 2, LARGE);
        (void)accept_message(queue, QUEUE_MAILDROP, 3, SUBMITTED);
        if (!no_tmpfile) {
                hand_over(queue, 3);
                admit_junk(queue);
                deliver(queue, 1);
                defer(queue, 2);
                tidy(queue);
        }
        say("END");
        return 0;
}

/* ---- the restart ---- */

static bool content_is_whole(const QueueAdmission *message, int number) {
        uint64_t offset = queue_file_content_offset(message->file);
        uint64_t size = queue_file_content_size(message->file);
        char block[4096];

        for (uint64_t done = 0; done < size;) {
                size_t n = sizeof(block);

                if (n > size - done)
                        n = (size_t)(size - done);
                if (file_pread_all(message->fd, block, n, (off_t)(offset + done)) != 0)
                        return false;
                for (size_t i = 0; i < n; i++)
                        if (block[i] != content_byte(number, done + i))
                                return false;
                done += n;
        }
        return true;
}

/* States of the recipients, and for each whether its diagnosis is there. */
static void describe_recipients(const QueueAdmission *message, char states[N_RCPTS + 1],
                                char diagnoses[N_RCPTS + 1]) {
        QueueFileRecipient rcpt;
        uint64_t cursor = 0;
        size_t i;

        for (i = 0; i < N_RCPTS; i++) {
                if (queue_file_next_recipient(message->file, &cursor, true, &rcpt) != 0)
                        break;
                states[i] = (char)rcpt.state;
                diagnoses[i] = rcpt.has_diagnosis ? '+' : '-';
        }
        states[i] = diagnoses[i] = '\0';
}

static int check_one(Queue *queue, QueueDir dir, const char *path) {
        _cleanup_(queue_admission_deinit) QueueAdmission message = QUEUE_ADMISSION_NULL;
        char states[N_RCPTS + 1], diagnoses[N_RCPTS + 1];
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        int number = 0, r;

        r = queue_admit(queue, dir, path, QUEUE_ADMIT_CHECK_CONTENT, &message);
        if (r != 0) {
                say("CHECK-FAILED %s %d", path, r);
                return r;
        }
        if (message.verdict != QUEUE_VERDICT_GOOD) {
                say("FOUND %s %s verdict %d", queue_dir_name(dir), name, message.verdict);
                return 0;
        }
        if (strlen(name) == QUEUE_ID_LEN)
                number = (int)strtol(name + 16, NULL, 10);
        describe_recipients(&message, states, diagnoses);
        say("FOUND %s %d %" PRIu64 " %s %s %s", queue_dir_name(dir), number,
            queue_file_content_size(message.file),
            content_is_whole(&message, number) ? "whole" : "broken", states, diagnoses);
        return 0;
}

static int check_dir(Queue *queue, QueueDir dir, uint64_t bucket) {
        _cleanup_(queue_walk_freep) QueueWalk *walk = NULL;
        char path[QUEUE_PATH_MAX];
        const char *name;
        int r;

        r = queue_walk_new(queue, dir, bucket, &walk);
        while (r == 0 && (r = queue_walk_next(walk, &name)) == 0) {
                if (bucket == 0)
                        (void)snprintf(path, sizeof(path), "%s", name);
                else
                        r = queue_deferred_path(bucket, name, path);
                if (r == 0)
                        r = check_one(queue, dir, path);
        }
        return r == QUEUE_E_END ? 0 : r;
}

static int check(const char *path) {
        static const QueueDir dirs[] = { QUEUE_MAILDROP, QUEUE_INCOMING, QUEUE_ACTIVE, QUEUE_HOLD };
        _cleanup_(queue_freep) Queue *queue = NULL;
        _cleanup_(freep) uint64_t *buckets = NULL;
        size_t n_buckets = 0;
        int r;

        r = queue_open(path, ALL_DIRS, &queue);
        if (r == 0)
                r = queue_lock(queue);
        for (size_t i = 0; r == 0 && i < ARRAY_LEN(dirs); i++) {
                r = check_dir(queue, dirs[i], 0);
                if (r == 0)
                        r = queue_remove_stale(queue, dirs[i], clock_realtime_usec() + 2 * DAY_USEC,
                                               NULL);
        }
        if (r == 0)
                r = queue_list_buckets(queue, &buckets, &n_buckets);
        for (size_t i = 0; r == 0 && i < n_buckets; i++) {
                r = check_dir(queue, QUEUE_DEFERRED, buckets[i]);
                if (r == 0)
                        r = queue_remove_bucket(queue, buckets[i]);
        }
        say("CHECKED %d", r);
        return r == 0 ? 0 : 1;
}

int main(int argc, char **argv) {
        if (argc != 3)
                return 64;
        if (strcmp(argv[1], "check") == 0)
                return check(argv[2]);
        no_tmpfile = strcmp(argv[1], "run-hidden") == 0;
        return run(argv[2]);
}
