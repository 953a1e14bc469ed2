/* The states of a message that is read for its keys: a block of header fields, or a body. */

#include "tools/map/message-keys.h"

#include <errno.h>
#include <stdlib.h>

#include "common/mail/header.h"

/* What the content behind a block of header fields is. */
typedef enum Content {
        CONTENT_OTHER,
        CONTENT_MESSAGE,
        CONTENT_MULTIPART,
} Content;

typedef struct Level {
        char *boundary;
        size_t len;
        bool is_digest; /* its parts are messages unless they say otherwise */
} Level;

struct MessageKeys {
        unsigned wanted;
        MessageKey key;
        void *userdata;
        bool in_header;
        bool is_first_block;
        Buf field; /* of the header, until its last line is known */
        Content content;
        Level pending; /* of the block's Content-Type: multipart */
        Level levels[MESSAGE_KEYS_DEPTH_MAX];
        size_t n_levels;
};

MessageKeys *message_keys_new(unsigned wanted, MessageKey key, void *userdata) {
        MessageKeys *keys = calloc(1, sizeof(*keys));

        if (!keys)
                return NULL;
        keys->wanted = wanted;
        keys->key = key;
        keys->userdata = userdata;
        keys->in_header = true;
        keys->is_first_block = true;
        keys->field = BUF_INIT(MESSAGE_KEYS_FIELD_MAX);
        return keys;
}

static void drop_levels(MessageKeys *keys, size_t n_left) {
        while (keys->n_levels > n_left)
                free(keys->levels[--keys->n_levels].boundary);
}

MessageKeys *message_keys_free(MessageKeys *keys) {
        if (!keys)
                return NULL;
        drop_levels(keys, 0);
        free(keys->pending.boundary);
        buf_deinit(&keys->field);
        free(keys);
        return NULL;
}

static int give(MessageKeys *keys, unsigned kind, Str key) {
        return keys->wanted & kind ? keys->key(keys->userdata, key) : 0;
}

/* ---- Content-Type: ---- */

/* Skip white space and comments (RFC 5322, 3.2.2). */
static Str skip_space(Str text) {
        size_t depth = 0;

        for (; !str_is_empty(text); text = str_skip(text, 1)) {
                char c = text.data[0];

                if (depth > 0 && c == '\\' && text.len > 1)
                        text = str_skip(text, 1);
                else if (c == '(')
                        depth++;
                else if (c == ')' && depth > 0)
                        depth--;
                else if (depth == 0 && !ascii_is_space(c))
                        break;
        }
        return text;
}

static bool is_token_end(char c) {
        return ascii_is_space(c) || memchr("()<>@,;:\\\"/[]?=", c, 15) != NULL;
}

/* Append the next token, or the content of the next quoted string, to RET. False: neither. */
static bool next_token(Str *rest, Buf *ret) {
        *rest = skip_space(*rest);
        if (str_has_prefix(*rest, STR("\""))) {
                for (*rest = str_skip(*rest, 1); !str_is_empty(*rest) && rest->data[0] != '"';
                     *rest = str_skip(*rest, 1)) {
                        if (rest->data[0] == '\\' && rest->len > 1)
                                *rest = str_skip(*rest, 1);
                        (void)buf_append_char(ret, rest->data[0]);
                }
                *rest = str_skip(*rest, 1);
                return true;
        }
        while (!str_is_empty(*rest) && !is_token_end(rest->data[0])) {
                (void)buf_append_char(ret, rest->data[0]);
                *rest = str_skip(*rest, 1);
        }
        return ret->len > 0;
}

/* The value of the parameter "boundary" in what is behind the type. */
static bool find_boundary(Str rest, Buf *ret) {
        _cleanup_(buf_deinit) Buf name = BUF_INIT(MESSAGE_KEYS_FIELD_MAX);
        size_t semicolon;

        while ((semicolon = str_find(rest, ';')) < rest.len) {
                rest = str_skip(rest, semicolon + 1);
                buf_reset(&name);
                if (!next_token(&rest, &name) || !str_equal_nocase(buf_str(&name), STR("boundary")))
                        continue;
                rest = skip_space(rest);
                if (!str_has_prefix(rest, STR("=")))
                        continue;
                rest = str_skip(rest, 1);
                return next_token(&rest, ret) && ret->error == 0;
        }
        return false;
}

static int set_multipart(MessageKeys *keys, Str subtype, Str rest) {
        _cleanup_(buf_deinit) Buf boundary = BUF_INIT(MESSAGE_KEYS_BOUNDARY_MAX);

        if (!find_boundary(rest, &boundary))
                return boundary.error < 0 ? boundary.error : 0;
        free(keys->pending.boundary);
        keys->pending = (Level){ .boundary = str_dup(buf_str(&boundary)),
                                 .len = boundary.len,
                                 .is_digest = str_equal_nocase(subtype, STR("digest")) };
        keys->content = CONTENT_MULTIPART;
        return keys->pending.boundary ? 0 : -ENOMEM;
}

