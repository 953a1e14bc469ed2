/* Sources of tables and aliases: the first byte says which syntax, the rest is the text. */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/table-index.h"
#include "common/mail/table-map.h"
#include "common/mail/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition) {
        if (!condition)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(table_map_freep) TableMap *map = table_map_new(size);
        _cleanup_(table_source_freep) TableSource *source = NULL;
        Str text = str_skip(str_from((const char *)data, size), 1);
        TableSyntax syntax = size > 0 && data[0] == 'a' ? TABLE_SYNTAX_ALIASES : TABLE_SYNTAX_MAP;
        uint64_t line = 0;
        Str value;
        Str key;
        int r;

        if (!map || table_source_new(text, syntax, &source) != 0)
                return 0;
        while ((r = table_source_next(source, &key, &value, &line)) != TABLE_SOURCE_E_END) {
                check(line > 0 && line <= size + 1);
                if (r != 0) {
                        check(table_source_reason(source) != NULL);
                        continue;
                }
                check(key.len > 0 && key.len <= TABLE_KEY_MAX && !str_contains(key, '\0'));
                check(value.len > 0 && value.len <= TABLE_VALUE_MAX && !str_contains(value, '\0'));
                check(table_map_add(map, key, value) == 0);
        }
        table_map_sort(map);
        (void)table_map_find(map, str_first(text, 5), &value);
        return 0;
}
