/*
 * Queue files, written and read back: limits, marks, diagnoses, many recipients, large content.
 * What a damaged file does is in test-queue-file-damage.c.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/mail/queue-file-format.h"
#include "common/mail/queue-file.h"
#include "tests/unit/unit.h"

static char dir_path[] = "/tmp/unitpost-test-queue-file-XXXXXX";
static int dir_fd = -1;

static const Envelope envelope = {
        .arrival_usec = 1700000000123456,
        .sender = { "alice@example.org", 17 },
        .full_name = { "Alice \xc3\xa4", 8 },
        .envid = { "QQ314159", 8 },
        .uid = 1000,
        .flags = ENVELOPE_LOCAL_ORIGIN | ENVELOPE_8BITMIME,
        .ret = ENVELOPE_RET_HDRS,
};

static void make_dir(void) {
        ck_assert_ptr_nonnull(mkdtemp(dir_path));
        dir_fd = file_open_dir(AT_FDCWD, dir_path);
        ck_assert_int_ge(dir_fd, 0);
}

static void remove_dir(void) {
        (void)unlinkat(dir_fd, "0123456789ABCDEF0123", 0);
        ck_assert_int_eq(rmdir(dir_path), 0); /* and nothing else is left */
        (void)close(dir_fd);
}

static const QueueId *test_id(void) {
        static QueueId id;

        ck_assert(queue_id_parse(STR("0123456789ABCDEF0123"), &id));
        return &id;
}

static QueueFileWriter *new_writer(const QueueFileLimits *limits) {
        QueueFileWriter *writer;

        ck_assert_int_eq(queue_file_writer_new(dir_fd, &envelope, limits, &writer), 0);
        return writer;
}

static int add(QueueFileWriter *writer, const char *address) {
        Recipient recipient = { .address = str_from_cstr(address),
                                .original = STR("orig"),
                                .orcpt = STR("rfc822;orig"),
                                .notify = RECIPIENT_NOTIFY_FAILURE };

        return queue_file_writer_add_recipient(writer, &recipient);
}

