/*
 * Changes in place: the state of a recipient and its last diagnosis, and marks of the message. Each
 * is one pwrite(2) of bytes that were set aside for it, and nothing here syncs (DESIGN 6). Nothing
 * is written unless a recipient's record is where the caller says, and the preamble whole.
 */

#include "common/mail/queue-file.h"

#include <errno.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/mail/queue-file-format.h"

#define HEAD_AND_MUTABLE (QUEUE_FORMAT_HEAD_BYTES + QUEUE_FORMAT_RCPT_MUTABLE)

/* Read head and mutable part of the recipient's record at OFFSET. */
static int load_mutable(int fd, uint64_t offset, uint8_t bytes[HEAD_AND_MUTABLE]) {
        int r;

        if (offset < QUEUE_FORMAT_PRE_BYTES || offset > INT64_MAX - HEAD_AND_MUTABLE)
                return QUEUE_FILE_E_CORRUPT;
        r = file_pread_all(fd, bytes, HEAD_AND_MUTABLE, (off_t)offset);
        if (r != 0)
                return r == FILE_E_SHORT ? QUEUE_FILE_E_CORRUPT : r;
        if (bytes[0] != QUEUE_FORMAT_RECIPIENT ||
            !queue_format_state_is_valid(bytes[QUEUE_FORMAT_HEAD_BYTES]))
                return QUEUE_FILE_E_CORRUPT;
        return 0;
}

int queue_file_mark(int fd, uint64_t offset, RecipientState state) {
        uint8_t bytes[HEAD_AND_MUTABLE];
        uint8_t byte = (uint8_t)state;
        int r;

        r = load_mutable(fd, offset, bytes);
        if (r != 0)
                return r;
        if (bytes[QUEUE_FORMAT_HEAD_BYTES] == byte)
                return 0;
        return file_pwrite_all(fd, &byte, 1, (off_t)(offset + QUEUE_FORMAT_HEAD_BYTES));
}

static void encode_slot(const Dsn *dsn, uint64_t owner, usec_t now_usec, uint8_t *slot) {
        const Str texts[3] = {
                str_from(dsn->code, strnlen(dsn->code, sizeof(dsn->code))),
                str_from(dsn->relay, strnlen(dsn->relay, sizeof(dsn->relay))),
                str_from(dsn->text, strnlen(dsn->text, sizeof(dsn->text))),
        };

        memset(slot, 0, QUEUE_FORMAT_SLOT_BYTES);
        queue_format_put64(slot + QUEUE_FORMAT_SLOT_OWNER, owner);
        queue_format_put64(slot + QUEUE_FORMAT_SLOT_TIME, now_usec);
        slot[QUEUE_FORMAT_SLOT_STATUS] = (uint8_t)dsn->status;
        (void)queue_format_put_texts(slot + QUEUE_FORMAT_SLOT_LENGTHS,
                                     slot + QUEUE_FORMAT_SLOT_FIXED, texts);
        queue_format_put32(slot + QUEUE_FORMAT_SLOT_CHECKSUM, queue_format_slot_checksum(slot));
}

/*
 * Is there a whole diagnosis of OWNER at OFFSET? An offset that came from the file is believed
 * only then, so that no damage can make us write into a record or into another's slot. 0,
 * negative errno.
 */
static int check_slot(int fd, uint64_t owner, uint64_t offset, bool *ret) {
        uint8_t slot[QUEUE_FORMAT_SLOT_BYTES], records_end[8];
        int r;

        *ret = false;
        if (offset == 0 || offset > INT64_MAX - sizeof(slot) ||
            offset % QUEUE_FORMAT_SLOT_ALIGN != 0)
                return 0;
        r = file_pread_all(fd, records_end, sizeof(records_end), QUEUE_FORMAT_PRE_RECORDS_END);
        if (r != 0 || offset < queue_format_get64(records_end))
                return r == FILE_E_SHORT ? 0 : r;
        r = file_pread_all(fd, slot, sizeof(slot), (off_t)offset);
        if (r != 0)
                return r == FILE_E_SHORT ? 0 : r;
        *ret = queue_format_slot_is_valid(slot, owner);
        return 0;
}

