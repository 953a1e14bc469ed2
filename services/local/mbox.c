#include "services/local/mbox.h"

#include <time.h>

static const Str from_ = STR("From ");

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

int mbox_append_header(const MboxEnvelope *envelope, Buf *out) {
        Str from = str_is_empty(envelope->sender) ? STR("MAILER-DAEMON") : envelope->sender;

        (void)buf_append_str(out, from_);
        (void)append_filtered(out, from, '!', '-');
        (void)buf_append_cstr(out, "  ");
        append_date(out, envelope->time_usec);
        (void)buf_append_cstr(out, "\nReturn-Path: <");
        (void)append_filtered(out, envelope->sender, ' ', '?');
        (void)buf_append_cstr(out, ">\n");
        if (!str_is_empty(envelope->original)) {
                (void)buf_append_cstr(out, "X-Original-To: ");
                (void)append_filtered(out, envelope->original, ' ', '?');
                (void)buf_append_char(out, '\n');
        }
        (void)buf_append_cstr(out, "Delivered-To: ");
        (void)append_filtered(out, envelope->delivered, ' ', '?');
        return buf_append_char(out, '\n');
}

bool mbox_has_delivered_to(Str content, Str address) {
        static const Str name = STR("Delivered-To:");
        Str line;

        while (str_next_part(&content, '\n', &line)) {
                if (str_is_empty(str_trim(line)))
                        return false;
                if (str_has_prefix_nocase(line, name) &&
                    str_equal_nocase(str_trim(str_skip(line, name.len)), address))
                        return true;
        }
        return false;
}

void mbox_writer_init(MboxWriter *writer, MboxOutput output, void *userdata) {
        *writer = (MboxWriter){ .output = output, .userdata = userdata };
}

static int emit(MboxWriter *writer, Str data) {
        return str_is_empty(data) ? 0 : writer->output(writer->userdata, data);
}

/* The line's start is decided: write what was withheld, quoted if it is a From_ line. */
static int release_line_start(MboxWriter *writer) {
        int r = 0;

        if (writer->n_matched == from_.len)
                r = emit(writer, STR(">"));
        if (r == 0)
                r = emit(writer, str_first(from_, writer->n_matched));
        writer->n_matched = 0;
        writer->in_line = true;
        return r;
}

/* At the start of a line: take bytes while they spell "From ". */
static int match_line_start(MboxWriter *writer, Str *data) {
        while (!str_is_empty(*data) && writer->n_matched < from_.len) {
                if (data->data[0] != from_.data[writer->n_matched])
                        return release_line_start(writer);
                writer->n_matched++;
                *data = str_skip(*data, 1);
        }
        return writer->n_matched == from_.len ? release_line_start(writer) : 0;
}

/*
 * How many bytes of DATA, which is inside a line, may be written as they are: up to the next line
 * start that could be a From_ line (lines that begin otherwise need no look).
 */
static size_t plain_run(Str data) {
        size_t n = 0;

        while (n < data.len) {
                n += str_find(str_skip(data, n), '\n');
                if (n == data.len)
                        return n;
                n++;
                if (n == data.len || data.data[n] == from_.data[0])
                        return n;
        }
        return n;
}

int mbox_writer_add(MboxWriter *writer, Str data) {
        size_t n;
        int r;

        while (!str_is_empty(data)) {
                if (!writer->in_line) {
                        r = match_line_start(writer, &data);
                        if (r != 0)
                                return r;
                        if (str_is_empty(data))
                                return 0; /* all of it is written or withheld */
                }
                n = plain_run(data);
                r = emit(writer, str_first(data, n));
                if (r != 0)
                        return r;
                writer->in_line = data.data[n - 1] != '\n';
                data = str_skip(data, n);
        }
        return 0;
}

int mbox_writer_finish(MboxWriter *writer) {
        int r;

        if (writer->n_matched > 0) {
                r = release_line_start(writer);
                if (r != 0)
                        return r;
        }
        return emit(writer, writer->in_line ? STR("\n\n") : STR("\n"));
}