/* Commit WRITER and open what it made. */
static int commit_and_open(QueueFileWriter *writer, QueueFile **ret) {
        int fd;

        ck_assert_int_eq(queue_file_writer_commit(writer, test_id()), 0);
        queue_file_writer_free(writer);
        fd = openat(dir_fd, test_id()->text, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(queue_file_open(fd, ret), 0);
        return fd;
}

static bool recipient_is(const QueueFileRecipient *rcpt, const char *address) {
        return str_equal(rcpt->recipient.address, str_from_cstr(address));
}

/* A fresh open, the only recipient. */
static QueueFileRecipient read_only_recipient(int fd) {
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        QueueFileRecipient rcpt = { 0 };
        uint64_t cursor = 0;

        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        return rcpt;
}

START_TEST(what_was_written_is_read) {
        QueueFileWriter *writer = new_writer(NULL);
        QueueFileRecipient rcpt;
        QueueFile *file;
        uint64_t cursor = 0;
        char content[12];
        struct stat st;
        int fd;

        ck_assert_int_eq(add(writer, "bob@example.net"), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("Hello\n")), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("a\0b\r\xff\n")), 0);
        ck_assert_int_eq(add(writer, "carol"), 0); /* behind the content */
        ck_assert_uint_eq(queue_file_writer_content_size(writer), 12);
        ck_assert_uint_eq(queue_file_writer_n_recipients(writer), 2);
        fd = commit_and_open(writer, &file);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777 & ~0640U, 0);

        ck_assert_uint_eq(queue_file_envelope(file)->arrival_usec, envelope.arrival_usec);
        ck_assert(str_equal(queue_file_envelope(file)->sender, envelope.sender));
        ck_assert(str_equal(queue_file_envelope(file)->full_name, envelope.full_name));
        ck_assert(str_equal(queue_file_envelope(file)->envid, envelope.envid));
        ck_assert_uint_eq(queue_file_envelope(file)->uid, 1000);
        ck_assert_uint_eq(queue_file_envelope(file)->flags, envelope.flags);
        ck_assert_int_eq(queue_file_envelope(file)->ret, ENVELOPE_RET_HDRS);
        ck_assert(str_is_empty(queue_file_envelope(file)->queue_id));
        ck_assert_uint_eq(queue_file_content_size(file), 12);
        ck_assert_int_eq(file_pread_all(fd, content, 12, (off_t)queue_file_content_offset(file)),
                         0);
        ck_assert_mem_eq(content, "Hello\na\0b\r\xff\n", 12);

        ck_assert_uint_eq(queue_file_n_recipients(file), 2);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        ck_assert(recipient_is(&rcpt, "bob@example.net"));
        ck_assert(str_equal(rcpt.recipient.original, STR("orig")));
        ck_assert(str_equal(rcpt.recipient.orcpt, STR("rfc822;orig")));
        ck_assert_uint_eq(rcpt.recipient.notify, RECIPIENT_NOTIFY_FAILURE);
        ck_assert_int_eq(rcpt.state, RECIPIENT_TODO);
        ck_assert(!rcpt.has_diagnosis);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        ck_assert(recipient_is(&rcpt, "carol"));
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), QUEUE_FILE_E_END);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), QUEUE_FILE_E_END);
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(null_sender_no_recipient_and_no_content_make_a_file) {
        Envelope empty = { .uid = ENVELOPE_NO_UID, .arrival_usec = UINT64_MAX };
        QueueFileWriter *writer;
        QueueFileRecipient rcpt;
        QueueFile *file;
        uint64_t cursor = 0;
        int fd;

        ck_assert_int_eq(queue_file_writer_new(dir_fd, &empty, NULL, &writer), 0);
        fd = commit_and_open(writer, &file);
        ck_assert(str_is_empty(queue_file_envelope(file)->sender));
        ck_assert_uint_eq(queue_file_envelope(file)->arrival_usec, UINT64_MAX);
        ck_assert_uint_eq(queue_file_envelope(file)->uid, ENVELOPE_NO_UID);
        ck_assert_uint_eq(queue_file_content_size(file), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &rcpt), QUEUE_FILE_E_END);
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(an_uncommitted_message_leaves_nothing) {
        static const char block[70000];
        QueueFileWriter *writer = new_writer(NULL);

        ck_assert_int_eq(add(writer, "bob"), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, str_from(block, sizeof(block))), 0);
        queue_file_writer_free(writer);
        queue_file_writer_free(NULL);
        /* remove_dir() finds the directory empty. */
}
END_TEST

START_TEST(a_taken_name_asks_for_another) {
        QueueFileWriter *writer = new_writer(NULL);
        QueueId other;
        int fd;

        ck_assert(queue_id_parse(STR("0123456789ABCDEF0124"), &other));
        fd = openat(dir_fd, test_id()->text, O_CREAT | O_WRONLY, 0600);
        (void)close(fd);
        ck_assert_int_eq(add(writer, "bob"), 0);
        ck_assert_int_eq(queue_file_writer_commit(writer, test_id()), QUEUE_FILE_E_EXISTS);
        ck_assert_int_eq(queue_file_writer_commit(writer, test_id()), QUEUE_FILE_E_EXISTS);
        ck_assert_int_eq(queue_file_writer_commit(writer, &other), 0);
        queue_file_writer_free(writer);
        ck_assert_int_eq(unlinkat(dir_fd, other.text, 0), 0);
}
END_TEST

