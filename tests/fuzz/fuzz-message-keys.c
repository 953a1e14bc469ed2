/*
 * Any bytes as a message: each line of it, and nothing else, is part of one key, and a header field
 * is no longer than it may be.
 */

#include <stdint.h>
#include <stdlib.h>

#include "tools/map/message-keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Seen {
        size_t n_keys;
        size_t n_bytes;
} Seen;

static int note(void *userdata, Str key) {
        Seen *seen = userdata;

        seen->n_keys++;
        seen->n_bytes += key.len;
        return 0;
}

static Seen keys_of(unsigned wanted, Str message) {
        _cleanup_(message_keys_freep) MessageKeys *keys = NULL;
        Seen seen = { 0 };
        Str line;

        keys = message_keys_new(wanted, note, &seen);
        if (!keys)
                exit(0);
        while (str_next_part(&message, '\n', &line))
                if (message_keys_line(keys, line) != 0)
                        abort();
        if (message_keys_end(keys) != 0)
                abort();
        return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str message = str_from((const char *)data, size);

        for (unsigned mime = 0; mime <= MESSAGE_KEYS_MIME; mime += MESSAGE_KEYS_MIME) {
                Seen header = keys_of(MESSAGE_KEYS_HEADER | mime, message);
                Seen body = keys_of(MESSAGE_KEYS_BODY | mime, message);
                Seen both = keys_of(MESSAGE_KEYS_HEADER | MESSAGE_KEYS_BODY | mime, message);

                if (header.n_keys + body.n_keys != both.n_keys ||
                    header.n_bytes + body.n_bytes != both.n_bytes || both.n_bytes > size)
                        abort();
        }
        return 0;
}
