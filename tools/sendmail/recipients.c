#include "tools/sendmail/recipients.h"

#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "common/mail/header.h"

#define PIECE_MAX \
        2048 /* line_length_limit: a field's name is within the first piece, as in cleanup */

void recipient_list_deinit(RecipientList *list) {
        buf_deinit(&list->text);
}

int recipient_list_add(RecipientList *list, Str text) {
        _cleanup_(buf_deinit) Buf address = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        int r;

        /* "\\root": no alias, once; today an address like others, as in Postfix. */
        if (text.len > 1 && text.data[0] == '\\')
                text = str_skip(text, 1);
        while ((r = address_list_next(&text, &address)) != ADDRESS_E_END) {
                if (r < 0)
                        return r;
                if (r == ADDRESS_E_SYNTAX || address.len == 0) {
                        list->n_malformed++;
                        continue;
                }
                (void)buf_append_str(&list->text, buf_str(&address));
                r = buf_append_char(&list->text, '\n');
                if (r != 0)
                        return r;
                list->n++;
        }
        return 0;
}

void header_reader_init(HeaderReader *reader, RecipientList *plain, RecipientList *resent) {
        *reader = (HeaderReader){
                .plain = plain,
                .resent = resent,
                .piece = BUF_INIT(PIECE_MAX),
                .field = BUF_INIT(RECIPIENTS_MAX_BYTES),
        };
}

void header_reader_deinit(HeaderReader *reader) {
        buf_deinit(&reader->piece);
        buf_deinit(&reader->field);
}

static void choose_list(HeaderReader *reader, Str name) {
        static const Str plain[] = { STR("To"), STR("Cc"), STR("Bcc") };

        reader->to = NULL;
        for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
                if (str_equal_nocase(name, plain[i]))
                        reader->to = reader->plain;
                else if (str_has_prefix_nocase(name, STR("Resent-")) &&
                         str_equal_nocase(str_skip(name, 7), plain[i]))
                        reader->to = reader->resent;
        }
        reader->has_resent |= reader->to == reader->resent;
}

static int finish_field(HeaderReader *reader) {
        int r = 0;

        if (reader->to)
                r = recipient_list_add(reader->to, buf_str(&reader->field));
        buf_reset(&reader->field);
        reader->to = NULL;
        return r;
}

/* The first piece of a line. */
static int take_piece(HeaderReader *reader, Str piece) {
        Str name, value;
        int r;

        switch (header_line_classify(piece, &name, &value)) {
        case HEADER_LINE_CONTINUATION:
                if (!reader->has_field)
                        break;
                return reader->to ? buf_append_str(&reader->field, piece) : 0;
        case HEADER_LINE_FIELD:
                reader->has_field = true;
                r = finish_field(reader);
                if (r != 0)
                        return r;
                choose_list(reader, name);
                return reader->to ? buf_append_str(&reader->field, value) : 0;
        case HEADER_LINE_END:
        case HEADER_LINE_BODY:
                break;
        }
        reader->done = true;
        return finish_field(reader);
}

/* Bytes of a line that goes on: the first piece is gathered, what comes behind it is added. */
static int take_text(HeaderReader *reader, Str text) {
        size_t n;
        int r = 0;

        if (!reader->line_begun) {
                n = size_min(text.len, reader->piece.max - reader->piece.len);
                r = buf_append_str(&reader->piece, str_first(text, n));
                text = str_skip(text, n);
                if (r != 0 || reader->piece.len < reader->piece.max)
                        return r;
                reader->line_begun = true;
                r = take_piece(reader, buf_str(&reader->piece));
                buf_reset(&reader->piece);
        }
        return r == 0 && reader->to ? buf_append_str(&reader->field, text) : r;
}

static int take_line_end(HeaderReader *reader) {
        int r = 0;

        if (!reader->line_begun)
                r = take_piece(reader, buf_str(&reader->piece));
        buf_reset(&reader->piece);
        reader->line_begun = false;
        return r == 0 && reader->to ? buf_append_char(&reader->field, '\n') : r;
}

int header_reader_feed(HeaderReader *reader, Str data) {
        int r = 0;

        while (r == 0 && data.len > 0 && !reader->done) {
                size_t end = str_find(data, '\n');

                r = take_text(reader, str_first(data, end));
                if (r == 0 && end < data.len)
                        r = take_line_end(reader);
                data = str_skip(data, end + 1);
        }
        return r;
}

int header_reader_finish(HeaderReader *reader) {
        int r = 0;

        if (reader->done)
                return 0;
        if (reader->piece.len > 0)
                r = take_line_end(reader);
        return r == 0 && !reader->done ? finish_field(reader) : r;
}
