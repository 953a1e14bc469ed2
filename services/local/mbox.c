#include "services/local/mbox.h"

static const Str from_ = STR("From ");

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
