/* static:text and static:{text with spaces}: the same answer to every key. */

#include <errno.h>
#include <stdlib.h>

#include "common/mail/table-type.h"

static int static_open(Table *table, Str name, const char **ret_reason) {
        Str text = table_unbrace(name);

        if (name.data[0] == '{' && table_braced_len(name) != name.len) {
                *ret_reason = "no closing brace, or text behind it";
                return TABLE_E_SYNTAX;
        }
        if (str_is_empty(text)) {
                *ret_reason = "an empty text";
                return TABLE_E_SYNTAX;
        }
        table->data = str_dup(text);
        return table->data ? 0 : -ENOMEM;
}

static int static_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        table_set_owner(table, 0);
        reply(userdata, TABLE_FOUND, str_from_cstr(table->data));
        return 0;
}

static void static_close(Table *table) {
        free(table->data);
}

const TableType table_type_static = {
        .name = "static",
        .any_key = true,
        .open = static_open,
        .lookup = static_lookup,
        .close = static_close,
};