/* Where the recipient's diagnosis goes: to its slot, or behind everything that the file holds. */
static int choose_slot(int fd, uint64_t owner, uint64_t stored, uint64_t *ret) {
        struct stat st;
        bool usable;
        int r;

        *ret = stored;
        r = check_slot(fd, owner, stored, &usable);
        if (r != 0 || usable)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (st.st_size > INT64_MAX - QUEUE_FORMAT_SLOT_BYTES - QUEUE_FORMAT_SLOT_ALIGN)
                return -EFBIG;
        *ret = ((uint64_t)st.st_size + QUEUE_FORMAT_SLOT_ALIGN - 1) / QUEUE_FORMAT_SLOT_ALIGN *
               QUEUE_FORMAT_SLOT_ALIGN;
        return 0;
}

int queue_file_write_diagnosis(int fd, uint64_t offset, const Dsn *dsn, usec_t now_usec,
                               RecipientState state) {
        uint8_t bytes[HEAD_AND_MUTABLE];
        uint8_t *mutable_part = bytes + QUEUE_FORMAT_HEAD_BYTES;
        uint8_t slot[QUEUE_FORMAT_SLOT_BYTES];
        uint64_t stored, slot_offset;
        int r;

        r = load_mutable(fd, offset, bytes);
        if (r != 0)
                return r;
        stored = queue_format_get64(mutable_part + QUEUE_FORMAT_RCPT_SLOT);
        r = choose_slot(fd, offset, stored, &slot_offset);
        if (r != 0)
                return r;
        encode_slot(dsn, offset, now_usec, slot);
        r = file_pwrite_all(fd, slot, sizeof(slot), (off_t)slot_offset);
        if (r != 0)
                return r;
        if (state == RECIPIENT_TODO)
                state = (RecipientState)mutable_part[QUEUE_FORMAT_RCPT_STATE];
        if (stored == slot_offset && mutable_part[QUEUE_FORMAT_RCPT_STATE] == (uint8_t)state)
                return 0;
        mutable_part[QUEUE_FORMAT_RCPT_STATE] = (uint8_t)state;
        queue_format_put64(mutable_part + QUEUE_FORMAT_RCPT_SLOT, slot_offset);
        return file_pwrite_all(fd, mutable_part, QUEUE_FORMAT_RCPT_MUTABLE,
                               (off_t)(offset + QUEUE_FORMAT_HEAD_BYTES));
}

/*
 * The checksum covers the mark, because readers of the release before compare it; so both go in one
 * write. It lies within one sector: a power cut leaves the old preamble or the new one.
 */
int queue_file_mark_delay_noticed(int fd) {
        uint8_t preamble[QUEUE_FORMAT_PRE_BYTES];
        int r;

        r = file_pread_all(fd, preamble, sizeof(preamble), 0);
        if (r != 0)
                return r == FILE_E_SHORT ? QUEUE_FILE_E_CORRUPT : r;
        if (memcmp(preamble, QUEUE_FORMAT_MAGIC, QUEUE_FORMAT_MAGIC_BYTES) != 0 ||
            queue_format_get32(preamble + QUEUE_FORMAT_PRE_VERSION) > QUEUE_FORMAT_VERSION ||
            queue_format_get32(preamble + QUEUE_FORMAT_PRE_CHECKSUM) !=
                    crc32c(0, preamble, QUEUE_FORMAT_PRE_CHECKSUM))
                return QUEUE_FILE_E_CORRUPT;
        if (preamble[QUEUE_FORMAT_PRE_MARKS] & QUEUE_FORMAT_MARK_DELAY_NOTICED)
                return 0;
        preamble[QUEUE_FORMAT_PRE_MARKS] |= QUEUE_FORMAT_MARK_DELAY_NOTICED;
        queue_format_put32(preamble + QUEUE_FORMAT_PRE_CHECKSUM,
                           crc32c(0, preamble, QUEUE_FORMAT_PRE_CHECKSUM));
        return file_pwrite_all(fd, preamble, sizeof(preamble), 0);
}
