/*
 * Any bytes as the value of a journal field: what is logged is one field, in well-formed text that
 * no terminal obeys, and making it safe once more changes nothing.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/base/log-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_safe(Str text) {
        char again[4096];
        size_t n = log_line_escape(again, sizeof(again), text);

        if (!str_equal(str_from(again, n), text))
                abort();
        for (size_t i = 0; i < text.len; i++)
                if (ascii_is_control(text.data[i]))
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static LogLine line;
        Str value = str_from((const char *)data, size);
        size_t max = size > 0 ? (size_t)data[0] * 16 : 0; /* cut anywhere */
        Str rest, field;

        line.len = 0;
        if (!log_line_add(&line, "F", value, max))
                return 0;
        rest = str_from(line.data, line.len);
        if (!str_next_part(&rest, '\n', &field) || !str_has_prefix(field, STR("F=")))
                abort();
        if (rest.len > 0 || field.len > 2 + max || field.len > 2 + size)
                abort();
        check_safe(str_skip(field, 2));
        return 0;
}
