/*
 * Queue files that are cut, damaged, made by hand, or change while they are read. None may be
 * taken for good, crash the reader, or make a mark go anywhere but into a recipient's record.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"
#include "common/mail/queue-file-format.h"
#include "common/mail/queue-file.h"
#include "tests/unit/unit.h"

/* ---- files made by hand, record by record ---- */

typedef struct Craft {
        Buf bytes;
        uint64_t content_offset;
        uint64_t content_size;
        uint64_t n_recipients;
} Craft;

static void put_record(Craft *craft, uint8_t type, const void *payload, size_t len) {
        uint8_t head[QUEUE_FORMAT_HEAD_BYTES] = { type };

        queue_format_put32(head + 1, (uint32_t)len);
        queue_format_put32(head + 5, queue_format_checksum(type, payload, len));
        ck_assert_int_eq(buf_append(&craft->bytes, head, sizeof(head)), 0);
        ck_assert_int_eq(buf_append(&craft->bytes, payload, len), 0);
}

static void put_envelope(Craft *craft, uint8_t ret, Str sender) {
        uint8_t payload[QUEUE_FORMAT_PAYLOAD_MAX] = { 0 };
        const Str texts[3] = { sender, STR("Full Name"), STR_NULL };
        size_t len;

        payload[QUEUE_FORMAT_ENV_RET] = ret;
        len = queue_format_put_texts(payload + QUEUE_FORMAT_ENV_LENGTHS,
                                     payload + QUEUE_FORMAT_ENV_FIXED, texts);
        put_record(craft, QUEUE_FORMAT_ENVELOPE, payload, QUEUE_FORMAT_ENV_FIXED + len);
}

static uint64_t put_recipient(Craft *craft, uint8_t state, uint64_t slot, Str address) {
        uint8_t payload[QUEUE_FORMAT_PAYLOAD_MAX] = { state };
        const Str texts[3] = { address, STR("original"), STR_NULL };
        uint64_t offset = craft->bytes.len;
        size_t len;

        queue_format_put64(payload + QUEUE_FORMAT_RCPT_SLOT, slot);
        len = queue_format_put_texts(payload + QUEUE_FORMAT_RCPT_LENGTHS,
                                     payload + QUEUE_FORMAT_RCPT_FIXED, texts);
        put_record(craft, QUEUE_FORMAT_RECIPIENT, payload, QUEUE_FORMAT_RCPT_FIXED + len);
        craft->n_recipients++;
        return offset;
}

static void put_content(Craft *craft, Str content) {
        uint8_t head[QUEUE_FORMAT_CONTENT_HEAD_BYTES] = { QUEUE_FORMAT_CONTENT };

        queue_format_put64(head + 1, content.len);
        queue_format_put32(head + 9, crc32c(crc32c(0, content.data, content.len), head, 9));
        ck_assert_int_eq(buf_append(&craft->bytes, head, sizeof(head)), 0);
        craft->content_offset = craft->bytes.len;
        craft->content_size = content.len;
        ck_assert_int_eq(buf_append_str(&craft->bytes, content), 0);
}

static void put_end(Craft *craft) {
        put_record(craft, QUEUE_FORMAT_END, NULL, 0);
}

static Craft craft_begin(void) {
        static const char preamble[QUEUE_FORMAT_PRE_BYTES];
        Craft craft = { .bytes = BUF_INIT(1024 * 1024) };

        ck_assert_int_eq(buf_append(&craft.bytes, preamble, sizeof(preamble)), 0);
        return craft;
}

/* Envelope, content, and room for what a test adds. */
static Craft craft_usual(void) {
        Craft craft = craft_begin();

        put_envelope(&craft, ENVELOPE_RET_FULL, STR("alice@example.org"));
        put_content(&craft, STR("Subject: x\n\nbody\n"));
        return craft;
}

static void seal(uint8_t *preamble) {
        queue_format_put32(preamble + QUEUE_FORMAT_PRE_CHECKSUM,
                           crc32c(0, preamble, QUEUE_FORMAT_PRE_CHECKSUM));
}

