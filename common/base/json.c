#include "common/base/json.h"

#include <string.h>

#include "common/base/log-line.h"

static bool needs_escape(char c) {
        return ascii_is_control(c) || c == '"' || c == '\\';
}

static void append_escape(Buf *out, char c) {
        static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
        const char *hit = c != '\0' ? strchr(from, c) : NULL;

        if (hit)
                (void)buf_printf(out, "\\%c", to[hit - from]);
        else
                (void)buf_printf(out, "\\u%04X", (unsigned)(unsigned char)c);
}

int json_append_string(Buf *out, Str text) {
        (void)buf_append_char(out, '"');
        while (!str_is_empty(text)) {
                size_t n = 0;
                char *room;

                while (n < text.len && !needs_escape(text.data[n]))
                        n++;
                if (buf_reserve(out, n, &room) == 0)
                        buf_commit(out, log_line_escape(room, n, str_first(text, n)));
                text = str_skip(text, n);
                if (str_is_empty(text))
                        break;
                append_escape(out, text.data[0]);
                text = str_skip(text, 1);
        }
        return buf_append_char(out, '"');
}

int json_append_member(Buf *out, const char *name, Str value) {
        (void)buf_printf(out, "\"%s\": ", name);
        return json_append_string(out, value);
}
