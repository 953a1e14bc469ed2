/*
 * Any bytes as a header line and as a display name: a phrase has no control bytes but those of its
 * own folding, so that no name can begin a field of its own.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(buf_deinit) Buf phrase = BUF_INIT(1 << 20);
        Str line = str_from((const char *)data, size), name = STR_NULL, value = STR_NULL;

        if (header_line_classify(line, &name, &value) == HEADER_LINE_FIELD &&
            (name.len == 0 || name.len + value.len + 1 > size))
                abort();
        if (header_append_phrase(&phrase, line) != 0)
                return 0;
        for (size_t i = 0; i < phrase.len; i++)
                if (ascii_is_control(phrase.data[i]) &&
                    (phrase.data[i] != '\n' || i + 1 == phrase.len || phrase.data[i + 1] != ' '))
                        abort();
        return 0;
}