START_TEST(limits_refuse_one_byte_or_recipient_too_many) {
        const QueueFileLimits limits = { .content_max_bytes = 10, .recipients_max = 2 };
        QueueFileWriter *writer = new_writer(&limits);
        QueueFile *file;
        int fd;

        ck_assert_int_eq(add(writer, "a"), 0);
        ck_assert_int_eq(add(writer, "b"), 0);
        ck_assert_int_eq(add(writer, "c"), QUEUE_FILE_E_TOO_BIG);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("123456789")), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("0x")), QUEUE_FILE_E_TOO_BIG);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("0")), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("x")), QUEUE_FILE_E_TOO_BIG);
        fd = commit_and_open(writer, &file);
        ck_assert_uint_eq(queue_file_content_size(file), 10);
        ck_assert_uint_eq(queue_file_n_recipients(file), 2);
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(texts_that_a_reader_would_refuse_are_not_written) {
        static char long_text[ENVELOPE_ADDRESS_MAX + 1];
        Envelope bad = envelope;
        QueueFileWriter *writer = new_writer(NULL);
        Recipient rcpt = { .address = STR("a\nb") };

        memset(long_text, 'x', sizeof(long_text));
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), QUEUE_FILE_E_MALFORMED);
        rcpt.address = STR("a\0b");
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), QUEUE_FILE_E_MALFORMED);
        rcpt.address = STR_NULL;
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), QUEUE_FILE_E_MALFORMED);
        rcpt.address = str_from(long_text, sizeof(long_text));
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), QUEUE_FILE_E_MALFORMED);
        rcpt = (Recipient){ .address = STR("a"), .orcpt = STR("rfc822;\x7f") };
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), QUEUE_FILE_E_MALFORMED);
        ck_assert_uint_eq(queue_file_writer_n_recipients(writer), 0);
        ck_assert_int_eq(add(writer, "still-usable"), 0);
        queue_file_writer_free(writer);

        bad.sender = STR("a\rb");
        ck_assert_int_eq(queue_file_writer_new(dir_fd, &bad, NULL, &writer),
                         QUEUE_FILE_E_MALFORMED);
        bad.sender = str_from(long_text, sizeof(long_text));
        ck_assert_int_eq(queue_file_writer_new(dir_fd, &bad, NULL, &writer),
                         QUEUE_FILE_E_MALFORMED);
        bad = envelope;
        bad.ret = (EnvelopeRet)3;
        ck_assert_int_eq(queue_file_writer_new(dir_fd, &bad, NULL, &writer),
                         QUEUE_FILE_E_MALFORMED);
}
END_TEST

START_TEST(content_in_two_parts_is_refused) {
        QueueFileWriter *writer = new_writer(NULL);

        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("x")), 0);
        ck_assert_int_eq(add(writer, "a"), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("y")), -EPROTO);
        queue_file_writer_free(writer);
}
END_TEST

/* Sizes around the buffer's, so that preamble and content head are patched in the buffer, in the
 * file, and across both. */
START_TEST(content_of_any_size_is_kept) {
        static uint8_t content[200000], again[200000];
        size_t sizes[] = { 0, 1, 65000, 65200, 65300, 65400, 65536, 131072, 200000 };

        for (size_t i = 0; i < sizeof(content); i++)
                content[i] = (uint8_t)(i * 31 + i / 256);
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
                QueueFileWriter *writer = new_writer(NULL);
                QueueFile *file;
                int fd;

                ck_assert_int_eq(add(writer, "a"), 0);
                for (size_t done = 0; done < sizes[i]; done += 1000)
                        ck_assert_int_eq(queue_file_writer_add_content(
                                                 writer, str_from((char *)content + done,
                                                                  size_min(1000, sizes[i] - done))),
                                         0);
                ck_assert_int_eq(add(writer, "b"), 0);
                fd = commit_and_open(writer, &file);
                ck_assert_uint_eq(queue_file_content_size(file), sizes[i]);
                ck_assert_int_eq(
                        file_pread_all(fd, again, sizes[i], (off_t)queue_file_content_offset(file)),
                        0);
                ck_assert(memcmp(again, content, sizes[i]) == 0);
                ck_assert_int_eq(queue_file_check_content(file), 0);
                queue_file_free(file);
                (void)close(fd);
                ck_assert_int_eq(unlinkat(dir_fd, test_id()->text, 0), 0);
        }
}
END_TEST

