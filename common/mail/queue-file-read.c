/*
 * The reader of queue files. Every byte is hostile: a file may have been made by hand, damaged, or
 * may change under our eyes. So every offset and length is checked against the size that fstat(2)
 * gave before it is used, every record is checked again each time it is read (bounds, checksum,
 * texts), and a pread(2) that yields less than it must is damage, not a surprise.
 *
 * One window of at most 64 kB is all the memory, whatever the file says. A small file is read
 * with one pread and served from there.
 */

#include "common/mail/queue-file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/mail/queue-file-format.h"

struct QueueFile {
        int fd;
        uint64_t size; /* of the file when it was opened */
        uint64_t records_end;
        uint64_t content_offset;
        uint64_t content_size;
        uint64_t n_recipients;
        uint32_t content_crc; /* as stored */
        uint8_t marks;        /* QUEUE_FORMAT_MARK_* */
        Envelope envelope;    /* slices into envelope_payload */
        uint8_t *envelope_payload;
        bool walked;            /* the recipients were walked once */
        uint64_t window_offset; /* what part of the file the window holds */
        size_t window_len;
        size_t window_size;
        uint8_t window[]; /* window_size bytes */
};

/* A record whose bounds and checksum are good. */
typedef struct Record {
        uint8_t type;
        uint64_t offset;
        uint64_t next; /* offset of the record behind it */
        const uint8_t *payload;
        size_t len; /* of the payload; not set for the content */
} Record;

/* What the check of a whole file counts. */
typedef struct Tally {
        unsigned n_envelopes;
        unsigned n_contents;
        uint64_t n_recipients;
} Tally;

static const char *last_reason = "";

static int corrupt(const char *reason) {
        last_reason = reason;
        return QUEUE_FILE_E_CORRUPT;
}

const char *queue_file_reason(void) {
        return last_reason;
}

/* Make LEN bytes at OFFSET available; they must be within the file as it was opened. */
static int fetch(QueueFile *file, uint64_t offset, size_t len, const uint8_t **ret) {
        uint64_t end = offset + len;
        size_t want;
        int r;

        if (len > file->window_size || offset > file->size || len > file->size - offset)
                return corrupt("record reaches beyond the end of the file");
        if (offset < file->window_offset || end > file->window_offset + file->window_len) {
                want = file->window_size;
                if (want > file->size - offset)
                        want = (size_t)(file->size - offset);
                file->window_len = 0;
                r = file_pread_all(file->fd, file->window, want, (off_t)offset);
                if (r == FILE_E_SHORT)
                        return corrupt("file shrank while it was read");
                if (r != 0)
                        return r;
                file->window_offset = offset;
                file->window_len = want;
        }
        *ret = file->window + (offset - file->window_offset);
        return 0;
}

static int load_content(QueueFile *file, uint64_t offset, Record *ret) {
        const uint8_t *head;
        uint64_t size;
        int r;

        if (file->records_end - offset < QUEUE_FORMAT_CONTENT_HEAD_BYTES)
                return corrupt("content record is cut");
        r = fetch(file, offset, QUEUE_FORMAT_CONTENT_HEAD_BYTES, &head);
        if (r != 0)
                return r;
        offset += QUEUE_FORMAT_CONTENT_HEAD_BYTES;
        size = queue_format_get64(head + 1);
        if (size > file->records_end - offset)
                return corrupt("content reaches beyond END");
        if (offset != file->content_offset || size != file->content_size)
                return corrupt("content is not where the preamble says");
        file->content_crc = queue_format_get32(head + 9);
        ret->payload = head; /* of no use, but not NULL; its length stays 0 */
        ret->next = offset + size;
        return 0;
}

