/*
 * A queue file of any bytes: open, read all of it, mark every recipient, open again. The marks of a
 * file that was good must leave it good. Each input is tried as it is, and once more with all
 * checksums made right, because a fuzzer finds no way through a checksum.
 */

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/file.h"
#include "common/mail/queue-file-format.h"
#include "common/mail/queue-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk_and_mark(int fd, QueueFile *file) {
        QueueFileRecipient rcpt;
        uint64_t cursor = 0;
        Dsn dsn;

        dsn_set(&dsn, DSN_DEFERRED, "4.0.0", "fuzz");
        while (queue_file_next_recipient(file, &cursor, true, &rcpt) == 0) {
                if (str_is_empty(rcpt.recipient.address))
                        abort();
                if (queue_file_write_diagnosis(fd, rcpt.offset, &dsn, 1, RECIPIENT_FAILED) != 0)
                        abort();
                if (queue_file_mark(fd, rcpt.offset, RECIPIENT_RETURNED) != 0)
                        abort();
        }
}

static int open_checked(int fd, QueueFile **ret) {
        int r;

        r = queue_file_open(fd, ret);
        if (r < 0)
                abort(); /* nothing in a file may look like an error of the system */
        if (r == QUEUE_FILE_E_CORRUPT && queue_file_reason()[0] == '\0')
                abort();
        return r;
}

/* Make the checksum of the record at AT right; returns where the next one may be, 0 for nowhere. */
static size_t seal_record(uint8_t *data, size_t size, size_t at) {
        size_t room = size - at;
        uint32_t crc;
        uint64_t len;

        if (room < QUEUE_FORMAT_HEAD_BYTES)
                return 0;
        if (data[at] == QUEUE_FORMAT_CONTENT) {
                if (room < QUEUE_FORMAT_CONTENT_HEAD_BYTES)
                        return 0;
                len = queue_format_get64(data + at + 1);
                if (len > room - QUEUE_FORMAT_CONTENT_HEAD_BYTES)
                        return 0;
                crc = crc32c(0, data + at + QUEUE_FORMAT_CONTENT_HEAD_BYTES, len);
                queue_format_put32(data + at + 9, crc32c(crc, data + at, 9));
                return at + QUEUE_FORMAT_CONTENT_HEAD_BYTES + len;
        }
        len = queue_format_get32(data + at + 1);
        if (len > room - QUEUE_FORMAT_HEAD_BYTES)
                return 0;
        crc = queue_format_checksum(data[at], data + at + QUEUE_FORMAT_HEAD_BYTES, len);
        queue_format_put32(data + at + 5, crc);
        return at + QUEUE_FORMAT_HEAD_BYTES + len;
}

/* All checksums: of preamble, records, and what lies at the places of slots. */
static void seal(uint8_t *data, size_t size) {
        size_t at = QUEUE_FORMAT_PRE_BYTES;

        if (size < QUEUE_FORMAT_PRE_BYTES)
                return;
        while (at > 0 && at < size && data[at] != QUEUE_FORMAT_END)
                at = seal_record(data, size, at);
        if (at == 0 || at == size || seal_record(data, size, at) == 0)
                return;
        at = (at + QUEUE_FORMAT_HEAD_BYTES + 63) / 64 * 64;
        for (; at + QUEUE_FORMAT_SLOT_BYTES <= size; at += QUEUE_FORMAT_SLOT_BYTES)
                queue_format_put32(data + at, queue_format_slot_checksum(data + at));
        queue_format_put32(data + QUEUE_FORMAT_PRE_CHECKSUM,
                           crc32c(0, data, QUEUE_FORMAT_PRE_CHECKSUM));
}

static void try_file(const uint8_t *data, size_t size) {
        QueueFile *file = NULL, *again = NULL;
        int fd = memfd_create("fuzz", MFD_CLOEXEC);

        if (fd < 0 || file_write_all(fd, data, size) != 0)
                abort();
        if (open_checked(fd, &file) == 0) {
                walk_and_mark(fd, file);
                if (queue_file_check_content(file) < 0)
                        abort();
                if (queue_file_mark_delay_noticed(fd) != 0 || open_checked(fd, &again) != 0 ||
                    !queue_file_is_delay_noticed(again))
                        abort();
        }
        queue_file_free(file);
        queue_file_free(again);
        (void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        uint8_t *sealed = malloc(size > 0 ? size : 1);

        if (!sealed)
                abort();
        try_file(data, size);
        if (size > 0)
                memcpy(sealed, data, size);
        seal(sealed, size);
        try_file(sealed, size);
        free(sealed);
        return 0;
}