/* Recipients of every total length around the buffer's end, then the content's head. */
START_TEST(a_content_head_across_the_buffers_end_is_patched) {
        static char fill[2000];

        memset(fill, 'x', sizeof(fill));
        for (size_t shift = 0; shift < 20; shift++) {
                QueueFileWriter *writer = new_writer(NULL);
                Recipient rcpt = { .address = str_from(fill, 1000) };
                QueueFile *file;
                int fd;

                /* 64 + (9 + 23 + 33) + 63 * 1025 = 64704; the next one ends around 65536. */
                for (int i = 0; i < 63; i++)
                        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), 0);
                rcpt.address = str_from(fill, 65536 - 64704 - 25 - 15 + shift);
                ck_assert_int_eq(queue_file_writer_add_recipient(writer, &rcpt), 0);
                ck_assert_int_eq(queue_file_writer_add_content(writer, STR("content\n")), 0);
                fd = commit_and_open(writer, &file);
                ck_assert_uint_eq(queue_file_content_size(file), 8);
                ck_assert_int_eq(queue_file_check_content(file), 0);
                queue_file_free(file);
                (void)close(fd);
                ck_assert_int_eq(unlinkat(dir_fd, test_id()->text, 0), 0);
        }
}
END_TEST

START_TEST(a_hundred_thousand_recipients_keep_their_order_and_marks) {
        QueueFileWriter *writer = new_writer(NULL);
        QueueFileRecipient rcpt;
        uint64_t cursor = 0, n = 0, n_sent = 0;
        char address[32];
        QueueFile *file;
        int fd;

        for (int i = 0; i < 100000; i++) {
                (void)snprintf(address, sizeof(address), "user-%d", i);
                ck_assert_int_eq(add(writer, address), 0);
        }
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("x\n")), 0);
        fd = commit_and_open(writer, &file);
        while (queue_file_next_recipient(file, &cursor, false, &rcpt) == 0) {
                (void)snprintf(address, sizeof(address), "user-%d", (int)n++);
                ck_assert(recipient_is(&rcpt, address));
                if (n % 3 == 0)
                        ck_assert_int_eq(queue_file_mark(fd, rcpt.offset, RECIPIENT_SENT), 0);
        }
        ck_assert_uint_eq(n, 100000);
        queue_file_free(file);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        for (cursor = 0; queue_file_next_recipient(file, &cursor, false, &rcpt) == 0;)
                n_sent += rcpt.state == RECIPIENT_SENT;
        ck_assert_uint_eq(n_sent, 33333);
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(a_diagnosis_is_kept_and_replaced_in_its_slot) {
        QueueFileWriter *writer = new_writer(NULL);
        QueueFileRecipient rcpt;
        struct stat before, after;
        char longest[DSN_TEXT_MAX];
        QueueFile *file;
        uint64_t offset;
        Dsn dsn;
        int fd;

        memset(longest, 'y', sizeof(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        ck_assert_int_eq(add(writer, "bob"), 0);
        fd = commit_and_open(writer, &file);
        queue_file_free(file);
        offset = read_only_recipient(fd).offset;

        dsn_set(&dsn, DSN_DEFERRED, "4.4.1", "connection refused");
        ck_assert_int_eq(queue_file_write_diagnosis(fd, offset, &dsn, 77, RECIPIENT_TODO), 0);
        rcpt = read_only_recipient(fd);
        ck_assert(rcpt.has_diagnosis);
        ck_assert_int_eq(rcpt.state, RECIPIENT_TODO);
        ck_assert_uint_eq(rcpt.diagnosis_usec, 77);
        ck_assert_int_eq(rcpt.diagnosis.status, DSN_DEFERRED);
        ck_assert_str_eq(rcpt.diagnosis.code, "4.4.1");
        ck_assert_str_eq(rcpt.diagnosis.text, "connection refused");
        ck_assert_str_eq(rcpt.diagnosis.relay, "none");

        ck_assert_int_eq(fstat(fd, &before), 0);
        dsn_set(&dsn, DSN_BOUNCED, "5.999.999", "%s", longest);
        memset(dsn.relay, 'r', sizeof(dsn.relay) - 1);
        ck_assert_int_eq(queue_file_write_diagnosis(fd, offset, &dsn, 78, RECIPIENT_FAILED), 0);
        ck_assert_int_eq(fstat(fd, &after), 0);
        ck_assert_int_eq(after.st_size, before.st_size);
        rcpt = read_only_recipient(fd);
        ck_assert_int_eq(rcpt.state, RECIPIENT_FAILED);
        ck_assert_str_eq(rcpt.diagnosis.text, longest);
        ck_assert_uint_eq(strlen(rcpt.diagnosis.relay), DSN_RELAY_MAX - 1);

        /* TODO leaves the state alone; a mark leaves the diagnosis alone. */
        ck_assert_int_eq(queue_file_write_diagnosis(fd, offset, &dsn, 79, RECIPIENT_TODO), 0);
        ck_assert_int_eq(read_only_recipient(fd).state, RECIPIENT_FAILED);
        ck_assert_int_eq(queue_file_mark(fd, offset, RECIPIENT_RETURNED), 0);
        rcpt = read_only_recipient(fd);
        ck_assert_int_eq(rcpt.state, RECIPIENT_RETURNED);
        ck_assert_uint_eq(rcpt.diagnosis_usec, 79);
        (void)close(fd);
}
END_TEST

START_TEST(each_recipient_has_its_own_diagnosis) {
        QueueFileWriter *writer = new_writer(NULL);
        QueueFileRecipient rcpt;
        uint64_t cursor;
        QueueFile *file;
        Dsn dsn;
        int fd;

        for (int i = 0; i < 5; i++)
                ck_assert_int_eq(add(writer, "x"), 0);
        fd = commit_and_open(writer, &file);
        for (int round = 0; round < 2; round++) {
                cursor = 0;
                for (int i = 0; i < 5; i++) {
                        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &rcpt), 0);
                        dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "round %d number %d", round, i);
                        ck_assert_int_eq(queue_file_write_diagnosis(fd, rcpt.offset, &dsn, 1, 'T'),
                                         0);
                }
        }
        queue_file_free(file);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        cursor = 0;
        for (int i = 0; i < 5; i++) {
                char text[32];

                (void)snprintf(text, sizeof(text), "round 1 number %d", i);
                ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
                ck_assert_str_eq(rcpt.diagnosis.text, text);
        }
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(a_second_walk_sees_the_marks_of_the_first) {
        QueueFileWriter *writer = new_writer(NULL);
        QueueFileRecipient rcpt;
        uint64_t cursor = 0;
        QueueFile *file;
        int fd;

        ck_assert_int_eq(add(writer, "a"), 0);
        ck_assert_int_eq(add(writer, "b"), 0);
        fd = commit_and_open(writer, &file);
        while (queue_file_next_recipient(file, &cursor, false, &rcpt) == 0)
                ck_assert_int_eq(queue_file_mark(fd, rcpt.offset, RECIPIENT_FAILED), 0);
        cursor = 0;
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &rcpt), 0);
                ck_assert_int_eq(rcpt.state, RECIPIENT_FAILED);
        }
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(the_mark_of_a_delay_notice_stays_and_hurts_nothing) {
        QueueFileWriter *writer = new_writer(NULL);
        QueueFile *file, *again;
        QueueFileRecipient found;
        uint64_t cursor = 0;
        int fd;

        ck_assert_int_eq(add(writer, "bob@x"), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("x: y\n")), 0);
        fd = commit_and_open(writer, &file);
        ck_assert(!queue_file_is_delay_noticed(file));
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(queue_file_mark_delay_noticed(fd), 0);
                ck_assert_int_eq(queue_file_open(fd, &again), 0);
                ck_assert(queue_file_is_delay_noticed(again));
                queue_file_free(again);
        }
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &found), 0);
        ck_assert(recipient_is(&found, "bob@x"));
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(a_preamble_that_is_not_good_is_not_marked) {
        static const struct {
                size_t offset;
                bool sealed; /* with a good checksum */
        } changes[] = { { QUEUE_FORMAT_PRE_MAGIC, true },
                        { QUEUE_FORMAT_PRE_VERSION, true },
                        { QUEUE_FORMAT_PRE_CONTENT_SIZE, false },
                        { QUEUE_FORMAT_PRE_CHECKSUM, false } };

        for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
                QueueFileWriter *writer = new_writer(NULL);
                uint8_t preamble[QUEUE_FORMAT_PRE_BYTES], after[QUEUE_FORMAT_PRE_BYTES];
                QueueFile *file;
                int fd = commit_and_open(writer, &file);

                queue_file_free(file);
                ck_assert_int_eq(file_pread_all(fd, preamble, sizeof(preamble), 0), 0);
                preamble[changes[i].offset]++;
                if (changes[i].sealed)
                        queue_format_put32(preamble + QUEUE_FORMAT_PRE_CHECKSUM,
                                           crc32c(0, preamble, QUEUE_FORMAT_PRE_CHECKSUM));
                ck_assert_int_eq(file_pwrite_all(fd, preamble, sizeof(preamble), 0), 0);
                ck_assert_int_eq(queue_file_mark_delay_noticed(fd), QUEUE_FILE_E_CORRUPT);
                ck_assert_int_eq(file_pread_all(fd, after, sizeof(after), 0), 0);
                ck_assert_mem_eq(after, preamble, sizeof(after));
                ck_assert_int_eq(ftruncate(fd, QUEUE_FORMAT_PRE_BYTES - 1), 0);
                ck_assert_int_eq(queue_file_mark_delay_noticed(fd), QUEUE_FILE_E_CORRUPT);
                (void)close(fd);
                ck_assert_int_eq(unlinkat(dir_fd, test_id()->text, 0), 0);
        }
}
END_TEST

