/* The part that returns the message, or its header: RFC 6522 3 and 4; and what is quoted of it. */

#include <stdlib.h>

#include "common/base/file.h"
#include "common/mail/envelope.h"
#include "common/mail/header.h"
#include "services/bounce/notice-writer.h"

#define BLOCK_BYTES 8192

/* How far into the message its Message-ID: is looked for, and how long that may be. */
#define HEADER_LOOK_BYTES (64 * 1024)
#define MESSAGE_ID_MAX    900

/* Finds the end of a header block, fed in pieces. */
typedef struct HeaderEnd {
        uint64_t line_start; /* of the current line */
        uint64_t offset;
        bool is_empty; /* nothing but CR in this line so far */
        bool is_field; /* a colon, or folded */
        bool found;
} HeaderEnd;

static void header_end_feed(HeaderEnd *end, Str data) {
        for (size_t i = 0; i < data.len && !end->found; i++, end->offset++) {
                char c = data.data[i];

                if (c == '\n') {
                        end->found = end->is_empty || !end->is_field;
                        if (end->found)
                                return;
                        end->line_start = end->offset + 1;
                        end->is_empty = true;
                        end->is_field = false;
                        continue;
                }
                if (c == ':' || (end->offset == end->line_start && (c == ' ' || c == '\t')))
                        end->is_field = true;
                if (c != '\r')
                        end->is_empty = false;
        }
}

static bool has_8bit(Str data) {
        for (size_t i = 0; i < data.len; i++)
                if ((unsigned char)data.data[i] > 0x7f)
                        return true;
        return false;
}

/* The first SIZE bytes of the content, block by block. */
static int for_each_block(const NoticeSpec *spec, uint64_t size,
                          void (*block)(void *userdata, Str data), void *userdata) {
        uint64_t start = queue_file_content_offset(spec->file);
        char data[BLOCK_BYTES];
        int r;

        for (uint64_t offset = 0; offset < size;) {
                size_t n = size - offset < BLOCK_BYTES ? (size_t)(size - offset) : BLOCK_BYTES;

                r = file_pread_all(spec->fd, data, n, (off_t)(start + offset));
                if (r != 0)
                        return r < 0 ? r : NOTICE_E_SOURCE;
                block(userdata, str_from(data, n));
                offset += n;
        }
        return 0;
}

typedef struct Measure {
        HeaderEnd end;
        bool has_8bit;
} Measure;

static void measure_block(void *userdata, Str data) {
        Measure *measure = userdata;

        header_end_feed(&measure->end, data);
        measure->has_8bit = measure->has_8bit || has_8bit(data);
}

int notice_original_measure(const NoticeSpec *spec, NoticeOriginal *ret) {
        const Envelope *envelope = queue_file_envelope(spec->file);
        uint64_t content_size = queue_file_content_size(spec->file);
        uint64_t max = spec->original_max_bytes, look;
        Measure measure = { .end = { .is_empty = true } };
        int r;

        if (spec->total_max_bytes > 0 && max > spec->total_max_bytes / 4)
                max = spec->total_max_bytes / 4;
        look = content_size < max ? content_size : max;
        r = for_each_block(spec, look, measure_block, &measure);
        if (r != 0)
                return r;
        *ret = (NoticeOriginal){
                .headers_only = content_size > max || envelope->ret == ENVELOPE_RET_HDRS ||
                                spec->kind == NOTICE_DELAY || spec->reader == NOTICE_COPY,
                .has_8bit = measure.has_8bit || (envelope->flags & ENVELOPE_8BITMIME),
                .size_bytes = content_size,
        };
        /* A header that goes on beyond the limit is cut behind its last whole line. */
        if (ret->headers_only)
                ret->size_bytes = measure.end.line_start;
        return 0;
}

static void put_block(void *userdata, Str data) {
        notice_put(userdata, data);
}

void notice_put_original(NoticeWriter *writer, const NoticeOriginal *original) {
        static const char *const types[2][2] = {
                { "message/rfc822", "text/rfc822-headers" },
                { "message/global", "message/global-headers" }, /* RFC 6533 */
        };
        int r;

        notice_put_cstr(writer, original->headers_only ? "Content-Description: Header of the "
                                                         "message\n"
                                                       : "Content-Description: The message\n");
        notice_put_cstr(writer, "Content-Type: ");
        notice_put_cstr(writer, types[writer->keep_8bit][original->headers_only]);
        if (original->has_8bit || writer->keep_8bit)
                notice_put_cstr(writer, "\nContent-Transfer-Encoding: 8bit");
        notice_put_cstr(writer, "\n\n");
        r = for_each_block(writer->spec, original->size_bytes, put_block, writer);
        if (r != 0 && !writer->error)
                writer->error = r;
}

/* ---- the thread ---- */

static void collect_block(void *userdata, Str data) {
        (void)buf_append_clipped(userdata, data);
}

/* All of HEADER behind the first "Message-ID:"; empty when there is none. */
static Str find_message_id(Str header) {
        Str rest = header, line, name, value;

        while (str_next_part(&rest, '\n', &line))
                switch (header_line_classify(line, &name, &value)) {
                case HEADER_LINE_FIELD:
                        if (str_equal_nocase(name, STR("Message-ID")))
                                return str_skip(header, (size_t)(value.data - header.data));
                        break;
                case HEADER_LINE_CONTINUATION:
                        break;
                case HEADER_LINE_END:
                case HEADER_LINE_BODY:
                        return STR_NULL;
                }
        return STR_NULL;
}

/* White space, with a line end if the field is folded there (RFC 5322 2.2.3). */
static Str skip_folding(Str text) {
        size_t n = 0;

        while (n < text.len && (text.data[n] == ' ' || text.data[n] == '\t' ||
                                text.data[n] == '\r' || text.data[n] == '\n')) {
                n++;
                if (text.data[n - 1] == '\n' &&
                    (n == text.len || (text.data[n] != ' ' && text.data[n] != '\t')))
                        return STR_NULL;
        }
        return str_skip(text, n);
}

/* From "<" to ">"; empty when TEXT does not begin with what can stand in a field of ours. */
static Str take_message_id(Str text) {
        size_t end = str_find(text, '>');

        if (text.len == 0 || text.data[0] != '<' || end == text.len || end >= MESSAGE_ID_MAX)
                return STR_NULL;
        for (size_t i = 1; i < end; i++)
                if (text.data[i] <= ' ' || text.data[i] > '~' || text.data[i] == '<')
                        return STR_NULL;
        return str_first(text, end + 1);
}

void notice_put_thread(NoticeWriter *writer) {
        Buf header _cleanup_(buf_deinit) = BUF_INIT(HEADER_LOOK_BYTES);
        uint64_t size = queue_file_content_size(writer->spec->file);
        Str message_id;
        int r;

        r = for_each_block(writer->spec, size < HEADER_LOOK_BYTES ? size : HEADER_LOOK_BYTES,
                           collect_block, &header);
        if (r != 0 || header.error) {
                if (!writer->error)
                        writer->error = r != 0 ? r : header.error;
                return;
        }
        message_id = take_message_id(skip_folding(find_message_id(buf_str(&header))));
        if (str_is_empty(message_id))
                return;
        notice_put_cstr(writer, "In-Reply-To: ");
        notice_put(writer, message_id);
        notice_put_cstr(writer, "\nReferences: ");
        notice_put(writer, message_id);
        notice_put_cstr(writer, "\n");
}