static uint8_t *fill_preamble(Craft *craft) {
        uint8_t *p = (uint8_t *)craft->bytes.data;

        memcpy(p, QUEUE_FORMAT_MAGIC, QUEUE_FORMAT_MAGIC_BYTES);
        queue_format_put32(p + QUEUE_FORMAT_PRE_VERSION, QUEUE_FORMAT_VERSION);
        queue_format_put64(p + QUEUE_FORMAT_PRE_RECORDS_END, craft->bytes.len);
        queue_format_put64(p + QUEUE_FORMAT_PRE_CONTENT_OFFSET, craft->content_offset);
        queue_format_put64(p + QUEUE_FORMAT_PRE_CONTENT_SIZE, craft->content_size);
        queue_format_put64(p + QUEUE_FORMAT_PRE_N_RECIPIENTS, craft->n_recipients);
        seal(p);
        return p;
}

static int new_file(const void *bytes, size_t len) {
        int fd = memfd_create("queue-file", MFD_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_all(fd, bytes, len), 0);
        return fd;
}

/* Open; on success walk it all, which must end well or in CORRUPT. */
static int open_and_walk(int fd) {
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        QueueFileRecipient rcpt;
        uint64_t cursor = 0;
        int r;

        r = queue_file_open(fd, &file);
        if (r != 0)
                return r;
        do
                r = queue_file_next_recipient(file, &cursor, true, &rcpt);
        while (r == 0);
        return r == QUEUE_FILE_E_END ? 0 : r;
}

static int result_of(const void *bytes, size_t len) {
        _cleanup_(fd_closep) int fd = new_file(bytes, len);

        return open_and_walk(fd);
}

/* Close the file with END and a good preamble, look at it, free it. */
static int finish_and_look(Craft *craft) {
        int r;

        put_end(craft);
        (void)fill_preamble(craft);
        r = result_of(craft->bytes.data, craft->bytes.len);
        buf_deinit(&craft->bytes);
        return r;
}

/* The same for a file that must be refused, for this reason and no other. */
static void finish_and_refuse(Craft *craft, const char *reason) {
        ck_assert_int_eq(finish_and_look(craft), QUEUE_FILE_E_CORRUPT);
        ck_assert_str_eq(queue_file_reason(), reason);
}

/* Two recipients, the second with a diagnosis. *RET_RECORDS_END is where the slot's part begins. */
static Craft craft_good(uint64_t *ret_records_end) {
        Craft craft = craft_usual();
        Dsn dsn;
        uint64_t offset;
        char *room;
        off_t size;
        int fd;

        (void)put_recipient(&craft, RECIPIENT_TODO, 0, STR("bob"));
        offset = put_recipient(&craft, RECIPIENT_TODO, 0, STR("carol@example.net"));
        put_end(&craft);
        (void)fill_preamble(&craft);
        *ret_records_end = craft.bytes.len;
        fd = new_file(craft.bytes.data, craft.bytes.len);
        dsn_set(&dsn, DSN_BOUNCED, "5.1.1", "unknown user");
        ck_assert_int_eq(queue_file_write_diagnosis(fd, offset, &dsn, 1, RECIPIENT_FAILED), 0);
        size = lseek(fd, 0, SEEK_END);
        buf_reset(&craft.bytes);
        ck_assert_int_eq(buf_reserve(&craft.bytes, (size_t)size, &room), 0);
        ck_assert_int_eq(file_pread_all(fd, room, (size_t)size, 0), 0);
        buf_commit(&craft.bytes, (size_t)size);
        (void)close(fd);
        return craft;
}

START_TEST(a_file_made_by_hand_as_the_page_says_is_good) {
        uint64_t records_end;
        Craft craft = craft_good(&records_end);

        ck_assert_int_eq(result_of(craft.bytes.data, craft.bytes.len), 0);
        buf_deinit(&craft.bytes);
}
END_TEST

START_TEST(cut_anywhere_before_its_end_it_is_incomplete) {
        uint64_t records_end;
        Craft craft = craft_good(&records_end);

        for (size_t len = 0; len <= craft.bytes.len; len++) {
                int r = result_of(craft.bytes.data, len);

                ck_assert_msg(r == (len < records_end ? QUEUE_FILE_E_INCOMPLETE : 0),
                              "cut to %zu bytes: %d %s", len, r, queue_file_reason());
        }
        buf_deinit(&craft.bytes);
}
END_TEST