/* The record at OFFSET, which is below records_end. */
static int load_record(QueueFile *file, uint64_t offset, Record *ret) {
        const uint8_t *head;
        uint32_t len, checksum;
        int r;

        if (file->records_end - offset < QUEUE_FORMAT_HEAD_BYTES)
                return corrupt("record is cut");
        r = fetch(file, offset, QUEUE_FORMAT_HEAD_BYTES, &head);
        if (r != 0)
                return r;
        *ret = (Record){ .type = head[0], .offset = offset };
        if (ret->type == QUEUE_FORMAT_CONTENT)
                return load_content(file, offset, ret);
        len = queue_format_get32(head + 1);
        checksum = queue_format_get32(head + 5);
        if (len > QUEUE_FORMAT_PAYLOAD_MAX ||
            len > file->records_end - offset - QUEUE_FORMAT_HEAD_BYTES)
                return corrupt("record is too long");
        r = fetch(file, offset, QUEUE_FORMAT_HEAD_BYTES + len, &head);
        if (r != 0)
                return r;
        ret->payload = head + QUEUE_FORMAT_HEAD_BYTES;
        ret->len = len;
        ret->next = offset + QUEUE_FORMAT_HEAD_BYTES + len;
        if (queue_format_checksum(ret->type, ret->payload, len) != checksum)
                return corrupt("record has a wrong checksum");
        return 0;
}

static int decode_envelope(QueueFile *file, const Record *record) {
        Envelope *envelope = &file->envelope;
        const uint8_t *p;
        Str texts[3];

        if (record->len < QUEUE_FORMAT_ENV_FIXED)
                return corrupt("envelope is cut");
        file->envelope_payload = malloc(record->len);
        if (!file->envelope_payload)
                return -ENOMEM;
        memcpy(file->envelope_payload, record->payload, record->len);
        p = file->envelope_payload;
        envelope->arrival_usec = queue_format_get64(p + QUEUE_FORMAT_ENV_ARRIVAL);
        envelope->uid = queue_format_get32(p + QUEUE_FORMAT_ENV_UID);
        envelope->flags = queue_format_get32(p + QUEUE_FORMAT_ENV_FLAGS);
        if (p[QUEUE_FORMAT_ENV_RET] > ENVELOPE_RET_FULL)
                return corrupt("envelope has an unknown RET");
        envelope->ret = (EnvelopeRet)p[QUEUE_FORMAT_ENV_RET];
        if (!queue_format_get_texts(p + QUEUE_FORMAT_ENV_LENGTHS, p + QUEUE_FORMAT_ENV_FIXED,
                                    record->len - QUEUE_FORMAT_ENV_FIXED, texts))
                return corrupt("envelope does not add up");
        if (!queue_format_text_is_valid(texts[0], ENVELOPE_ADDRESS_MAX) ||
            !queue_format_text_is_valid(texts[1], ENVELOPE_TEXT_MAX) ||
            !queue_format_text_is_valid(texts[2], ENVELOPE_TEXT_MAX))
                return corrupt("envelope has a malformed text");
        envelope->sender = texts[0];
        envelope->full_name = texts[1];
        envelope->envid = texts[2];
        return 0;
}

static int decode_recipient(const Record *record, QueueFileRecipient *ret) {
        const uint8_t *p = record->payload;
        Str texts[3];

        if (record->len < QUEUE_FORMAT_RCPT_FIXED)
                return corrupt("recipient is cut");
        if (!queue_format_state_is_valid(p[QUEUE_FORMAT_RCPT_STATE]))
                return corrupt("recipient has an unknown state");
        if (!queue_format_get_texts(p + QUEUE_FORMAT_RCPT_LENGTHS, p + QUEUE_FORMAT_RCPT_FIXED,
                                    record->len - QUEUE_FORMAT_RCPT_FIXED, texts))
                return corrupt("recipient does not add up");
        for (int i = 0; i < 3; i++)
                if (!queue_format_text_is_valid(texts[i], ENVELOPE_ADDRESS_MAX))
                        return corrupt("recipient has a malformed text");
        if (str_is_empty(texts[0]))
                return corrupt("recipient has no address");
        ret->offset = record->offset;
        ret->state = (RecipientState)p[QUEUE_FORMAT_RCPT_STATE];
        ret->recipient = (Recipient){
                .address = texts[0],
                .original = texts[1],
                .orcpt = texts[2],
                .notify = p[QUEUE_FORMAT_RCPT_NOTIFY],
        };
        ret->has_diagnosis = false;
        return 0;
}

