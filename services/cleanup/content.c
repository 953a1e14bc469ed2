/*
 * State of the engine, by line:
 *
 *   state          line                      what is done
 *   FROM_LINES     ">...From "               left out
 *                  anything else             as HEADER from here on
 *   HEADER         begins a field            the field before is written; this one is kept
 *                  folded, field kept        added to the field
 *                  empty                     field, missing fields, empty line; BODY
 *                  anything else             field, missing fields, empty line, the line; BODY
 *   BODY           any                       passed on
 *
 * In the first two states lines are looked at in pieces of at most line_length_limit bytes: what a
 * line is, is known from its first piece, as in Postfix, so that a line without end costs nothing.
 */

#include "services/cleanup/content.h"

#include <errno.h>
#include <stdlib.h>

#include "common/mail/envelope.h"
#include "common/mail/header-rewrite.h"
#include "common/mail/header.h"
#include "services/cleanup/content-field.h"

typedef enum ContentState {
        STATE_FROM_LINES,
        STATE_HEADER,
        STATE_BODY,
} ContentState;

struct Content {
        ContentOptions options;
        ContentOutput output;
        void *userdata;

        ContentState state;
        bool line_begun;  /* the piece that comes next is not the first of its line */
        bool skip_line;   /* the rest of this line is left out */
        bool ends_in_lf;  /* of what was written */
        bool field_cut;   /* of the field that is kept */
        uint64_t n_bytes; /* of input */
        uint64_t n_hops;
        size_t n_fields_cut;
        unsigned seen; /* 1 << ContentFieldKind */

        Buf piece; /* of the line that is being read */
        Buf field; /* the header field that is being read, without its last LF */
        Buf message_id;
        Buf resent_message_id;
        HeaderRewrite rewrite;
};

int content_new(const ContentOptions *options, ContentOutput output, void *userdata,
                Content **ret) {
        Content *content = calloc(1, sizeof(*content));

        if (!content)
                return -ENOMEM;
        *content = (Content){
                .options = *options,
                .output = output,
                .userdata = userdata,
                .ends_in_lf = true,
                .piece = BUF_INIT(options->line_max_bytes),
                .field = BUF_INIT(options->header_max_bytes + options->line_max_bytes + 2),
                .message_id = BUF_INIT(CONTENT_MESSAGE_ID_MAX),
                .resent_message_id = BUF_INIT(CONTENT_MESSAGE_ID_MAX),
        };
        header_rewrite_init(&content->rewrite, options->rewrite, options->tokens_max);
        *ret = content;
        return 0;
}

Content *content_free(Content *content) {
        if (!content)
                return NULL;
        buf_deinit(&content->piece);
        buf_deinit(&content->field);
        buf_deinit(&content->message_id);
        buf_deinit(&content->resent_message_id);
        header_rewrite_deinit(&content->rewrite);
        free(content);
        return NULL;
}

Str content_message_id(const Content *content) {
        return buf_str(&content->message_id);
}

Str content_resent_message_id(const Content *content) {
        return buf_str(&content->resent_message_id);
}

size_t content_n_fields_cut(const Content *content) {
        return content->n_fields_cut;
}

static int write_out(Content *content, Str data) {
        if (data.len == 0)
                return 0;
        content->ends_in_lf = data.data[data.len - 1] == '\n';
        return content->output(content->userdata, data);
}

static int write_buf(Content *content, const Buf *buf) {
        return buf->error ? -ENOMEM : write_out(content, buf_str(buf));
}

/* ---- fields of our own ---- */

static int write_received(Content *content) {
        const ContentOptions *options = &content->options;
        _cleanup_(buf_deinit) Buf text = BUF_INIT(8192);

        if (!options->add_received)
                return 0;
        content->n_hops++;
        (void)buf_printf(&text, "Received: by %s (%s", options->hostname, options->mail_name);
        if (options->uid != ENVELOPE_NO_UID)
                (void)buf_printf(&text, ", from userid %u", options->uid);
        (void)buf_append_cstr(&text, ")\n\tid ");
        (void)buf_append_str(&text, options->queue_id);
        (void)buf_append_cstr(&text, "; ");
        (void)header_append_date(&text, options->now_usec);
        (void)buf_append_char(&text, '\n');
        return write_buf(content, &text);
}

static void append_missing_message_id(Content *content, Buf *text, bool resent) {
        Buf *kept = resent ? &content->resent_message_id : &content->message_id;

        (void)buf_append_char(kept, '<');
        (void)header_append_message_id(kept, content->options.now_usec, content->options.queue_id,
                                       str_from_cstr(content->options.hostname));
        (void)buf_append_char(kept, '>');
        (void)buf_printf(text, "%sMessage-Id: ", resent ? "Resent-" : "");
        (void)buf_append_str(text, buf_str(kept));
        (void)buf_append_char(text, '\n');
}

