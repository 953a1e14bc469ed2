#include "common/mail/encoded-word.h"

#include <stdint.h>

typedef struct EncodedWord {
        bool is_latin1;
        bool is_base64;
        Str text;
        size_t len; /* bytes of all of it, from "=?" to "?=" */
} EncodedWord;

/* RFC 2231 5: a language may follow the name of the character set, "utf-8*en". */
static bool take_charset(Str charset, EncodedWord *word) {
        charset = str_first(charset, str_find(charset, '*'));
        word->is_latin1 = str_equal_nocase(charset, STR("iso-8859-1"));
        return word->is_latin1 || str_equal_nocase(charset, STR("utf-8")) ||
               str_equal_nocase(charset, STR("us-ascii"));
}

static bool is_token(Str text) {
        for (size_t i = 0; i < text.len; i++)
                if (text.data[i] == ' ' || ascii_is_control(text.data[i]))
                        return false;
        return true;
}

/* Is there an encoded word at the start of S that we can read? */
static bool parse_word(Str s, EncodedWord *ret) {
        Str rest = s, mark = STR_NULL, charset, encoding;

        if (!str_has_prefix(s, STR("=?")))
                return false;
        rest = str_skip(rest, 2);
        if (!str_next_part(&rest, '?', &charset) || !str_next_part(&rest, '?', &encoding) ||
            !str_next_part(&rest, '?', &ret->text) || !rest.data)
                return false;
        mark = str_first(rest, 1);
        ret->is_base64 = str_equal_nocase(encoding, STR("b"));
        ret->len = (size_t)(rest.data - s.data) + 1;
        return str_equal(mark, STR("=")) && take_charset(charset, ret) && is_token(ret->text) &&
               (ret->is_base64 || str_equal_nocase(encoding, STR("q")));
}

static int append_byte(Buf *buf, const EncodedWord *word, unsigned char byte) {
        if (!word->is_latin1 || byte < 0x80)
                return buf_append_char(buf, (char)byte);
        (void)buf_append_char(buf, (char)(0xc0 | (byte >> 6)));
        return buf_append_char(buf, (char)(0x80 | (byte & 0x3f)));
}

/* RFC 2047 4.2. A '=' without two digits stands for itself. */
static int append_q(Buf *buf, const EncodedWord *word) {
        uint64_t byte;
        int r = 0;

        for (size_t i = 0; i < word->text.len && r == 0; i++) {
                char c = word->text.data[i];
                Str digits = str_first(str_skip(word->text, i + 1), 2);

                if (c == '=' && digits.len == 2 && str_parse_hex_u64(digits, 0xff, &byte) == 0) {
                        r = append_byte(buf, word, (unsigned char)byte);
                        i += 2;
                } else
                        r = append_byte(buf, word, c == '_' ? ' ' : (unsigned char)c);
        }
        return r;
}

static unsigned base64_value(char c) {
        if (c >= 'A' && c <= 'Z')
                return (unsigned)(c - 'A');
        if (c >= 'a' && c <= 'z')
                return (unsigned)(c - 'a') + 26;
        if (ascii_is_digit(c))
                return (unsigned)(c - '0') + 52;
        return c == '+' ? 62 : c == '/' ? 63 : 64;
}

/* RFC 2045 6.8. Other bytes than those of the alphabet are passed over; '=' ends the text. */
static int append_b(Buf *buf, const EncodedWord *word) {
        unsigned bits = 0, n_bits = 0;
        int r = 0;

        for (size_t i = 0; i < word->text.len && word->text.data[i] != '=' && r == 0; i++) {
                unsigned value = base64_value(word->text.data[i]);

                if (value > 63)
                        continue;
                bits = (bits << 6 | value) & 0xffff;
                n_bits += 6;
                if (n_bits < 8)
                        continue;
                n_bits -= 8;
                r = append_byte(buf, word, (unsigned char)(bits >> n_bits));
        }
        return r;
}

static size_t space_length(Str s) {
        size_t n = 0;

        while (n < s.len && ascii_is_space(s.data[n]))
                n++;
        return n;
}

int encoded_word_append_decoded(Buf *buf, Str value) {
        bool after_word = false;
        EncodedWord word;
        int r = 0;

        while (value.len > 0 && r == 0) {
                size_t n_space = after_word ? space_length(value) : 0;

                if (parse_word(str_skip(value, n_space), &word)) {
                        r = word.is_base64 ? append_b(buf, &word) : append_q(buf, &word);
                        value = str_skip(value, n_space + word.len);
                        after_word = true;
                        continue;
                }
                n_space = size_max(n_space, 1);
                r = buf_append(buf, value.data, n_space);
                value = str_skip(value, n_space);
                after_word = false;
        }
        return r;
}