START_TEST(a_mark_is_only_made_on_a_recipient) {
        QueueFileWriter *writer = new_writer(NULL);
        struct stat before, after;
        QueueFile *file;
        uint64_t offset;
        Dsn dsn;
        int fd;

        ck_assert_int_eq(add(writer, "bob"), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("x\n")), 0);
        fd = commit_and_open(writer, &file);
        queue_file_free(file);
        offset = read_only_recipient(fd).offset;
        dsn_set(&dsn, DSN_BOUNCED, "5.0.0", "x");
        ck_assert_int_eq(fstat(fd, &before), 0);
        for (uint64_t at = 0; at < (uint64_t)before.st_size + 10; at++) {
                if (at == offset)
                        continue;
                ck_assert_int_eq(queue_file_mark(fd, at, RECIPIENT_SENT), QUEUE_FILE_E_CORRUPT);
                ck_assert_int_eq(queue_file_write_diagnosis(fd, at, &dsn, 1, RECIPIENT_FAILED),
                                 QUEUE_FILE_E_CORRUPT);
        }
        ck_assert_int_eq(queue_file_mark(fd, UINT64_MAX, RECIPIENT_SENT), QUEUE_FILE_E_CORRUPT);
        ck_assert_int_eq(queue_file_mark(fd, INT64_MAX, RECIPIENT_SENT), QUEUE_FILE_E_CORRUPT);
        ck_assert_int_eq(fstat(fd, &after), 0);
        ck_assert_int_eq(after.st_size, before.st_size);
        ck_assert_int_eq(read_only_recipient(fd).state, RECIPIENT_TODO);
        (void)close(fd);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("queue-file");
        TCase *tcase = tcase_create("queue-file");

        tcase_add_checked_fixture(tcase, make_dir, remove_dir);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, what_was_written_is_read);
        tcase_add_test(tcase, null_sender_no_recipient_and_no_content_make_a_file);
        tcase_add_test(tcase, an_uncommitted_message_leaves_nothing);
        tcase_add_test(tcase, a_taken_name_asks_for_another);
        tcase_add_test(tcase, limits_refuse_one_byte_or_recipient_too_many);
        tcase_add_test(tcase, texts_that_a_reader_would_refuse_are_not_written);
        tcase_add_test(tcase, content_in_two_parts_is_refused);
        tcase_add_test(tcase, content_of_any_size_is_kept);
        tcase_add_test(tcase, a_content_head_across_the_buffers_end_is_patched);
        tcase_add_test(tcase, a_hundred_thousand_recipients_keep_their_order_and_marks);
        tcase_add_test(tcase, a_diagnosis_is_kept_and_replaced_in_its_slot);
        tcase_add_test(tcase, each_recipient_has_its_own_diagnosis);
        tcase_add_test(tcase, a_second_walk_sees_the_marks_of_the_first);
        tcase_add_test(tcase, the_mark_of_a_delay_notice_stays_and_hurts_nothing);
        tcase_add_test(tcase, a_preamble_that_is_not_good_is_not_marked);
        tcase_add_test(tcase, a_mark_is_only_made_on_a_recipient);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