static int check_preamble(QueueFile *file) {
        size_t magic_len = QUEUE_FORMAT_MAGIC_BYTES;
        const uint8_t *p;
        uint32_t version;
        int r;

        if (file->size < magic_len)
                magic_len = (size_t)file->size;
        r = fetch(file, 0, (size_t)size_min(file->window_size, QUEUE_FORMAT_PRE_BYTES), &p);
        if (r != 0)
                return r;
        if (memcmp(p, QUEUE_FORMAT_MAGIC, magic_len) != 0)
                return corrupt("not a queue file");
        if (file->size < QUEUE_FORMAT_PRE_BYTES)
                return QUEUE_FILE_E_INCOMPLETE;
        if (crc32c(0, p, QUEUE_FORMAT_PRE_CHECKSUM) !=
            queue_format_get32(p + QUEUE_FORMAT_PRE_CHECKSUM))
                return corrupt("preamble has a wrong checksum");
        version = queue_format_get32(p + QUEUE_FORMAT_PRE_VERSION);
        if (version > QUEUE_FORMAT_VERSION)
                return QUEUE_FILE_E_NEWER;
        if (version == 0)
                return corrupt("preamble has version 0");
        file->marks = p[QUEUE_FORMAT_PRE_MARKS];
        file->records_end = queue_format_get64(p + QUEUE_FORMAT_PRE_RECORDS_END);
        file->content_offset = queue_format_get64(p + QUEUE_FORMAT_PRE_CONTENT_OFFSET);
        file->content_size = queue_format_get64(p + QUEUE_FORMAT_PRE_CONTENT_SIZE);
        file->n_recipients = queue_format_get64(p + QUEUE_FORMAT_PRE_N_RECIPIENTS);
        if (file->records_end > INT64_MAX || file->records_end < QUEUE_FORMAT_PRE_BYTES)
                return corrupt("preamble has an impossible length");
        if (file->records_end > file->size)
                return QUEUE_FILE_E_INCOMPLETE;
        return 0;
}

static int check_record(QueueFile *file, const Record *record, Tally *tally) {
        QueueFileRecipient recipient;

        if (tally->n_envelopes == 0 && record->type != QUEUE_FORMAT_ENVELOPE)
                return corrupt("first record is not the envelope");
        switch (record->type) {
        case QUEUE_FORMAT_ENVELOPE:
                if (tally->n_envelopes++ > 0)
                        return corrupt("two envelopes");
                return decode_envelope(file, record);
        case QUEUE_FORMAT_RECIPIENT:
                tally->n_recipients++;
                return decode_recipient(record, &recipient);
        case QUEUE_FORMAT_CONTENT:
                tally->n_contents++; /* a second one is not where the preamble says */
                return 0;
        case QUEUE_FORMAT_END:
                if (record->len > 0 || record->next != file->records_end)
                        return corrupt("END is not at the end");
                return 0;
        default:
                if (record->type >= 'a' && record->type <= 'z')
                        return 0;
                return corrupt("unknown record type");
        }
}

static int check_records(QueueFile *file) {
        Tally tally = { 0 };
        Record record = { .next = QUEUE_FORMAT_PRE_BYTES };
        int r;

        while (record.next < file->records_end) {
                r = load_record(file, record.next, &record);
                if (r == 0)
                        r = check_record(file, &record, &tally);
                if (r != 0)
                        return r;
        }
        if (record.type != QUEUE_FORMAT_END)
                return corrupt("no END record");
        if (tally.n_contents == 0)
                return corrupt("no content");
        if (tally.n_recipients != file->n_recipients)
                return corrupt("number of recipients differs from the preamble");
        return 0;
}

/* Feed the content to a checksum in pieces; then type and length, as the writer did. */
int queue_file_check_content(QueueFile *file) {
        uint64_t done = 0;
        uint32_t crc = 0;
        uint8_t head[QUEUE_FORMAT_CONTENT_HEAD_BYTES];
        const uint8_t *p;
        int r;

        while (done < file->content_size) {
                size_t n = file->window_size;

                if (n > file->content_size - done)
                        n = (size_t)(file->content_size - done);
                r = fetch(file, file->content_offset + done, n, &p);
                if (r != 0)
                        return r;
                crc = crc32c(crc, p, n);
                done += n;
        }
        head[0] = QUEUE_FORMAT_CONTENT;
        queue_format_put64(head + 1, file->content_size);
        if (crc32c(crc, head, 9) != file->content_crc)
                return corrupt("content has a wrong checksum");
        return 0;
}