/* What may differ in a file with one wrong bit: states, slot offsets, diagnoses. */
static bool is_mutable(uint64_t at, const uint64_t *recipients, uint64_t records_end) {
        for (int i = 0; i < 2; i++)
                if (at >= recipients[i] + QUEUE_FORMAT_HEAD_BYTES &&
                    at < recipients[i] + QUEUE_FORMAT_HEAD_BYTES + QUEUE_FORMAT_RCPT_MUTABLE)
                        return true;
        return at >= records_end;
}

static void find_recipients(const Craft *craft, uint64_t ret[2]) {
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        _cleanup_(fd_closep) int fd = new_file(craft->bytes.data, craft->bytes.len);
        QueueFileRecipient rcpt;
        uint64_t cursor = 0;

        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        for (int i = 0; i < 2; i++) {
                ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &rcpt), 0);
                ret[i] = rcpt.offset;
        }
}

START_TEST(one_wrong_bit_anywhere_is_noticed) {
        uint64_t records_end, recipients[2];
        Craft craft = craft_good(&records_end);

        find_recipients(&craft, recipients);
        for (size_t at = 0; at < craft.bytes.len; at++) {
                for (int bit = 0; bit < 8; bit++) {
                        int r;

                        craft.bytes.data[at] = (char)(craft.bytes.data[at] ^ (1 << bit));
                        r = result_of(craft.bytes.data, craft.bytes.len);
                        ck_assert_msg(r == QUEUE_FILE_E_CORRUPT ||
                                              (r == 0 && is_mutable(at, recipients, records_end)),
                                      "byte %zu bit %d: %d", at, bit, r);
                        craft.bytes.data[at] = (char)(craft.bytes.data[at] ^ (1 << bit));
                }
        }
        buf_deinit(&craft.bytes);
}
END_TEST

START_TEST(a_damaged_diagnosis_is_none_and_is_written_anew) {
        uint64_t records_end, recipients[2], cursor = 0;
        Craft craft = craft_good(&records_end);
        QueueFileRecipient rcpt;
        QueueFile *file;
        Dsn dsn;
        int fd;

        find_recipients(&craft, recipients);
        craft.bytes.data[craft.bytes.len - 1] = 'x';
        fd = new_file(craft.bytes.data, craft.bytes.len);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        ck_assert(!rcpt.has_diagnosis);
        ck_assert_int_eq(rcpt.state, RECIPIENT_FAILED);
        dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "again");
        ck_assert_int_eq(queue_file_write_diagnosis(fd, recipients[1], &dsn, 1, RECIPIENT_TODO), 0);
        queue_file_free(file);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        cursor = 0;
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        ck_assert(rcpt.has_diagnosis);
        ck_assert_str_eq(rcpt.diagnosis.text, "again");
        queue_file_free(file);
        (void)close(fd);
        buf_deinit(&craft.bytes);
}
END_TEST

START_TEST(a_slot_offset_may_point_anywhere) {
        static const uint64_t offsets[] = { 1,
                                            64,
                                            128,
                                            4096,
                                            INT64_MAX,
                                            UINT64_MAX,
                                            1ULL << 63,
                                            INT64_MAX - 63,
                                            UINT64_MAX - 63,
                                            1ULL << 40 };

        for (size_t i = 0; i < ARRAY_LEN(offsets); i++) {
                Craft craft = craft_usual();
                QueueFileRecipient rcpt;
                uint64_t offset, cursor = 0;
                QueueFile *file;
                Dsn dsn;
                int fd;

                offset = put_recipient(&craft, RECIPIENT_TODO, offsets[i], STR("bob"));
                put_end(&craft);
                (void)fill_preamble(&craft);
                fd = new_file(craft.bytes.data, craft.bytes.len);
                ck_assert_int_eq(queue_file_open(fd, &file), 0);
                ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
                ck_assert(!rcpt.has_diagnosis);
                queue_file_free(file);

                dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "x");
                ck_assert_int_eq(queue_file_write_diagnosis(fd, offset, &dsn, 1, RECIPIENT_TODO),
                                 0);
                ck_assert_int_eq(lseek(fd, 0, SEEK_END),
                                 (off_t)(craft.bytes.len + 63) / 64 * 64 + QUEUE_FORMAT_SLOT_BYTES);
                ck_assert_int_eq(open_and_walk(fd), 0);
                (void)close(fd);
                buf_deinit(&craft.bytes);
        }
}
END_TEST

