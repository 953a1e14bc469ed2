/*
 * The writer of queue files (cleanup, postdrop). Bytes are gathered in one buffer; what depends on
 * the whole (preamble, the content's length and checksum) is patched at the end, in the buffer
 * when nothing has left it yet, so that a small message is one pwrite(2).
 *
 * The file is made at the first flush, not before: a message that is refused half way has cost
 * no system call. Whatever goes wrong, nothing is left behind: durable-file.h sees to that.
 */

#include "common/mail/queue-file.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/durable-file.h"
#include "common/base/file.h"
#include "common/mail/queue-file-format.h"

typedef enum ContentPhase {
        CONTENT_BEFORE,
        CONTENT_OPEN,
        CONTENT_CLOSED,
} ContentPhase;

struct QueueFileWriter {
        int dir_fd;
        DurableFile *file;
        QueueFileLimits limits;
        ContentPhase phase;
        uint64_t content_head; /* offset of the content's record */
        uint64_t content_size;
        uint32_t content_crc;
        uint64_t n_recipients;
        int error;        /* the first failure: the file is lost */
        bool finished;    /* all is written; what remains is the name */
        uint64_t flushed; /* bytes in the file; the buffer's first byte goes there */
        size_t len;
        uint8_t buffer[QUEUE_FORMAT_WINDOW_BYTES];
};

static int ensure_file(QueueFileWriter *writer) {
        return writer->file ? 0 : durable_file_new(writer->dir_fd, 0640, &writer->file);
}

static int write_out(QueueFileWriter *writer, const void *data, size_t len) {
        int r;

        r = ensure_file(writer);
        if (r == 0)
                r = file_pwrite_all(durable_file_fd(writer->file), data, len,
                                    (off_t)writer->flushed);
        if (r != 0)
                return writer->error = r;
        writer->flushed += len;
        return 0;
}

static int flush(QueueFileWriter *writer) {
        int r;

        r = write_out(writer, writer->buffer, writer->len);
        if (r == 0)
                writer->len = 0;
        return r;
}

static int put(QueueFileWriter *writer, const void *data, size_t len) {
        const uint8_t *p = data;
        int r;

        while (len > 0) {
                size_t n = size_min(len, sizeof(writer->buffer) - writer->len);

                if (n == 0) {
                        r = flush(writer);
                        if (r != 0)
                                return r;
                        continue;
                }
                memcpy(writer->buffer + writer->len, p, n);
                writer->len += n;
                p += n;
                len -= n;
        }
        return 0;
}

static uint64_t position(const QueueFileWriter *writer) {
        return writer->flushed + writer->len;
}

/* Overwrite bytes that were put before, wherever they are by now. */
static int patch(QueueFileWriter *writer, uint64_t offset, const uint8_t *data, size_t len) {
        size_t in_file = 0;
        int r;

        if (offset < writer->flushed) {
                in_file = (size_t)(writer->flushed - offset);
                in_file = size_min(in_file, len);
                r = file_pwrite_all(durable_file_fd(writer->file), data, in_file, (off_t)offset);
                if (r != 0)
                        return writer->error = r;
        }
        if (len > in_file)
                memcpy(writer->buffer + (offset + in_file - writer->flushed), data + in_file,
                       len - in_file);
        return 0;
}

static int put_record(QueueFileWriter *writer, uint8_t type, const uint8_t *payload, size_t len) {
        uint8_t head[QUEUE_FORMAT_HEAD_BYTES];
        int r;

        head[0] = type;
        queue_format_put32(head + 1, (uint32_t)len);
        queue_format_put32(head + 5, queue_format_checksum(type, payload, len));
        r = put(writer, head, sizeof(head));
        return r == 0 ? put(writer, payload, len) : r;
}

