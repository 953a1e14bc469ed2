#include "common/base/str.h"

#include <stdlib.h>

Str str_from_cstr(const char *cstr) {
        return (Str){ .data = cstr, .len = cstr ? strlen(cstr) : 0 };
}

bool str_equal(Str a, Str b) {
        return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool str_equal_nocase(Str a, Str b) {
        return a.len == b.len && str_has_prefix_nocase(a, b);
}

bool str_has_prefix(Str s, Str prefix) {
        return str_equal(str_first(s, prefix.len), prefix);
}

bool str_has_prefix_nocase(Str s, Str prefix) {
        if (s.len < prefix.len)
                return false;
        for (size_t i = 0; i < prefix.len; i++)
                if (ascii_to_lower(s.data[i]) != ascii_to_lower(prefix.data[i]))
                        return false;
        return true;
}

bool str_has_suffix(Str s, Str suffix) {
        return s.len >= suffix.len && str_equal(str_skip(s, s.len - suffix.len), suffix);
}

bool str_contains(Str s, char c) {
        return str_find(s, c) < s.len;
}

size_t str_find(Str s, char c) {
        const char *hit = s.len > 0 ? memchr(s.data, c, s.len) : NULL;

        return hit ? (size_t)(hit - s.data) : s.len;
}

size_t str_find_last(Str s, char c) {
        const char *hit = s.len > 0 ? memrchr(s.data, c, s.len) : NULL;

        return hit ? (size_t)(hit - s.data) : s.len;
}

Str str_skip(Str s, size_t n) {
        if (n >= s.len)
                return str_from(s.data ? s.data + s.len : NULL, 0);
        return str_from(s.data + n, s.len - n);
}

Str str_first(Str s, size_t n) {
        return str_from(s.data, n < s.len ? n : s.len);
}

Str str_trim(Str s) {
        while (s.len > 0 && ascii_is_space(s.data[0]))
                s = str_skip(s, 1);
        while (s.len > 0 && ascii_is_space(s.data[s.len - 1]))
                s.len--;
        return s;
}

bool str_next_part(Str *rest, char separator, Str *ret_part) {
        size_t end;

        if (!rest->data)
                return false;
        end = str_find(*rest, separator);
        *ret_part = str_first(*rest, end);
        *rest = end < rest->len ? str_skip(*rest, end + 1) : STR_NULL;
        return true;
}

bool str_next_word(Str *rest, Str *ret_word) {
        size_t n = 0;

        while (rest->len > 0 && (ascii_is_space(rest->data[0]) || rest->data[0] == ','))
                *rest = str_skip(*rest, 1);
        while (n < rest->len && !ascii_is_space(rest->data[n]) && rest->data[n] != ',')
                n++;
        *ret_word = str_first(*rest, n);
        *rest = str_skip(*rest, n);
        return n > 0;
}

size_t str_utf8_length(Str s) {
        const unsigned char *p = (const unsigned char *)s.data;
        size_t n;

        if (s.len == 0 || p[0] > 0xf4)
                return 0;
        n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
        if (n > s.len)
                return 0;
        for (size_t i = 1; i < n; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
            (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
                return 0;
        return n;
}

bool str_is_utf8(Str s) {
        while (s.len > 0) {
                size_t n = (unsigned char)s.data[0] < 0x80 ? 1 : str_utf8_length(s);

                if (n == 0)
                        return false;
                s = str_skip(s, n);
        }
        return true;
}

char *str_dup(Str s) {
        char *copy = malloc(s.len + 1);

        if (!copy)
                return NULL;
        if (s.len > 0)
                memcpy(copy, s.data, s.len);
        copy[s.len] = '\0';
        return copy;
}

static int digit_value(char c) {
        if (ascii_is_digit(c))
                return c - '0';
        c = ascii_to_lower(c);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static int parse_number(Str s, unsigned base, uint64_t max, uint64_t *ret_value) {
        uint64_t value = 0;

        if (s.len == 0)
                return STR_E_SYNTAX;
        for (size_t i = 0; i < s.len; i++) {
                unsigned digit = (unsigned)digit_value(s.data[i]);

                if (digit >= base)
                        return STR_E_SYNTAX;
                if (__builtin_mul_overflow(value, base, &value) ||
                    __builtin_add_overflow(value, digit, &value) || value > max)
                        return STR_E_RANGE;
        }
        *ret_value = value;
        return 0;
}

int str_parse_u64(Str s, uint64_t max, uint64_t *ret_value) {
        return parse_number(s, 10, max, ret_value);
}

int str_parse_hex_u64(Str s, uint64_t max, uint64_t *ret_value) {
        return parse_number(s, 16, max, ret_value);
}