/* A diagnosis that stands in the content, where a stranger may write, is not believed. */
START_TEST(a_slot_within_the_records_is_not_read) {
        uint8_t content[64 + QUEUE_FORMAT_SLOT_BYTES] = { 0 };
        Craft craft = craft_begin();
        uint64_t offset, cursor = 0;
        QueueFileRecipient rcpt;
        QueueFile *file;
        uint8_t *slot;
        Dsn dsn;
        int fd;

        put_envelope(&craft, 0, STR_NULL);
        offset = put_recipient(&craft, RECIPIENT_FAILED, 192, STR("bob"));
        slot = content + (192 - craft.bytes.len - QUEUE_FORMAT_CONTENT_HEAD_BYTES);
        ck_assert_uint_lt((size_t)(slot - content), 64);
        queue_format_put64(slot + QUEUE_FORMAT_SLOT_OWNER, offset);
        slot[QUEUE_FORMAT_SLOT_STATUS] = DSN_BOUNCED;
        (void)queue_format_put_texts(slot + QUEUE_FORMAT_SLOT_LENGTHS,
                                     slot + QUEUE_FORMAT_SLOT_FIXED,
                                     (Str[3]){ STR("5.0.0"), STR("none"), STR("forged") });
        queue_format_put32(slot, queue_format_slot_checksum(slot));
        put_content(&craft, str_from((char *)content, sizeof(content)));
        put_end(&craft);
        (void)fill_preamble(&craft);
        fd = new_file(craft.bytes.data, craft.bytes.len);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt), 0);
        ck_assert(!rcpt.has_diagnosis);
        queue_file_free(file);
        /* Nor is it written to: the content stays whole. */
        dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "x");
        ck_assert_int_eq(queue_file_write_diagnosis(fd, offset, &dsn, 1, RECIPIENT_TODO), 0);
        ck_assert_int_eq(open_and_walk(fd), 0);
        (void)close(fd);
        buf_deinit(&craft.bytes);
}
END_TEST

START_TEST(what_is_no_queue_file_is_corrupt) {
        static const char zeros[200];
        int fd, pipes[2];

        ck_assert_int_eq(result_of("", 0), QUEUE_FILE_E_INCOMPLETE);
        ck_assert_int_eq(result_of("UNI", 3), QUEUE_FILE_E_INCOMPLETE);
        ck_assert_int_eq(result_of("hello", 5), QUEUE_FILE_E_CORRUPT);
        ck_assert_int_eq(result_of("From: x\n\nThis is the text of a mail, and no queue file.", 54),
                         QUEUE_FILE_E_CORRUPT);
        ck_assert_int_eq(result_of(zeros, 3), QUEUE_FILE_E_CORRUPT);
        ck_assert_int_eq(result_of(zeros, sizeof(zeros)), QUEUE_FILE_E_CORRUPT);
        ck_assert_str_eq(queue_file_reason(), "not a queue file");
        fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_eq(open_and_walk(fd), QUEUE_FILE_E_CORRUPT);
        (void)close(fd);
        ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
        ck_assert_int_eq(open_and_walk(pipes[0]), QUEUE_FILE_E_CORRUPT);
        (void)close(pipes[0]);
        (void)close(pipes[1]);
        ck_assert_int_eq(open_and_walk(-1), -EBADF);
}
END_TEST

