/*
 * Any bytes as a header field: what comes out when addresses are made canonical is bounded, and the
 * same again when it is rewritten once more; what does not change is not copied.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/header-rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const RewriteRules rules = {
        .origin = STR("o.example"),
        .swap_bangpath = true,
        .allow_percent_hack = true,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str input = str_from((const char *)data, size), once, twice;
        _cleanup_(header_rewrite_deinit) HeaderRewrite first, second;

        header_rewrite_init(&first, &rules, SIZE_MAX);
        header_rewrite_init(&second, &rules, SIZE_MAX);
        if (header_rewrite_field(&first, input, &once) != 0 ||
            header_rewrite_field(&second, once, &twice) != 0)
                abort();
        if (once.len > 30 * size || !str_equal(once, twice))
                abort();
        if (size > 0 && str_equal(once, input) && once.data != input.data)
                abort();
        return 0;
}
