/*
 * inline:{ key=value, { key = text, with anything } }: entries in the configuration itself,
 * separated by white space and commas; in braces they may hold either. Of several with one key the
 * last one counts, unlike in a source.
 */

#include <errno.h>
#include <stdlib.h>

#include "common/mail/table-map.h"
#include "common/mail/table-type.h"

static int add_entry(TableMap *map, Str entry, const char **ret_reason) {
        size_t equals = str_find(entry, '=');
        Str key = str_trim(str_first(entry, equals));
        Str value = str_trim(str_skip(entry, equals + 1));
        char folded[TABLE_KEY_MAX];

        if (equals == entry.len || str_is_empty(key) || str_is_empty(value)) {
                *ret_reason = "an entry that is not \"key = value\"";
                return TABLE_E_SYNTAX;
        }
        if (key.len > sizeof(folded)) {
                *ret_reason = "a key that is too long";
                return TABLE_E_SYNTAX;
        }
        for (size_t i = 0; i < key.len; i++)
                folded[i] = ascii_to_lower(key.data[i]);
        return table_map_add(map, str_from(folded, key.len), value);
}

static int parse_entries(TableMap *map, Str rest, const char **ret_reason) {
        size_t n = 0;
        Str word;
        int r;

        *ret_reason = NULL;
        while (table_next_word(&rest, &word, ret_reason)) {
                if (word.data[0] == '{' && table_braced_len(word) != word.len) {
                        *ret_reason = "text behind a closing brace";
                        break;
                }
                r = add_entry(map, table_unbrace(word), ret_reason);
                if (r != 0)
                        return r;
                n++;
        }
        if (!*ret_reason && n == 0)
                *ret_reason = "no entries";
        return *ret_reason ? TABLE_E_SYNTAX : 0;
}

static int inline_open(Table *table, Str name, const char **ret_reason) {
        _cleanup_(table_map_freep) TableMap *map = table_map_new(name.len);
        int r;

        if (!map)
                return -ENOMEM;
        if (name.data[0] != '{' || table_braced_len(name) != name.len) {
                *ret_reason = "not of the form inline:{ key=value, ... }";
                return TABLE_E_SYNTAX;
        }
        r = parse_entries(map, str_first(str_skip(name, 1), name.len - 2), ret_reason);
        if (r != 0)
                return r;
        table_map_sort_last(map);
        table->data = TAKE_PTR(map);
        return 0;
}

static int inline_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        Str value = STR_NULL;
        bool found = table_map_find(table->data, key, &value);

        table_set_owner(table, 0);
        reply(userdata, found ? TABLE_FOUND : TABLE_NOT_FOUND, value);
        return 0;
}

static bool inline_each(Table *table, TableEntry entry, void *userdata, Buf *error) {
        table_map_each(table->data, entry, userdata);
        return true;
}

static void inline_close(Table *table) {
        (void)table_map_free(table->data);
}

const TableType table_type_inline = {
        .name = "inline",
        .open = inline_open,
        .lookup = inline_lookup,
        .each = inline_each,
        .close = inline_close,
};