START_TEST(a_preamble_that_lies_is_corrupt_and_a_newer_one_is_newer) {
        static const struct {
                size_t offset;
                uint64_t value;
                int result;
        } table[] = {
                { QUEUE_FORMAT_PRE_RECORDS_END, 0, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_RECORDS_END, 63, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_RECORDS_END, 64, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_RECORDS_END, 65, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_RECORDS_END, 100, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_RECORDS_END, INT64_MAX, QUEUE_FILE_E_INCOMPLETE },
                { QUEUE_FORMAT_PRE_RECORDS_END, 1ULL << 63, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_RECORDS_END, UINT64_MAX, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_CONTENT_OFFSET, 0, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_CONTENT_OFFSET, UINT64_MAX, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_CONTENT_SIZE, 0, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_CONTENT_SIZE, 1ULL << 63, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_CONTENT_SIZE, UINT64_MAX, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_N_RECIPIENTS, 0, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_N_RECIPIENTS, 1, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_N_RECIPIENTS, 3, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_N_RECIPIENTS, UINT64_MAX, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_VERSION, 0, QUEUE_FILE_E_CORRUPT },
                { QUEUE_FORMAT_PRE_VERSION, 2, QUEUE_FILE_E_NEWER },
                { QUEUE_FORMAT_PRE_VERSION, UINT32_MAX, QUEUE_FILE_E_NEWER },
                { 48, UINT64_MAX, 0 }, /* reserved, for a later release to use */
        };

        for (size_t i = 0; i < ARRAY_LEN(table); i++) {
                uint64_t records_end;
                Craft craft = craft_good(&records_end);
                uint8_t *p = (uint8_t *)craft.bytes.data;
                int r;

                queue_format_put64(p + table[i].offset, table[i].value);
                seal(p);
                r = result_of(p, craft.bytes.len);
                ck_assert_msg(r == table[i].result, "row %zu: %d %s", i, r, queue_file_reason());
                if (table[i].offset == QUEUE_FORMAT_PRE_CONTENT_OFFSET ||
                    table[i].offset == QUEUE_FORMAT_PRE_CONTENT_SIZE)
                        ck_assert_str_eq(queue_file_reason(),
                                         "content is not where the preamble says");
                buf_deinit(&craft.bytes);
        }
}
END_TEST

START_TEST(records_that_do_not_add_up_are_corrupt) {
        uint8_t payload[QUEUE_FORMAT_PAYLOAD_MAX + 1] = { RECIPIENT_TODO };
        Craft craft;

        craft = craft_usual();
        ck_assert_int_eq(finish_and_look(&craft), 0); /* the ground of what follows */

        craft = craft_begin(); /* no envelope */
        put_content(&craft, STR("x"));
        finish_and_refuse(&craft, "first record is not the envelope");
        craft = craft_begin(); /* no content */
        put_envelope(&craft, 0, STR_NULL);
        finish_and_refuse(&craft, "no content");
        craft = craft_usual();
        put_envelope(&craft, 0, STR_NULL);
        finish_and_refuse(&craft, "two envelopes");
        craft = craft_usual();
        put_content(&craft, STR("x"));
        finish_and_refuse(&craft, "content is not where the preamble says");
        craft = craft_usual();
        put_end(&craft); /* END in the middle */
        finish_and_refuse(&craft, "END is not at the end");
        craft = craft_usual();
        put_record(&craft, 'X', "x", 1); /* a type that one must know */
        finish_and_refuse(&craft, "unknown record type");
        craft = craft_usual();
        put_record(&craft, 0, "x", 1);
        finish_and_refuse(&craft, "unknown record type");
        craft = craft_usual();
        put_record(&craft, 'x', "x", 1); /* a type that one need not know */
        ck_assert_int_eq(finish_and_look(&craft), 0);
        craft = craft_usual();
        put_record(&craft, 'x', payload, sizeof(payload));
        finish_and_refuse(&craft, "record is too long");
        craft = craft_usual();
        put_record(&craft, QUEUE_FORMAT_RECIPIENT, payload, QUEUE_FORMAT_RCPT_FIXED - 1);
        craft.n_recipients++;
        finish_and_refuse(&craft, "recipient is cut");
        craft = craft_usual();
        put_record(&craft, QUEUE_FORMAT_RECIPIENT, payload, QUEUE_FORMAT_RCPT_FIXED + 1);
        craft.n_recipients++; /* lengths say 0, one byte more is there */
        finish_and_refuse(&craft, "recipient does not add up");
        memset(payload + QUEUE_FORMAT_RCPT_LENGTHS, 0xff, 6);
        craft = craft_usual();
        put_record(&craft, QUEUE_FORMAT_RECIPIENT, payload, QUEUE_FORMAT_RCPT_FIXED + 10);
        craft.n_recipients++;
        finish_and_refuse(&craft, "recipient does not add up");
}
END_TEST

