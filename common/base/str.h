#pragma once

/*
 * Str: a slice of text that somebody else owns, (pointer, length). All text from outside a
 * process travels as Str or Buf: a NUL inside is a byte like any other, so nothing is cut short.
 * A Str never owns, never frees, and is valid as long as what it points into.
 * Letters compare by ASCII rules only (RFC 5321 and 5322 keywords); locale never plays a part.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Str {
        const char *data; /* may be NULL when len is 0 */
        size_t len;       /* bytes */
} Str;

#define STR_NULL     ((Str){ 0 })
#define STR(literal) ((Str){ .data = (literal), .len = sizeof(literal) - 1 })
/* For printf: printf("%.*s", STR_FMT(s)). The logger escapes; a terminal does not. */
#define STR_FMT(s) (int)(s).len, (s).data ? (s).data : ""

static inline Str str_from(const char *data, size_t len) {
        return (Str){ .data = data, .len = len };
}

/* Slice over a NUL-terminated string; NULL gives the empty slice. */
Str str_from_cstr(const char *cstr);

static inline bool str_is_empty(Str s) {
        return s.len == 0;
}

/* Byte for byte; the nocase forms fold ASCII letters. An empty prefix or suffix always fits. */
bool str_equal(Str a, Str b);
bool str_equal_nocase(Str a, Str b);
bool str_has_prefix(Str s, Str prefix);
bool str_has_prefix_nocase(Str s, Str prefix);
bool str_has_suffix(Str s, Str suffix);

/* Does the slice contain byte C? */
bool str_contains(Str s, char c);

/* Index of the first, or last, byte C; s.len when there is none. */
size_t str_find(Str s, char c);
size_t str_find_last(Str s, char c);

/* The rest after the first N bytes (empty when N > len), and the first N bytes at most. */
Str str_skip(Str s, size_t n);
Str str_first(Str s, size_t n);

/* Without leading and trailing SP, TAB, CR, LF, VT, FF. */
Str str_trim(Str s);

/*
 * Split off the next part of *REST that ends in SEPARATOR or at the end.
 * Returns false when *REST is exhausted (data NULL). "a,,b" yields "a", "", "b".
 */
bool str_next_part(Str *rest, char separator, Str *ret_part);

/* Split off the next run of bytes that are neither white space nor comma; false at the end. */
bool str_next_word(Str *rest, Str *ret_word);

/* Bytes of the UTF-8 character (RFC 3629) that begins S; 0 when S is empty or begins with none. */
size_t str_utf8_length(Str s);

/* Is all of it UTF-8? */
bool str_is_utf8(Str s);

/* Heap copy with a NUL behind it; NULL when memory is out. Caller frees. */
char *str_dup(Str s) __attribute__((malloc));

/*
 * Parse the whole slice as an unsigned decimal, or hexadecimal, number of at most MAX.
 * Returns 0, or STR_E_SYNTAX (empty, other bytes), STR_E_RANGE.
 */
enum {
        STR_E_SYNTAX = 1,
        STR_E_RANGE = 2
};
int str_parse_u64(Str s, uint64_t max, uint64_t *ret_value);
int str_parse_hex_u64(Str s, uint64_t max, uint64_t *ret_value);

/* ASCII only, for any locale and any signedness of char. */
static inline bool ascii_is_digit(char c) {
        return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool ascii_is_space(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool ascii_is_control(char c) {
        return (unsigned char)c < 0x20 || c == 0x7f;
}

static inline char ascii_to_lower(char c) {
        return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}
