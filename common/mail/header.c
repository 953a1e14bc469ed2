#include "common/mail/header.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* RFC 2047 2: an encoded word has at most 75 characters, "=?utf-8?Q?" and "?=" among them. */
#define ENCODED_WORD_TEXT_MAX (75 - 12)

static bool is_name_byte(char c) {
        return (unsigned char)c > 0x20 && (unsigned char)c < 0x7f && c != ':';
}

HeaderLine header_line_classify(Str line, Str *ret_name, Str *ret_value) {
        size_t n = 0, colon;

        if (line.len == 0)
                return HEADER_LINE_END;
        if (line.data[0] == ' ' || line.data[0] == '\t')
                return HEADER_LINE_CONTINUATION;
        while (n < line.len && is_name_byte(line.data[n]))
                n++;
        colon = n;
        while (colon < line.len && (line.data[colon] == ' ' || line.data[colon] == '\t'))
                colon++;
        if (n == 0 || colon == line.len || line.data[colon] != ':')
                return HEADER_LINE_BODY;
        *ret_name = str_first(line, n);
        *ret_value = str_skip(line, colon + 1);
        return HEADER_LINE_FIELD;
}

/* A zone name that can stand in a comment as it is; TZ may hold anything. */
static bool zone_is_plain(const char *zone) {
        for (const char *c = zone; *c != '\0'; c++)
                if (!ascii_is_alpha(*c) && !ascii_is_digit(*c) && *c != '+' && *c != '-')
                        return false;
        return zone[0] != '\0';
}

int header_append_date(Buf *buf, usec_t now_usec) {
        static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
        static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
        time_t now = (time_t)(now_usec / USEC_PER_SEC);
        struct tm tm;
        long minutes;

        if (!localtime_r(&now, &tm))
                return -EOVERFLOW;
        minutes = labs(tm.tm_gmtoff) / 60;
        (void)buf_printf(buf, "%s, %d %s %d %02d:%02d:%02d %c%02ld%02ld", days[tm.tm_wday],
                         tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                         tm.tm_sec, tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
        if (tm.tm_zone && zone_is_plain(tm.tm_zone))
                (void)buf_printf(buf, " (%s)", tm.tm_zone);
        return buf->error;
}

int header_append_message_id(Buf *buf, usec_t now_usec, Str queue_id, Str hostname) {
        time_t now = (time_t)(now_usec / USEC_PER_SEC);
        struct tm tm;

        if (!gmtime_r(&now, &tm))
                return -EOVERFLOW;
        (void)buf_printf(buf, "%04d%02d%02d%02d%02d%02d.", tm.tm_year + 1900, tm.tm_mon + 1,
                         tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        (void)buf_append_str(buf, queue_id);
        (void)buf_append_char(buf, '@');
        return buf_append_str(buf, hostname);
}

/* RFC 2047 5 (3): what may stand for itself in an encoded word within a phrase. */
static bool stands_for_itself(char c) {
        return ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr("!*+-/", c));
}

static int append_encoded_words(Buf *buf, Str name) {
        size_t text_len = 0, n, room;

        (void)buf_append_cstr(buf, "=?utf-8?Q?");
        for (; name.len > 0; name = str_skip(name, n)) {
                n = size_max(str_utf8_length(name), 1);
                room = n == 1 && (stands_for_itself(name.data[0]) || name.data[0] == ' ') ? 1
                                                                                          : 3 * n;
                if (text_len + room > ENCODED_WORD_TEXT_MAX) {
                        (void)buf_append_cstr(buf, "?=\n =?utf-8?Q?");
                        text_len = 0;
                }
                text_len += room;
                for (size_t i = 0; i < n; i++) {
                        if (name.data[i] == ' ')
                                (void)buf_append_char(buf, '_');
                        else if (stands_for_itself(name.data[i]))
                                (void)buf_append_char(buf, name.data[i]);
                        else
                                (void)buf_printf(buf, "=%02X", (unsigned char)name.data[i]);
                }
        }
        return buf_append_cstr(buf, "?=");
}

static int append_quoted_string(Buf *buf, Str text) {
        (void)buf_append_char(buf, '"');
        for (size_t i = 0; i < text.len; i++) {
                if (text.data[i] == '"' || text.data[i] == '\\')
                        (void)buf_append_char(buf, '\\');
                (void)buf_append_char(buf, text.data[i]);
        }
        return buf_append_char(buf, '"');
}

/* RFC 5322 3.2.3: atoms and single spaces between them. */
static bool is_atoms(Str name) {
        for (size_t i = 0; i < name.len; i++) {
                char c = name.data[i];

                if (c == ' ' && i > 0 && i + 1 < name.len && name.data[i - 1] != ' ')
                        continue;
                if (!ascii_is_alpha(c) && !ascii_is_digit(c) && !strchr("#$&'*+-/=?^_`{|}~", c))
                        return false;
        }
        return name.len > 0;
}

/* NAME without what cannot be in a header; *ret_ascii: nothing in it needs encoding. */
static int make_plain(Str name, Buf *ret, bool *ret_ascii) {
        size_t n;

        *ret_ascii = true;
        for (; name.len > 0; name = str_skip(name, size_max(n, 1))) {
                n = str_utf8_length(name);
                if (n == 0 || ascii_is_control(name.data[0]))
                        continue;
                *ret_ascii = *ret_ascii && n == 1;
                (void)buf_append(ret, name.data, n);
        }
        return ret->error;
}

int header_append_phrase(Buf *buf, Str name) {
        _cleanup_(buf_deinit) Buf plain = BUF_INIT(name.len);
        bool is_ascii;

        if (make_plain(name, &plain, &is_ascii) != 0)
                return plain.error;
        if (!is_ascii)
                return append_encoded_words(buf, buf_str(&plain));
        return is_atoms(buf_str(&plain)) ? buf_append_str(buf, buf_str(&plain))
                                         : append_quoted_string(buf, buf_str(&plain));
}

int header_append_comment(Buf *buf, Str name) {
        _cleanup_(buf_deinit) Buf plain = BUF_INIT(name.len);
        bool is_ascii;

        if (make_plain(name, &plain, &is_ascii) != 0)
                return plain.error;
        (void)buf_append_char(buf, '(');
        if (!is_ascii)
                (void)append_encoded_words(buf, buf_str(&plain));
        for (size_t i = 0; is_ascii && i < plain.len; i++) {
                if (strchr("()\\", plain.data[i]))
                        (void)buf_append_char(buf, '\\');
                (void)buf_append_char(buf, plain.data[i]);
        }
        return buf_append_char(buf, ')');
}