static int put_envelope(QueueFileWriter *writer, const Envelope *envelope) {
        uint8_t payload[QUEUE_FORMAT_PAYLOAD_MAX] = { 0 };
        const Str texts[3] = { envelope->sender, envelope->full_name, envelope->envid };
        size_t len;

        if (!queue_format_text_is_valid(envelope->sender, ENVELOPE_ADDRESS_MAX) ||
            !queue_format_text_is_valid(envelope->full_name, ENVELOPE_TEXT_MAX) ||
            !queue_format_text_is_valid(envelope->envid, ENVELOPE_TEXT_MAX) ||
            (unsigned)envelope->ret > ENVELOPE_RET_FULL)
                return QUEUE_FILE_E_MALFORMED;
        queue_format_put64(payload + QUEUE_FORMAT_ENV_ARRIVAL, envelope->arrival_usec);
        queue_format_put32(payload + QUEUE_FORMAT_ENV_UID, envelope->uid);
        queue_format_put32(payload + QUEUE_FORMAT_ENV_FLAGS, envelope->flags);
        payload[QUEUE_FORMAT_ENV_RET] = (uint8_t)envelope->ret;
        len = queue_format_put_texts(payload + QUEUE_FORMAT_ENV_LENGTHS,
                                     payload + QUEUE_FORMAT_ENV_FIXED, texts);
        return put_record(writer, QUEUE_FORMAT_ENVELOPE, payload, QUEUE_FORMAT_ENV_FIXED + len);
}

int queue_file_writer_new(int dir_fd, const Envelope *envelope, const QueueFileLimits *limits,
                          QueueFileWriter **ret) {
        _cleanup_(queue_file_writer_freep) QueueFileWriter *writer = NULL;
        int r;

        writer = malloc(sizeof(*writer));
        if (!writer)
                return -ENOMEM;
        memset(writer, 0, offsetof(QueueFileWriter, buffer));
        memset(writer->buffer, 0, QUEUE_FORMAT_PRE_BYTES);
        writer->len = QUEUE_FORMAT_PRE_BYTES;
        writer->dir_fd = dir_fd;
        if (limits)
                writer->limits = *limits;
        r = put_envelope(writer, envelope);
        if (r != 0)
                return r;
        *ret = TAKE_PTR(writer);
        return 0;
}

QueueFileWriter *queue_file_writer_free(QueueFileWriter *writer) {
        if (!writer)
                return NULL;
        durable_file_free(writer->file);
        free(writer);
        return NULL;
}

/* Put the length and the checksum into the content's record. */
static int close_content(QueueFileWriter *writer) {
        uint8_t head[QUEUE_FORMAT_CONTENT_HEAD_BYTES];
        uint32_t crc;

        if (writer->phase != CONTENT_OPEN)
                return 0;
        writer->phase = CONTENT_CLOSED;
        head[0] = QUEUE_FORMAT_CONTENT;
        queue_format_put64(head + 1, writer->content_size);
        crc = crc32c(writer->content_crc, head, 9);
        queue_format_put32(head + 9, crc);
        return patch(writer, writer->content_head, head, sizeof(head));
}

static int open_content(QueueFileWriter *writer) {
        static const uint8_t head[QUEUE_FORMAT_CONTENT_HEAD_BYTES] = { QUEUE_FORMAT_CONTENT };

        writer->phase = CONTENT_OPEN;
        writer->content_head = position(writer);
        return put(writer, head, sizeof(head));
}

int queue_file_writer_add_recipient(QueueFileWriter *writer, const Recipient *recipient) {
        uint8_t payload[QUEUE_FORMAT_PAYLOAD_MAX];
        const Str texts[3] = { recipient->address, recipient->original, recipient->orcpt };
        size_t len;
        int r;

        if (writer->error || writer->finished)
                return writer->error ? writer->error : -EPROTO;
        if (writer->limits.recipients_max && writer->n_recipients >= writer->limits.recipients_max)
                return QUEUE_FILE_E_TOO_BIG;
        if (str_is_empty(recipient->address) || recipient->notify > UINT8_MAX)
                return QUEUE_FILE_E_MALFORMED;
        for (int i = 0; i < 3; i++)
                if (!queue_format_text_is_valid(texts[i], ENVELOPE_ADDRESS_MAX))
                        return QUEUE_FILE_E_MALFORMED;
        r = close_content(writer);
        if (r != 0)
                return r;
        payload[QUEUE_FORMAT_RCPT_STATE] = RECIPIENT_TODO;
        queue_format_put64(payload + QUEUE_FORMAT_RCPT_SLOT, 0);
        payload[QUEUE_FORMAT_RCPT_NOTIFY] = (uint8_t)recipient->notify;
        len = queue_format_put_texts(payload + QUEUE_FORMAT_RCPT_LENGTHS,
                                     payload + QUEUE_FORMAT_RCPT_FIXED, texts);
        r = put_record(writer, QUEUE_FORMAT_RECIPIENT, payload, QUEUE_FORMAT_RCPT_FIXED + len);
        if (r == 0)
                writer->n_recipients++;
        return r;
}