/* "From: Full Name <user@domain>", or "From: user@domain (Full Name)" of RFC 822's times. */
static void append_missing_from(const ContentOptions *options, Buf *text, bool resent) {
        bool named = options->sender.len > 0 && options->full_name.len > 0;
        bool in_front = named && !options->obsolete_from;

        (void)buf_printf(text, "%sFrom: ", resent ? "Resent-" : "");
        if (in_front) {
                (void)header_append_phrase(text, options->full_name);
                (void)buf_append_cstr(text, " <");
        }
        if (options->sender.len > 0)
                (void)buf_append_str(text, options->sender);
        else
                (void)buf_printf(text, "MAILER-DAEMON@%s", options->origin);
        if (in_front) {
                (void)buf_append_char(text, '>');
        } else if (named) {
                (void)buf_append_char(text, ' ');
                (void)header_append_comment(text, options->full_name);
        }
        (void)buf_append_char(text, '\n');
}

static bool has_seen(const Content *content, ContentFieldKind kind) {
        return (content->seen & (1U << kind)) != 0;
}

static int write_missing_fields(Content *content) {
        const ContentOptions *options = &content->options;
        _cleanup_(buf_deinit) Buf text = BUF_INIT(16384);
        bool resent = has_seen(content, CONTENT_FIELD_RESENT);

        if (!options->add_missing)
                return 0;
        if (!has_seen(content, resent ? CONTENT_FIELD_RESENT_MESSAGE_ID : CONTENT_FIELD_MESSAGE_ID))
                append_missing_message_id(content, &text, resent);
        if (!has_seen(content, resent ? CONTENT_FIELD_RESENT_DATE : CONTENT_FIELD_DATE)) {
                (void)buf_printf(&text, "%sDate: ", resent ? "Resent-" : "");
                (void)header_append_date(&text, options->now_usec);
                (void)buf_append_char(&text, '\n');
        }
        if (!has_seen(content, resent ? CONTENT_FIELD_RESENT_FROM : CONTENT_FIELD_FROM))
                append_missing_from(options, &text, resent);
        if (!has_seen(content, CONTENT_FIELD_VISIBLE_RECIPIENT) && options->undisclosed[0] != '\0')
                (void)buf_printf(&text, "%s\n", options->undisclosed);
        return write_buf(content, &text);
}

/* ---- the header block ---- */

static void keep_message_id(Buf *kept, Str value) {
        if (kept->len == 0)
                (void)buf_append_clipped(kept, str_trim(value));
}

/* The kept field, with its addresses made canonical. */
static int write_field(Content *content, Str name) {
        Str field = buf_str(&content->field);
        int r = content->field.error ? -ENOMEM : 0;

        if (r == 0 && content->options.rewrite && header_rewrite_wants(name))
                r = header_rewrite_field(&content->rewrite, field, &field);
        if (r == 0)
                r = write_out(content, field);
        return r == 0 ? write_out(content, STR("\n")) : r;
}

/* The kept field is complete: note what it is, and write it unless it is to be dropped. */
static int flush_field(Content *content) {
        ContentFieldKind kind;
        Str name, value;
        int r;

        if (content->field.len == 0)
                return 0;
        name = str_first(buf_str(&content->field), str_find(buf_str(&content->field), ':'));
        value = str_skip(buf_str(&content->field), name.len + 1);
        content->seen |= content_field_kinds(name, &kind);
        if (kind == CONTENT_FIELD_MESSAGE_ID)
                keep_message_id(&content->message_id, value);
        else if (kind == CONTENT_FIELD_RESENT_MESSAGE_ID)
                keep_message_id(&content->resent_message_id, value);
        else if (kind == CONTENT_FIELD_RECEIVED && ++content->n_hops >= content->options.hops_max)
                return CONTENT_E_HOPS;
        content->n_fields_cut += content->field_cut;
        if (!content_field_is_listed(content->options.drop_headers, name)) {
                r = write_field(content, name);
                if (r != 0)
                        return r;
        }
        buf_reset(&content->field);
        content->field_cut = false;
        return 0;
}

/* As Postfix: a piece is taken whole while the field is shorter than the limit, else not at all. */
static void extend_field(Content *content, const char *before, Str piece) {
        if (content->field.len < content->options.header_max_bytes) {
                (void)buf_append_cstr(&content->field, before);
                (void)buf_append_str(&content->field, piece);
        } else if (piece.len > 0) {
                content->field_cut = true;
        }
}

