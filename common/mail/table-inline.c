/*
 * inline:{ key=value, { key = text, with anything } }: entries in the configuration itself,
 * separated by white space and commas; in braces they may hold either.
 */

#include <errno.h>
#include <stdlib.h>

#include "common/mail/table-map.h"
#include "common/mail/table-type.h"

static bool is_separator(char c) {
        return ascii_is_space(c) || c == ',';
}

/* Bytes of the "{...}" at the start of TEXT, 0 when it never closes. */
static size_t braced_len(Str text) {
        size_t level = 0;

        for (size_t i = 0; i < text.len; i++) {
                if (text.data[i] == '{')
                        level++;
                else if (text.data[i] == '}' && --level == 0)
                        return i + 1;
        }
        return 0;
}

/* Split off the next entry, braces taken off. 0, 1 at the end, TABLE_E_SYNTAX is -1 here. */
static bool next_entry(Str *rest, Str *ret, const char **ret_reason) {
        size_t n = 0;

        while (!str_is_empty(*rest) && is_separator(rest->data[0]))
                *rest = str_skip(*rest, 1);
        if (str_is_empty(*rest))
                return false;
        if (rest->data[0] == '{') {
                n = braced_len(*rest);
                if (n == 0) {
                        *ret_reason = "no closing brace";
                        return false;
                }
                *ret = table_unbrace(str_first(*rest, n));
        } else {
                while (n < rest->len && !is_separator(rest->data[n]))
                        n++;
                *ret = str_first(*rest, n);
        }
        *rest = str_skip(*rest, n);
        return true;
}

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
        Str entry;
        int r;

        *ret_reason = NULL;
        while (next_entry(&rest, &entry, ret_reason)) {
                r = add_entry(map, entry, ret_reason);
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
        if (name.data[0] != '{' || braced_len(name) != name.len) {
                *ret_reason = "not of the form inline:{ key=value, ... }";
                return TABLE_E_SYNTAX;
        }
        r = parse_entries(map, str_first(str_skip(name, 1), name.len - 2), ret_reason);
        if (r != 0)
                return r;
        table_map_sort(map);
        table->data = TAKE_PTR(map);
        return 0;
}

static int inline_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        Str value = STR_NULL;
        bool found = table_map_find(table->data, key, &value);

        reply(userdata, found ? TABLE_FOUND : TABLE_NOT_FOUND, value);
        return 0;
}

static void inline_close(Table *table) {
        (void)table_map_free(table->data);
}

const TableType table_type_inline = {
        .name = "inline",
        .open = inline_open,
        .lookup = inline_lookup,
        .close = inline_close,
};