int queue_file_writer_add_content(QueueFileWriter *writer, Str data) {
        int r = 0;

        if (writer->error || writer->finished || writer->phase == CONTENT_CLOSED)
                return writer->error ? writer->error : -EPROTO;
        if (writer->limits.content_max_bytes &&
            data.len > writer->limits.content_max_bytes - writer->content_size)
                return QUEUE_FILE_E_TOO_BIG;
        if (writer->phase == CONTENT_BEFORE)
                r = open_content(writer);
        if (r == 0)
                r = put(writer, data.data, data.len);
        if (r != 0)
                return r;
        writer->content_size += data.len;
        writer->content_crc = crc32c(writer->content_crc, data.data, data.len);
        return 0;
}

uint64_t queue_file_writer_content_size(const QueueFileWriter *writer) {
        return writer->content_size;
}

uint64_t queue_file_writer_n_recipients(const QueueFileWriter *writer) {
        return writer->n_recipients;
}

static int patch_preamble(QueueFileWriter *writer) {
        uint8_t preamble[QUEUE_FORMAT_PRE_BYTES] = { 0 };

        memcpy(preamble + QUEUE_FORMAT_PRE_MAGIC, QUEUE_FORMAT_MAGIC, QUEUE_FORMAT_MAGIC_BYTES);
        queue_format_put32(preamble + QUEUE_FORMAT_PRE_VERSION, QUEUE_FORMAT_VERSION);
        queue_format_put64(preamble + QUEUE_FORMAT_PRE_RECORDS_END, position(writer));
        queue_format_put64(preamble + QUEUE_FORMAT_PRE_CONTENT_OFFSET,
                           writer->content_head + QUEUE_FORMAT_CONTENT_HEAD_BYTES);
        queue_format_put64(preamble + QUEUE_FORMAT_PRE_CONTENT_SIZE, writer->content_size);
        queue_format_put64(preamble + QUEUE_FORMAT_PRE_N_RECIPIENTS, writer->n_recipients);
        queue_format_put32(preamble + QUEUE_FORMAT_PRE_CHECKSUM,
                           crc32c(0, preamble, QUEUE_FORMAT_PRE_CHECKSUM));
        return patch(writer, 0, preamble, sizeof(preamble));
}

/* Everything but the name. */
static int finish(QueueFileWriter *writer) {
        int r = 0;

        if (writer->phase == CONTENT_BEFORE)
                r = open_content(writer);
        if (r == 0)
                r = close_content(writer);
        if (r == 0)
                r = put_record(writer, QUEUE_FORMAT_END, NULL, 0);
        if (r == 0)
                r = patch_preamble(writer);
        if (r == 0)
                r = flush(writer);
        writer->finished = r == 0;
        return r;
}

int queue_file_writer_commit(QueueFileWriter *writer, const QueueId *id) {
        int r;

        if (writer->error)
                return writer->error;
        if (!writer->finished) {
                r = finish(writer);
                if (r != 0)
                        return r;
        }
        r = durable_file_link(writer->file, id->text);
        if (r == DURABLE_FILE_E_EXISTS)
                return QUEUE_FILE_E_EXISTS;
        if (r == 0)
                r = durable_file_commit(writer->file);
        if (r != 0) {
                writer->error = r;
                writer->file = durable_file_free(writer->file);
        }
        return r;
}
