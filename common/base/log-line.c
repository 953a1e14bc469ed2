#include "common/base/log-line.h"

#include <stdio.h>

#include "common/base/macro.h"

/* Smallest code point that needs a sequence of this length: shorter is "overlong" and refused. */
static const unsigned code_point_min[] = { 0, 0, 0x80, 0x800, 0x10000 };

static size_t sequence_len(unsigned char first) {
        if (first < 0x80)
                return 1;
        if (first >= 0xc2 && first <= 0xdf)
                return 2;
        if (first >= 0xe0 && first <= 0xef)
                return 3;
        if (first >= 0xf0 && first <= 0xf4)
                return 4;
        return 0;
}

/* Length of the printable character that S begins with, 0 when there is none. */
static size_t printable_len(Str s) {
        size_t len = sequence_len((unsigned char)s.data[0]);
        unsigned code_point;

        if (len == 1)
                return ascii_is_control(s.data[0]) ? 0 : 1;
        if (len == 0 || len > s.len)
                return 0;
        code_point = (unsigned char)s.data[0] & (0x7fU >> len);
        for (size_t i = 1; i < len; i++) {
                unsigned char byte = (unsigned char)s.data[i];

                if ((byte & 0xc0U) != 0x80)
                        return 0;
                code_point = code_point << 6 | (byte & 0x3fU);
        }
        if (code_point < code_point_min[len] || code_point > 0x10ffff)
                return 0;
        if (code_point >= 0xd800 && code_point <= 0xdfff) /* halves of UTF-16 pairs */
                return 0;
        if (code_point < 0xa0) /* C1: terminals obey these */
                return 0;
        return len;
}

size_t log_line_escape(char *room, size_t size, Str value) {
        size_t used = 0;

        while (value.len > 0) {
                size_t n = printable_len(value);

                if (used + size_max(n, 1) > size)
                        break;
                if (n == 0)
                        room[used++] = '?';
                else
                        memcpy(room + used, value.data, n);
                used += n;
                value = str_skip(value, size_max(n, 1));
        }
        return used;
}

bool log_line_add(LogLine *line, const char *name, Str value, size_t max) {
        size_t name_len = strlen(name);
        size_t room = sizeof(line->data) - line->len;
        char *at = line->data + line->len;

        /* Every byte of the value takes at most one byte, so this bound is enough. */
        if (name_len + 2 + size_min(value.len, max) > room)
                return false;
        memcpy(at, name, name_len);
        at += name_len;
        *at++ = '=';
        at += log_line_escape(at, max, value);
        *at++ = '\n';
        line->len = (size_t)(at - line->data);
        return true;
}

bool log_line_add_number(LogLine *line, const char *name, long number) {
        char text[3 * sizeof(number) + 2];
        int n = snprintf(text, sizeof(text), "%ld", number);

        return log_line_add(line, name, str_from(text, (size_t)n), sizeof(text));
}
