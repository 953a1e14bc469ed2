/* Any bytes: encoded they decode to themselves; what decodes is what an encoder would write. */

#include <stdint.h>
#include <stdlib.h>

#include "common/base/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(buf_deinit) Buf there = BUF_INIT(2 * size + 4);
        _cleanup_(buf_deinit) Buf back = BUF_INIT(2 * size + 4);
        Str text = str_from((const char *)data, size);

        if (base64_append_encoded(text, &there) != 0 ||
            base64_append_decoded(buf_str(&there), &back) != 0 || !str_equal(buf_str(&back), text))
                abort();
        buf_reset(&there);
        buf_reset(&back);
        if (base64_append_decoded(text, &there) == 0 &&
            (base64_append_encoded(buf_str(&there), &back) != 0 ||
             !str_equal(buf_str(&back), text)))
                abort();
        return 0;
}