START_TEST(lengths_beyond_the_file_are_corrupt) {
        static const uint32_t lengths[] = { 1, 17, 16 * 1024, 0x7fffffff, 0xffffffff, 0xfffffff7 };
        static const uint64_t content_lengths[] = { 1ULL << 40, INT64_MAX, UINT64_MAX,
                                                    UINT64_MAX - 100 };

        for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
                Craft craft = craft_usual();
                size_t at = craft.bytes.len;

                put_record(&craft, 'x', "", 0);
                queue_format_put32((uint8_t *)craft.bytes.data + at + 1, lengths[i]);
                finish_and_refuse(&craft, lengths[i] < 10 ? "record has a wrong checksum"
                                                          : "record is too long");
        }
        for (size_t i = 0; i < ARRAY_LEN(content_lengths); i++) {
                Craft craft = craft_usual();
                uint8_t *head = (uint8_t *)craft.bytes.data + craft.content_offset -
                                QUEUE_FORMAT_CONTENT_HEAD_BYTES;

                queue_format_put64(head + 1, content_lengths[i]);
                craft.content_size = content_lengths[i]; /* the preamble agrees with the lie */
                finish_and_refuse(&craft, "content reaches beyond END");
        }
}
END_TEST

/* Where slots lie there are bytes behind END, and a record must not reach into them. */
START_TEST(lengths_beyond_end_but_within_the_file_are_corrupt) {
        for (int is_content = 0; is_content < 2; is_content++) {
                uint64_t records_end;
                Craft craft = craft_good(&records_end);
                uint8_t *p = (uint8_t *)craft.bytes.data;
                uint64_t content_offset = queue_format_get64(p + QUEUE_FORMAT_PRE_CONTENT_OFFSET);

                if (is_content) {
                        queue_format_put64(p + content_offset - 12, records_end);
                        queue_format_put64(p + QUEUE_FORMAT_PRE_CONTENT_SIZE, records_end);
                        seal(p);
                } else {
                        queue_format_put32(p + records_end - QUEUE_FORMAT_HEAD_BYTES + 1, 10);
                }
                ck_assert_int_eq(result_of(p, craft.bytes.len), QUEUE_FILE_E_CORRUPT);
                ck_assert_str_eq(queue_file_reason(),
                                 is_content ? "content reaches beyond END" : "record is too long");
                buf_deinit(&craft.bytes);
        }
}
END_TEST

START_TEST(texts_with_control_bytes_or_over_their_limit_are_corrupt) {
        static char long_text[ENVELOPE_ADDRESS_MAX + 1];
        const Str bad[] = { STR("a\0b"), STR("a\nb"), STR("\x7f"), STR_NULL,
                            str_from(long_text, sizeof(long_text)) };
        Craft craft;

        memset(long_text, 'x', sizeof(long_text));
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                craft = craft_usual();
                (void)put_recipient(&craft, RECIPIENT_TODO, 0, bad[i]);
                ck_assert_int_eq(finish_and_look(&craft), QUEUE_FILE_E_CORRUPT);
                if (str_is_empty(bad[i]))
                        continue; /* for a sender it is the null reverse-path */
                craft = craft_begin();
                put_envelope(&craft, 0, bad[i]);
                put_content(&craft, STR("x"));
                ck_assert_int_eq(finish_and_look(&craft), QUEUE_FILE_E_CORRUPT);
        }
        craft = craft_usual();
        (void)put_recipient(&craft, RECIPIENT_TODO, 0, str_from(long_text, sizeof(long_text) - 1));
        ck_assert_int_eq(finish_and_look(&craft), 0);
        craft = craft_begin();
        put_envelope(&craft, 3, STR_NULL);
        put_content(&craft, STR("x"));
        ck_assert_int_eq(finish_and_look(&craft), QUEUE_FILE_E_CORRUPT);
}
END_TEST

START_TEST(only_four_states_exist) {
        for (int state = 0; state < 256; state++) {
                bool known = state == 'T' || state == 'S' || state == 'F' || state == 'R';
                Craft craft = craft_usual();

                (void)put_recipient(&craft, (uint8_t)state, 0, STR("bob"));
                ck_assert_int_eq(finish_and_look(&craft), known ? 0 : QUEUE_FILE_E_CORRUPT);
        }
}
END_TEST

/* Larger than the window, so that the reader has to come back to the file. */
static int new_large_file(void) {
        Craft craft = craft_usual();
        char address[32];
        int fd;

        for (int i = 0; i < 5000; i++) {
                (void)snprintf(address, sizeof(address), "user-%d", i);
                (void)put_recipient(&craft, RECIPIENT_TODO, 0, str_from_cstr(address));
        }
        put_end(&craft);
        (void)fill_preamble(&craft);
        fd = new_file(craft.bytes.data, craft.bytes.len);
        buf_deinit(&craft.bytes);
        return fd;
}

