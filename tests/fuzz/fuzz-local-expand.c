/* "TEXT\nVALUE": VALUE is a stranger's; with a filter no other byte of it may come out, and where
 * TEXT says no name at all, nothing of it. */

#include <stdint.h>
#include <stdlib.h>

#include "services/local/local-expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str text = str_from((const char *)data, size);
        size_t n = str_find(text, '\n');
        LocalExpandValues values = {
                .user = str_skip(text, n + 1),
                .local = str_skip(text, n + 1),
                .extension = str_skip(text, n + 1),
                .filter = STR("ab"),
        };
        _cleanup_(buf_deinit) Buf ret = BUF_INIT(16 * 1024);
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1024);
        int r;

        text = str_first(text, n);
        r = local_expand(text, &values, &ret, &error);
        if (r == 0 && !str_contains(text, '$') && !str_equal(buf_str(&ret), text))
                abort();
        if (r != 0 && r != LOCAL_EXPAND_E_UNDEFINED)
                return 0;
        for (size_t i = 0; i < ret.len; i++)
                if (!str_contains(STR("ab_"), ret.data[i]) && !str_contains(text, ret.data[i]) &&
                    !str_contains(STR("true"), ret.data[i]))
                        abort();
        return 0;
}
