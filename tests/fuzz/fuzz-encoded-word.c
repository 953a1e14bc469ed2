/* Any bytes as the value of a header field: no more comes out than was promised. */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/encoded-word.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Buf out _cleanup_(buf_deinit) = BUF_INIT(2 * size + 1);

        if (size > (1 << 16))
                return 0;
        if (encoded_word_append_decoded(&out, str_from((const char *)data, size)) != 0)
                abort();
        return out.len > 2 * size ? abort(), 0 : 0;
}