START_TEST(a_file_that_shrinks_while_open_is_corrupt) {
        for (off_t size = 0; size < 200000; size += 999) {
                int fd = new_large_file(), r = 0;
                QueueFileRecipient rcpt;
                uint64_t cursor = 0;
                QueueFile *file;

                ck_assert_int_eq(queue_file_open(fd, &file), 0);
                ck_assert_int_eq(ftruncate(fd, size), 0);
                while (r == 0)
                        r = queue_file_next_recipient(file, &cursor, true, &rcpt);
                ck_assert_int_eq(r, QUEUE_FILE_E_CORRUPT);
                ck_assert_str_eq(queue_file_reason(), "file shrank while it was read");
                queue_file_free(file);
                (void)close(fd);
        }
}
END_TEST

START_TEST(a_file_that_changes_while_open_is_read_with_care) {
        static uint8_t noise[300000];
        int fd = new_large_file(), r = 0;
        QueueFileRecipient rcpt;
        uint64_t cursor = 0;
        QueueFile *file;

        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        for (size_t i = 0; i < sizeof(noise); i++)
                noise[i] = (uint8_t)(i * i >> 3);
        ck_assert_int_eq(file_pwrite_all(fd, noise, sizeof(noise), 0), 0); /* it grows, too */
        while (r == 0)
                r = queue_file_next_recipient(file, &cursor, true, &rcpt);
        ck_assert_int_eq(r, QUEUE_FILE_E_CORRUPT);
        cursor = UINT64_MAX;
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt),
                         QUEUE_FILE_E_CORRUPT);
        ck_assert_str_eq(queue_file_reason(), "position outside of the records");
        cursor = 1;
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, true, &rcpt),
                         QUEUE_FILE_E_CORRUPT);
        queue_file_free(file);
        (void)close(fd);
}
END_TEST

START_TEST(a_hole_in_large_content_is_found_when_asked_for) {
        static char content[100000];
        static const char hole[4096];
        Craft craft = craft_begin();
        QueueFile *file;
        int fd;

        memset(content, 'x', sizeof(content));
        put_envelope(&craft, 0, STR_NULL);
        put_content(&craft, str_from(content, sizeof(content)));
        put_end(&craft);
        (void)fill_preamble(&craft);
        fd = new_file(craft.bytes.data, craft.bytes.len);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert_int_eq(queue_file_check_content(file), 0);
        ck_assert_int_eq(file_pwrite_all(fd, hole, sizeof(hole), 40960), 0);
        ck_assert_int_eq(queue_file_check_content(file), QUEUE_FILE_E_CORRUPT);
        queue_file_free(file);
        (void)close(fd);
        buf_deinit(&craft.bytes);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("queue-file-damage");
        TCase *tcase = tcase_create("queue-file-damage");

        tcase_set_timeout(tcase, 120);
        tcase_add_test(tcase, a_file_made_by_hand_as_the_page_says_is_good);
        tcase_add_test(tcase, cut_anywhere_before_its_end_it_is_incomplete);
        tcase_add_test(tcase, one_wrong_bit_anywhere_is_noticed);
        tcase_add_test(tcase, a_damaged_diagnosis_is_none_and_is_written_anew);
        tcase_add_test(tcase, a_slot_offset_may_point_anywhere);
        tcase_add_test(tcase, a_slot_within_the_records_is_not_read);
        tcase_add_test(tcase, what_is_no_queue_file_is_corrupt);
        tcase_add_test(tcase, a_preamble_that_lies_is_corrupt_and_a_newer_one_is_newer);
        tcase_add_test(tcase, records_that_do_not_add_up_are_corrupt);
        tcase_add_test(tcase, lengths_beyond_the_file_are_corrupt);
        tcase_add_test(tcase, lengths_beyond_end_but_within_the_file_are_corrupt);
        tcase_add_test(tcase, texts_with_control_bytes_or_over_their_limit_are_corrupt);
        tcase_add_test(tcase, only_four_states_exist);
        tcase_add_test(tcase, a_file_that_shrinks_while_open_is_corrupt);
        tcase_add_test(tcase, a_file_that_changes_while_open_is_read_with_care);
        tcase_add_test(tcase, a_hole_in_large_content_is_found_when_asked_for);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
