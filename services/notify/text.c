#include "services/notify/text.h"

#include <stdint.h>

#include "common/mail/encoded-word.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define ELLIPSIS    "\xe2\x80\xa6" /* U+2026 */

/* The code point of a valid character of LEN bytes. */
static uint32_t code_point(Str s, size_t len) {
        static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
        uint32_t value = (unsigned char)s.data[0] & first_bits[len];

        for (size_t i = 1; i < len; i++)
                value = value << 6 | ((unsigned char)s.data[i] & 0x3f);
        return value;
}

/* White space, and what would break the line or let a text pretend to be another one. */
static bool is_space(uint32_t c) {
        static const struct {
                uint32_t first, last;
        } ranges[] = {
                { 0x0000, 0x0020 },                       /* C0 */
                { 0x007f, 0x00a0 },                       /* DEL, C1, no-break space */
                { 0x061c, 0x061c },                       /* Arabic letter mark */
                { 0x200b, 0x200f },                       /* zero width, direction marks */
                { 0x2028, 0x202e },                       /* line ends, embeddings and overrides */
                { 0x2060, 0x206f },                       /* word joiner, isolates */
                { 0xfeff, 0xfeff },   { 0xfff9, 0xfffb }, /* byte order mark, annotations */
                { 0xe0000, 0xe007f },                     /* tags */
        };

        for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
                if (c >= ranges[i].first && c <= ranges[i].last)
                        return true;
        return false;
}

static int append_clean(Buf *out, Str text) {
        bool is_first = true, is_pending = false;
        size_t n_characters = 0, n;

        for (; text.len > 0; text = str_skip(text, size_max(n, 1))) {
                n = str_utf8_length(text);
                if (n > 0 && is_space(code_point(text, n))) {
                        is_pending = !is_first;
                        continue;
                }
                n_characters += is_pending ? 2 : 1;
                if (n_characters > TEXT_MAX_CHARACTERS)
                        return buf_append_cstr(out, ELLIPSIS);
                if (is_pending)
                        (void)buf_append_char(out, ' ');
                if (n == 0)
                        (void)buf_append_cstr(out, REPLACEMENT);
                else
                        (void)buf_append(out, text.data, n);
                is_first = is_pending = false;
        }
        return out->error;
}

int text_append_line(Buf *out, Str value) {
        _cleanup_(buf_deinit) Buf decoded = BUF_INIT(2 * value.len + 1);
        int r = encoded_word_append_decoded(&decoded, value);

        return r == 0 ? append_clean(out, buf_str(&decoded)) : r;
}

/* The text in front of the first '<' that is not quoted, its quotes and backslashes taken off. */
static Str take_name(Str value, Buf *name) {
        bool is_quoted = false;
        size_t i = 0;

        for (; i < value.len && (is_quoted || value.data[i] != '<'); i++) {
                if (value.data[i] == '"') {
                        is_quoted = !is_quoted;
                        continue;
                }
                if (value.data[i] == '\\' && is_quoted && i + 1 < value.len)
                        i++;
                (void)buf_append_char(name, value.data[i]);
        }
        return str_skip(value, i);
}

int text_append_sender(Buf *out, Str value) {
        _cleanup_(buf_deinit) Buf name = BUF_INIT(value.len + 1);
        Str rest = take_name(value, &name);

        if (name.error)
                return name.error;
        if (!str_is_empty(str_trim(buf_str(&name))))
                return text_append_line(out, buf_str(&name));
        rest = str_skip(rest, 1);
        return text_append_line(out, str_first(rest, str_find(rest, '>')));
}

int text_append_escaped(Buf *out, Str text) {
        for (size_t i = 0; i < text.len; i++) {
                switch (text.data[i]) {
                case '<':
                        (void)buf_append_cstr(out, "&lt;");
                        break;
                case '>':
                        (void)buf_append_cstr(out, "&gt;");
                        break;
                case '&':
                        (void)buf_append_cstr(out, "&amp;");
                        break;
                case '"':
                        (void)buf_append_cstr(out, "&quot;");
                        break;
                case '\'':
                        (void)buf_append_cstr(out, "&#39;");
                        break;
                default:
                        (void)buf_append_char(out, text.data[i]);
                }
        }
        return out->error;
}
