/*
 * proxy:type:name: the table type:name, but always asked through the transport where there is one,
 * whether it may block or not: what a process has no access to itself, or shares. Without a
 * transport, in workers and tools, it is that table.
 */

#include "common/mail/table-type.h"

static int proxy_open(Table *table, Str name, const char **ret_reason) {
        Table *member;
        int r;

        if (table->context.is_trusted) {
                *ret_reason = "tables that may name commands are not asked through others";
                return TABLE_E_SYNTAX;
        }
        r = table_new_member(table, name, &member, ret_reason);
        if (r != 0)
                return r;
        table->data = member;
        table->is_pattern = member->is_pattern;
        return 0;
}

static int proxy_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        TableResult result = table_lookup_wait(table->data, key, &value);
        uid_t uid;

        if (table_owner(table->data, &uid))
                table_set_owner(table, uid);
        reply(userdata, result, buf_str(&value));
        return 0;
}

static bool proxy_each(Table *table, TableEntry entry, void *userdata, Buf *error) {
        if (!table_is_remote(table))
                return table_each(table->data, entry, userdata, error);
        (void)buf_append_cstr(error, "this process must not wait for this table");
        return false;
}

static void proxy_close(Table *table) {
        (void)table_free(table->data);
}

const TableType table_type_proxy = {
        .name = "proxy",
        .may_block = true,
        .any_key = true,
        .open = proxy_open,
        .lookup = proxy_lookup,
        .each = proxy_each,
        .close = proxy_close,
};
