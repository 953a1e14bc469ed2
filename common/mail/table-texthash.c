/* texthash:/path: a source in postmap(1) syntax, held in memory. */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/mail/table-content.h"
#include "common/mail/table-file.h"
#include "common/mail/table-index.h"
#include "common/mail/table-map.h"

static int add_entries(TableMap *map, TableSource *source, Buf *error) {
        uint64_t line = 0;
        Str value;
        Str key;
        int r = 0;

        while (r == 0) {
                r = table_source_next(source, &key, &value, &line);
                if (r == 0)
                        r = table_map_add(map, key, value) != 0 ? -ENOMEM : 0;
        }
        if (r == TABLE_INDEX_E_SYNTAX) {
                (void)buf_printf(error, "line %" PRIu64 ": %s", line, table_source_reason(source));
                return TABLE_E_SYNTAX;
        }
        return r == TABLE_SOURCE_E_END ? 0 : r;
}

static int texthash_parse(Str text, void **ret, Buf *error) {
        _cleanup_(table_source_freep) TableSource *source = NULL;
        _cleanup_(table_map_freep) TableMap *map = table_map_new(TABLE_SOURCE_MAX_BYTES);
        int r = map ? table_source_new(text, TABLE_SYNTAX_MAP, &source) : -ENOMEM;

        if (r == 0)
                r = add_entries(map, source, error);
        if (r != 0)
                return r;
        table_map_sort(map);
        *ret = TAKE_PTR(map);
        return 0;
}

static void texthash_free(void *map) {
        (void)table_map_free(map);
}

static const TableContentType content_type = {
        .parse = texthash_parse,
        .free = texthash_free,
};

static int texthash_open(Table *table, Str name, const char **ret_reason) {
        return table_content_open(table, name, &content_type, ret_reason);
}

static int texthash_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        Buf copy = BUF_INIT(TABLE_VALUE_MAX);
        Str value = STR_NULL;
        const TableMap *map = table_content_get(table);

        if (!map) {
                table_content_reply_error(table, reply, userdata);
                return 0;
        }
        if (!table_map_find(map, key, &value)) {
                reply(userdata, TABLE_NOT_FOUND, STR_NULL);
                return 0;
        }
        /* The reply may ask this table again, and that may read the source anew. */
        if (buf_append_str(&copy, value) == 0)
                reply(userdata, TABLE_FOUND, buf_str(&copy));
        else
                table_reply_error(reply, userdata, "%s: out of memory", table->spec);
        buf_deinit(&copy);
        return 0;
}

static bool texthash_each(Table *table, TableEntry entry, void *userdata, Buf *error) {
        const TableMap *map = table_content_get(table);

        if (map)
                table_map_each(map, entry, userdata);
        else
                (void)buf_append_clipped(error, str_from_cstr(table_content_error(table)));
        return map != NULL;
}

const TableType table_type_texthash = {
        .name = "texthash",
        .has_source = true,
        .open = texthash_open,
        .lookup = texthash_lookup,
        .each = texthash_each,
        .close = table_content_close,
};
