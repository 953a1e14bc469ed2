#include "services/local/copy.h"

#include <time.h>

#include "common/base/file.h"
#include "common/base/macro.h"

static int append_filtered(Buf *out, Str text, char lowest, char replacement) {
        char *room;
        int r;

        r = buf_reserve(out, text.len, &room);
        if (r != 0)
                return r;
        for (size_t i = 0; i < text.len; i++) {
                unsigned char c = (unsigned char)text.data[i];

                room[i] = c < (unsigned char)lowest || c == 0x7f ? replacement : (char)c;
        }
        buf_commit(out, text.len);
        return 0;
}

static void append_date(Buf *out, usec_t time_usec) {
        time_t seconds = (time_t)(time_usec / USEC_PER_SEC);
        struct tm parts;
        char text[64]; /* asctime_r writes at most 26 bytes for years of four digits */

        if (!localtime_r(&seconds, &parts) || parts.tm_year > 8099 || !asctime_r(&parts, text))
                (void)buf_append_cstr(out, "Thu Jan  1 00:00:00 1970");
        else
                (void)buf_append_str(out, str_first(str_from_cstr(text), 24));
}

static void append_from_line(const CopyEnvelope *envelope, Buf *out) {
        Str from = str_is_empty(envelope->sender) ? STR("MAILER-DAEMON") : envelope->sender;

        (void)buf_append_cstr(out, "From ");
        (void)append_filtered(out, from, '!', '-');
        (void)buf_append_cstr(out, "  ");
        append_date(out, envelope->time_usec);
        (void)buf_append_char(out, '\n');
}

int copy_append_delivered_to(Str address, Buf *out) {
        (void)buf_append_cstr(out, "Delivered-To: ");
        (void)append_filtered(out, address, ' ', '?');
        return buf_append_char(out, '\n');
}

int copy_append_header(const CopyEnvelope *envelope, Buf *out) {
        if (envelope->flags & COPY_FROM_LINE)
                append_from_line(envelope, out);
        (void)buf_append_cstr(out, "Return-Path: <");
        (void)append_filtered(out, envelope->sender, ' ', '?');
        (void)buf_append_cstr(out, ">\n");
        if (!str_is_empty(envelope->original)) {
                (void)buf_append_cstr(out, "X-Original-To: ");
                (void)append_filtered(out, envelope->original, ' ', '?');
                (void)buf_append_char(out, '\n');
        }
        if (envelope->flags & COPY_DELIVERED_TO)
                (void)copy_append_delivered_to(envelope->delivered, out);
        return out->error;
}

bool copy_parse_kinds(Str words, unsigned *ret) {
        Str word;

        *ret = 0;
        while (str_next_word(&words, &word)) {
                if (str_equal_nocase(word, STR("command")))
                        *ret |= COPY_KIND_COMMAND;
                else if (str_equal_nocase(word, STR("file")))
                        *ret |= COPY_KIND_FILE;
                else if (str_equal_nocase(word, STR("forward")))
                        *ret |= COPY_KIND_FORWARD;
                else
                        return false;
        }
        return true;
}

/* The content of DELIVERY's message from its beginning. */
static void start_content(Copy *copy, const Delivery *delivery) {
        copy->fd = delivery->message_fd;
        copy->serial = delivery->serial;
        copy->offset = delivery->request.content_offset;
        copy->left = delivery->request.content_size;
}

int copy_begin(Copy *copy, const Delivery *delivery, const CopyEnvelope *envelope) {
        int r;

        copy->header.max = COPY_HEADER_MAX;
        buf_reset(&copy->header);
        copy->header_done = false;
        copy->from_line_len = 0;
        start_content(copy, delivery);
        r = copy_append_header(envelope, &copy->header);
        if (r == 0 && (envelope->flags & COPY_FROM_LINE))
                copy->from_line_len = str_find(buf_str(&copy->header), '\n') + 1;
        return r;
}

static bool has_block(const Copy *copy, size_t n) {
        return copy->serial != 0 && copy->block_serial == copy->serial &&
               copy->block_offset == copy->offset && copy->block_len == n;
}