int queue_file_open(int fd, QueueFile **ret) {
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        struct stat st;
        size_t window_size;
        int r;

        last_reason = "";
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return corrupt("not a regular file");
        if (st.st_size == 0)
                return QUEUE_FILE_E_INCOMPLETE;
        window_size = st.st_size < QUEUE_FORMAT_WINDOW_BYTES ? (size_t)st.st_size
                                                             : QUEUE_FORMAT_WINDOW_BYTES;
        file = malloc(sizeof(*file) + window_size);
        if (!file)
                return -ENOMEM;
        *file = (QueueFile){ .fd = fd, .size = (uint64_t)st.st_size, .window_size = window_size };
        r = check_preamble(file);
        if (r == 0)
                r = check_records(file);
        if (r == 0 && file->size <= file->window_size)
                r = queue_file_check_content(file);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(file);
        return 0;
}

QueueFile *queue_file_free(QueueFile *file) {
        if (!file)
                return NULL;
        free(file->envelope_payload);
        free(file);
        return NULL;
}

const Envelope *queue_file_envelope(const QueueFile *file) {
        return &file->envelope;
}

uint64_t queue_file_content_offset(const QueueFile *file) {
        return file->content_offset;
}

uint64_t queue_file_content_size(const QueueFile *file) {
        return file->content_size;
}

uint64_t queue_file_n_recipients(const QueueFile *file) {
        return file->n_recipients;
}

bool queue_file_is_delay_noticed(const QueueFile *file) {
        return file->marks & QUEUE_FORMAT_MARK_DELAY_NOTICED;
}

/*
 * The diagnosis at OFFSET, if it is one of the recipient whose record is at OWNER. A slot that is
 * missing, torn or another's is no diagnosis: the mail itself is not the worse for it.
 */
static int load_diagnosis(const QueueFile *file, uint64_t offset, QueueFileRecipient *ret) {
        uint8_t slot[QUEUE_FORMAT_SLOT_BYTES];
        const uint8_t *texts = slot + QUEUE_FORMAT_SLOT_FIXED;
        Str text[3];
        size_t len = 0;
        int r;

        if (offset < file->records_end || offset > INT64_MAX - QUEUE_FORMAT_SLOT_BYTES ||
            offset % QUEUE_FORMAT_SLOT_ALIGN != 0)
                return 0;
        r = file_pread_all(file->fd, slot, sizeof(slot), (off_t)offset);
        if (r != 0)
                return r == FILE_E_SHORT ? 0 : r;
        if (!queue_format_slot_is_valid(slot, ret->offset))
                return 0;
        for (int i = 0; i < 3; i++)
                len += queue_format_get16(slot + QUEUE_FORMAT_SLOT_LENGTHS + 2 * i);
        if (len > sizeof(slot) - QUEUE_FORMAT_SLOT_FIXED ||
            !queue_format_get_texts(slot + QUEUE_FORMAT_SLOT_LENGTHS, texts, len, text))
                return 0;
        ret->diagnosis_usec = queue_format_get64(slot + QUEUE_FORMAT_SLOT_TIME);
        ret->has_diagnosis = dsn_parse(&ret->diagnosis, slot[QUEUE_FORMAT_SLOT_STATUS], text[0],
                                       text[2], text[1]);
        return 0;
}

int queue_file_next_recipient(QueueFile *file, uint64_t *cursor, bool want_diagnosis,
                              QueueFileRecipient *ret) {
        uint64_t slot;
        Record record;
        int r;

        if (*cursor == 0) {
                *cursor = QUEUE_FORMAT_PRE_BYTES;
                if (file->walked)
                        file->window_len = 0; /* read the states again */
                file->walked = true;
        }
        do {
                if (*cursor < QUEUE_FORMAT_PRE_BYTES || *cursor > file->records_end)
                        return corrupt("position outside of the records");
                if (*cursor == file->records_end)
                        return QUEUE_FILE_E_END;
                r = load_record(file, *cursor, &record);
                if (r != 0)
                        return r;
                *cursor = record.next;
        } while (record.type != QUEUE_FORMAT_RECIPIENT);
        r = decode_recipient(&record, ret);
        if (r != 0)
                return r;
        slot = queue_format_get64(record.payload + QUEUE_FORMAT_RCPT_SLOT);
        return want_diagnosis && slot > 0 ? load_diagnosis(file, slot, ret) : 0;
}
