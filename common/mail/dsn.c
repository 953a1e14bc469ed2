/* The outcome of a delivery as data; see dsn.h. Pure functions, nothing allocates. */

#include "common/mail/dsn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Without the part of a UTF-8 character that a cut at LEN left behind. */
static size_t cut_at_character(Str text, size_t len) {
        size_t start = len;

        if (len >= text.len)
                return text.len;
        while (start > 0 && len - start < 3 && ((uint8_t)text.data[start] & 0xc0) == 0x80)
                start--;
        return ((uint8_t)text.data[start] & 0xc0) == 0x80 ? len : start;
}

/* Copy TEXT, cut to SIZE - 1 bytes, control bytes as '?', with a NUL. */
static void set_text(char *target, size_t size, Str text) {
        size_t len = cut_at_character(text, text.len < size ? text.len : size - 1);

        for (size_t i = 0; i < len; i++)
                target[i] = ascii_is_control(text.data[i]) ? '?' : text.data[i];
        target[len] = '\0';
}

void dsn_set(Dsn *dsn, DsnStatus status, const char *code, const char *format, ...) {
        char text[DSN_TEXT_MAX + 4]; /* so that a cut inside a character is seen */
        va_list args;

        va_start(args, format);
        if (vsnprintf(text, sizeof(text), format, args) < 0)
                text[0] = '\0';
        va_end(args);
        dsn->status = status;
        set_text(dsn->code, sizeof(dsn->code), str_from_cstr(code));
        set_text(dsn->text, sizeof(dsn->text), str_from_cstr(text));
        set_text(dsn->relay, sizeof(dsn->relay), STR("none"));
}

bool dsn_parse(Dsn *dsn, uint64_t status, Str code, Str text, Str relay) {
        if (status < DSN_SENT || status > DSN_BOUNCED || !dsn_code_is_valid(code))
                return false;
        dsn->status = (DsnStatus)status;
        set_text(dsn->code, sizeof(dsn->code), code);
        set_text(dsn->text, sizeof(dsn->text), text);
        set_text(dsn->relay, sizeof(dsn->relay), str_is_empty(relay) ? STR("none") : relay);
        return true;
}

/* RFC 3463 section 2: 1*3digit, without leading zeros. */
static bool number_is_valid(Str number) {
        if (number.len < 1 || number.len > 3 || (number.len > 1 && number.data[0] == '0'))
                return false;
        for (size_t i = 0; i < number.len; i++)
                if (!ascii_is_digit(number.data[i]))
                        return false;
        return true;
}

bool dsn_code_is_valid(Str code) {
        Str class, subject, detail, rest = code;

        return str_next_part(&rest, '.', &class) && str_next_part(&rest, '.', &subject) &&
               str_next_part(&rest, '.', &detail) && !rest.data && class.len == 1 &&
               str_contains(STR("245"), class.data[0]) && number_is_valid(subject) &&
               number_is_valid(detail);
}

const char *dsn_status_name(DsnStatus status) {
        switch (status) {
        case DSN_SENT:
                return "sent";
        case DSN_DEFERRED:
                return "deferred";
        case DSN_BOUNCED:
                return "bounced";
        }
        return "unknown";
}

void dsn_split(Str text, Str *ret_code, Str *ret_rest) {
        size_t len = 0;

        while (len < text.len && !ascii_is_space(text.data[len]))
                len++;
        if (!dsn_code_is_valid(str_first(text, len))) {
                *ret_code = STR_NULL;
                *ret_rest = text;
                return;
        }
        *ret_code = str_first(text, len);
        *ret_rest = str_skip(text, len);
        while (ret_rest->len > 0 && ascii_is_space(ret_rest->data[0]))
                *ret_rest = str_skip(*ret_rest, 1);
}