/* The header block is over; PIECE, when it is not empty, is the first of the body. */
static int begin_body(Content *content, Str piece) {
        int r;

        content->state = STATE_BODY;
        r = write_missing_fields(content);
        if (r == 0)
                r = write_out(content, STR("\n"));
        return r == 0 ? write_out(content, piece) : r;
}

static int take_header_line(Content *content, Str piece) {
        Str name, value;
        HeaderLine kind = header_line_classify(piece, &name, &value);
        int r;

        if (kind == HEADER_LINE_CONTINUATION && content->field.len > 0) {
                extend_field(content, "\n", piece);
                return 0;
        }
        r = flush_field(content);
        if (r != 0)
                return r;
        if (kind != HEADER_LINE_FIELD)
                return begin_body(content, piece);
        (void)buf_append_str(&content->field, name);
        (void)buf_append_char(&content->field, ':');
        (void)buf_append_str(&content->field, value);
        return 0;
}

static bool is_from_line(Str line) {
        while (line.len > 0 && line.data[0] == '>')
                line = str_skip(line, 1);
        return str_has_prefix(line, STR("From "));
}

/*
 * One piece of a line, in the states before BODY. A line that begins the body and goes on behind
 * its first piece is in state BODY for the rest of it.
 */
static int take_piece(Content *content) {
        Str piece = buf_str(&content->piece);
        bool first = !content->line_begun;
        int r = 0;

        if (content->piece.error)
                return -ENOMEM;
        if (content->state == STATE_FROM_LINES && first) {
                if (is_from_line(piece)) {
                        content->skip_line = true;
                } else {
                        content->state = STATE_HEADER;
                        r = write_received(content);
                }
        }
        if (r == 0 && !content->skip_line) {
                if (first)
                        r = take_header_line(content, piece);
                else
                        extend_field(content, "", piece);
        }
        buf_reset(&content->piece);
        return r != 0 ? r : content->field.error ? -ENOMEM : 0;
}

/* Take bytes of DATA up to the end of a piece, or of DATA; sets *ret_taken. */
static int feed_header(Content *content, Str data, size_t *ret_taken) {
        size_t end = str_find(data, '\n');
        size_t room = content->options.line_max_bytes - content->piece.len;
        Str text = str_first(data, size_min(end, room));
        bool ends = end < data.len && end <= room;
        int r;

        *ret_taken = text.len + (ends ? 1 : 0);
        for (size_t i = 0; i < text.len; i++)
                (void)buf_append_char(
                        &content->piece,
                        text.data[i] == '\r' && !content->options.keep_cr ? ' ' : text.data[i]);
        if (!ends && text.len < room)
                return 0; /* more is to come */
        if (!ends && *ret_taken == data.len)
                return 0; /* full, but it may be the last piece: wait for what comes */
        r = take_piece(content);
        content->line_begun = !ends;
        if (!ends)
                return r;
        content->skip_line = false;
        return r == 0 && content->state == STATE_BODY && !content->ends_in_lf
                       ? write_out(content, STR("\n"))
                       : r;
}

/* Pass on DATA with each CR as a space, without copying what has none. */
static int feed_body(Content *content, Str data) {
        while (data.len > 0) {
                size_t cr = content->options.keep_cr ? data.len : str_find(data, '\r');
                int r = write_out(content, str_first(data, cr));

                if (r == 0 && cr < data.len)
                        r = write_out(content, STR(" "));
                if (r != 0)
                        return r;
                data = str_skip(data, cr + 1);
        }
        return 0;
}

int content_feed(Content *content, Str data) {
        size_t taken;
        int r = 0;

        content->n_bytes += data.len;
        if (content->options.message_max_bytes > 0 &&
            content->n_bytes > content->options.message_max_bytes)
                return CONTENT_E_TOO_BIG;
        while (r == 0 && data.len > 0 && content->state != STATE_BODY) {
                r = feed_header(content, data, &taken);
                data = str_skip(data, taken);
        }
        return r == 0 ? feed_body(content, data) : r;
}

int content_finish(Content *content) {
        int r = 0;

        if (content->piece.len > 0)
                r = take_piece(content);
        if (r == 0 && content->state == STATE_FROM_LINES)
                r = write_received(content);
        if (r == 0 && content->state != STATE_BODY)
                r = flush_field(content);
        if (r == 0 && content->state != STATE_BODY)
                r = write_missing_fields(content);
        return r == 0 && !content->ends_in_lf ? write_out(content, STR("\n")) : r;
}