static int read_block(Copy *copy, size_t n) {
        copy->block_serial = 0;
        if (file_pread_all(copy->fd, copy->block, n, (off_t)copy->offset) != 0)
                return COPY_E_SOURCE;
        copy->block_serial = copy->serial;
        copy->block_offset = copy->offset;
        copy->block_len = n;
        return 0;
}

static int next_block(Copy *copy, Str *ret) {
        size_t n = copy->left < COPY_BLOCK_BYTES ? (size_t)copy->left : COPY_BLOCK_BYTES;
        int r = n == 0 || has_block(copy, n) ? 0 : read_block(copy, n);

        if (r != 0)
                return r;
        copy->offset += n;
        copy->left -= n;
        *ret = str_from(copy->block, n);
        return 0;
}

int copy_next(Copy *copy, Str *ret) {
        if (copy->header_done)
                return next_block(copy, ret);
        copy->header_done = true;
        *ret = buf_str(&copy->header);
        return 0;
}

void copy_deinit(Copy *copy) {
        buf_deinit(&copy->header);
}

/* ---- the loop stop ---- */

/* A line of the header block, gathered from blocks: as much of it as could be ours. */
typedef struct HeaderLine {
        Buf text;
        bool too_long; /* for a line that we wrote; the rest of it is passed over */
} HeaderLine;

static int append_lower(Buf *list, Str value) {
        char *room;
        int r;

        r = buf_reserve(list, value.len + 1, &room);
        if (r != 0)
                return r;
        for (size_t i = 0; i < value.len; i++)
                room[i] = ascii_to_lower(value.data[i]);
        room[value.len] = '\n';
        buf_commit(list, value.len + 1);
        return 0;
}

/* The line is complete. *RET_END: it was the empty one behind the header block. */
static int take_line(HeaderLine *line, Buf *list, bool *ret_end) {
        static const Str name = STR("Delivered-To:");
        Str text = buf_str(&line->text);
        int r = 0;

        *ret_end = !line->too_long && str_is_empty(str_trim(text));
        if (!line->too_long && str_has_prefix_nocase(text, name))
                r = append_lower(list, str_trim(str_skip(text, name.len)));
        line->too_long = false;
        buf_reset(&line->text);
        return r;
}

static int take_block(HeaderLine *line, Str block, Buf *list, bool *ret_end) {
        *ret_end = false;
        while (!str_is_empty(block) && !*ret_end) {
                size_t n = str_find(block, '\n');
                int r;

                if (!line->too_long) {
                        r = buf_append_str(&line->text, str_first(block, n));
                        if (r < 0)
                                return r;
                        line->too_long = r != 0;
                }
                if (n == block.len)
                        return 0;
                r = take_line(line, list, ret_end);
                if (r != 0)
                        return r;
                block = str_skip(block, n + 1);
        }
        return 0;
}

int copy_list_delivered_to(const Delivery *delivery, Copy *memory, Buf *list) {
        HeaderLine line = { .text = BUF_INIT(COPY_HEADER_MAX) };
        bool end = false;
        Str block;
        int r = 0;

        start_content(memory, delivery);
        if (memory->left > COPY_LOOP_HEADER_MAX)
                memory->left = COPY_LOOP_HEADER_MAX;
        while (r == 0 && !end) {
                r = next_block(memory, &block);
                if (r == 0 && str_is_empty(block))
                        break;
                if (r == 0)
                        r = take_block(&line, block, list, &end);
        }
        if (r == 0 && !end)
                r = take_line(&line, list, &end); /* a last one without its line end */
        buf_deinit(&line.text);
        return r;
}

/* ADDRESS as append_filtered() writes it, in lower case. */
static bool is_same(Str value, Str address) {
        if (value.len != address.len)
                return false;
        for (size_t i = 0; i < value.len; i++) {
                char c = ascii_is_control(address.data[i]) ? '?' : ascii_to_lower(address.data[i]);

                if (value.data[i] != c)
                        return false;
        }
        return true;
}

bool copy_has_delivered_to(Str list, Str address) {
        Str value;

        while (str_next_part(&list, '\n', &value))
                if (!str_is_empty(value) && is_same(value, address))
                        return true;
        return false;
}
