/*
 * "type:name" specs with their texts, tables made of tables among them; asked once where nothing is
 * opened.
 */

#include <stdint.h>

#include "common/mail/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        Str spec = str_from((const char *)data, size);
        const TableContext context = { .index_dir = "/nonexistent" };
        const char *reason = NULL;

        if (table_new(spec, &context, &table, &reason) != 0)
                return 0;
        if (!str_contains(spec, '/') && !memmem(data, size, "unix:", 5))
                (void)table_lookup_wait(table, STR("a"), &value);
        return 0;
}