static int note_content_type(MessageKeys *keys, Str value) {
        _cleanup_(buf_deinit) Buf type = BUF_INIT(MESSAGE_KEYS_FIELD_MAX);
        _cleanup_(buf_deinit) Buf subtype = BUF_INIT(MESSAGE_KEYS_FIELD_MAX);

        keys->content = CONTENT_OTHER;
        if (!next_token(&value, &type))
                return type.error < 0 ? type.error : 0;
        value = skip_space(value);
        if (str_has_prefix(value, STR("/"))) {
                value = str_skip(value, 1);
                (void)next_token(&value, &subtype);
        }
        if (str_equal_nocase(buf_str(&type), STR("multipart")))
                return set_multipart(keys, buf_str(&subtype), value);
        if (str_equal_nocase(buf_str(&type), STR("message")) &&
            (str_equal_nocase(buf_str(&subtype), STR("rfc822")) ||
             str_equal_nocase(buf_str(&subtype), STR("global"))))
                keys->content = CONTENT_MESSAGE;
        return 0;
}

/* ---- blocks of header fields ---- */

static void begin_block(MessageKeys *keys, bool is_message) {
        keys->in_header = true;
        keys->content = is_message ? CONTENT_MESSAGE : CONTENT_OTHER;
}

/* A field is whole. */
static int end_field(MessageKeys *keys) {
        Str name, value;
        int r;

        if (keys->field.len == 0)
                return 0;
        r = give(keys, MESSAGE_KEYS_HEADER, buf_str(&keys->field));
        if (r == 0 && (keys->wanted & MESSAGE_KEYS_MIME) &&
            header_line_classify(buf_str(&keys->field), &name, &value) == HEADER_LINE_FIELD &&
            str_equal_nocase(name, STR("Content-Type")))
                r = note_content_type(keys, value);
        buf_reset(&keys->field);
        return r;
}

/* The block is over: what it said of the content counts from here. */
static void enter_content(MessageKeys *keys) {
        Content content = keys->content;

        keys->is_first_block = false;
        keys->in_header = false;
        keys->content = CONTENT_OTHER;
        if (content == CONTENT_MESSAGE)
                begin_block(keys, false);
        else if (content == CONTENT_MULTIPART && keys->n_levels < MESSAGE_KEYS_DEPTH_MAX) {
                keys->levels[keys->n_levels++] = keys->pending;
                keys->pending = (Level){ 0 };
        }
}

/* ---- bodies ---- */

/* The level whose boundary LINE begins with, innermost first; n_levels: none. */
static size_t find_level(const MessageKeys *keys, Str line) {
        for (size_t i = keys->n_levels; i-- > 0;)
                if (str_has_prefix(line, STR("--")) &&
                    str_has_prefix(str_skip(line, 2),
                                   str_from(keys->levels[i].boundary, keys->levels[i].len)))
                        return i;
        return keys->n_levels;
}

/* A boundary begins the header of a part, or ends the last part. */
static int take_boundary(MessageKeys *keys, Str line, size_t level) {
        bool is_digest = keys->levels[level].is_digest;
        bool is_last = str_has_prefix(str_skip(line, 2 + keys->levels[level].len), STR("--"));

        keys->in_header = false;
        drop_levels(keys, is_last ? level : level + 1);
        if (!is_last)
                begin_block(keys, is_digest);
        return give(keys, MESSAGE_KEYS_BODY, line);
}

static int take_body(MessageKeys *keys, Str line) {
        return give(keys, MESSAGE_KEYS_BODY, line);
}

/* The line that ends a block; *RET_IS_DONE: it was dealt with. */
static int end_block(MessageKeys *keys, HeaderLine kind, bool *ret_is_done) {
        int r;

        *ret_is_done = kind == HEADER_LINE_END;
        if (kind == HEADER_LINE_END || keys->is_first_block) {
                r = give(keys, MESSAGE_KEYS_BODY, STR_NULL);
                if (r != 0)
                        return r;
        }
        if (kind == HEADER_LINE_END)
                enter_content(keys);
        else { /* what claims to be a message, and has no header, is text */
                if (keys->content == CONTENT_MESSAGE)
                        keys->content = CONTENT_OTHER;
                enter_content(keys);
        }
        return 0;
}

int message_keys_line(MessageKeys *keys, Str line) {
        size_t level = find_level(keys, line);
        bool is_done = false;
        HeaderLine kind;
        Str name, value;
        int r;

        if (keys->in_header && level == keys->n_levels) {
                kind = header_line_classify(line, &name, &value);
                if (kind == HEADER_LINE_CONTINUATION && keys->field.len > 0) {
                        (void)buf_append_clipped(&keys->field, STR("\n"));
                        return buf_append_clipped(&keys->field, line) < 0 ? -ENOMEM : 0;
                }
                r = end_field(keys);
                if (r == 0 && kind == HEADER_LINE_FIELD)
                        return buf_append_clipped(&keys->field, line) < 0 ? -ENOMEM : 0;
                if (r == 0)
                        r = end_block(keys, kind, &is_done);
                return r != 0 || is_done ? r : take_body(keys, line);
        }
        r = end_field(keys);
        if (r != 0)
                return r;
        return level < keys->n_levels ? take_boundary(keys, line, level) : take_body(keys, line);
}

int message_keys_end(MessageKeys *keys) {
        return end_field(keys);
}
