#include "tools/postconf/format.h"

#include <inttypes.h>

#include "common/base/json.h"

/* As wide as a terminal; what continues is indented, as main.cf asks for. */
#define FOLD_WIDTH  80
#define FOLD_INDENT "    "

static void append_json_origin(const ConfigOrigin *origin, Buf *out) {
        (void)buf_append_cstr(out, ", ");
        (void)json_append_member(out, "layer", str_from_cstr(origin->layer));
        if (!origin->file)
                return;
        (void)buf_append_cstr(out, ", ");
        (void)json_append_member(out, "file", str_from_cstr(origin->file));
        (void)buf_printf(out, ", \"line\": %" PRIu64, origin->line);
}

static int format_json(const PostconfOptions *options, const FormatRow *row, Buf *out) {
        (void)buf_append_char(out, '{');
        if (!options->hide_name)
                (void)json_append_member(out, "name", row->name);
        if (!options->hide_name && !options->hide_value)
                (void)buf_append_cstr(out, ", ");
        if (!options->hide_value)
                (void)json_append_member(out, "value", row->value);
        if (options->origin)
                append_json_origin(&row->origin, out);
        return buf_append_cstr(out, "}\n");
}

/* A folded line may break in front of a word. */
static void append_folded(Str text, Buf *out) {
        size_t column = 0;

        while (!str_is_empty(text)) {
                size_t n = 0;

                while (n < text.len && ascii_is_space(text.data[n]))
                        n++;
                while (n < text.len && !ascii_is_space(text.data[n]))
                        n++;
                if (column > 0 && column + n > FOLD_WIDTH) {
                        (void)buf_append_cstr(out, "\n" FOLD_INDENT);
                        column = sizeof(FOLD_INDENT) - 1;
                        while (n > 0 && ascii_is_space(text.data[0])) {
                                text = str_skip(text, 1);
                                n--;
                        }
                }
                (void)buf_append_str(out, str_first(text, n));
                column += n;
                text = str_skip(text, n);
        }
}

static void append_origin(const ConfigOrigin *origin, Buf *out) {
        (void)buf_append_cstr(out, origin->layer);
        if (origin->file)
                (void)buf_printf(out, " %s:%" PRIu64, origin->file, origin->line);
        (void)buf_append_cstr(out, ": ");
}

/* "name =" for an empty value, as Postfix prints it. */
static void append_plain(const PostconfOptions *options, const FormatRow *row, Buf *out) {
        if (!options->hide_name)
                (void)buf_append_str(out, row->name);
        if (options->hide_value)
                return;
        if (!options->hide_name)
                (void)buf_append_cstr(out, str_is_empty(row->value) ? " =" : " = ");
        (void)buf_append_str(out, row->value);
}

int format_row(const PostconfOptions *options, const FormatRow *row, Buf *out) {
        _cleanup_(buf_deinit) Buf line = BUF_INIT(out->max);

        if (options->json)
                return format_json(options, row, out);
        if (options->origin)
                append_origin(&row->origin, out);
        append_plain(options, row, &line);
        if (line.error != 0)
                return line.error;
        if (options->fold)
                append_folded(buf_str(&line), out);
        else
                (void)buf_append_str(out, buf_str(&line));
        return buf_append_char(out, '\n');
}
