/* Lists of tables: cut, made and asked in order. */

#include "common/mail/table-list.h"

#include <errno.h>
#include <stdlib.h>

#include "common/mail/table-type.h"

#define SPEC_SHOWN_BYTES 256

struct TableList {
        Table **tables;
        size_t n;
};

static int add_table(TableList *list, Str spec, const TableContext *context,
                     const char **ret_reason) {
        Table **tables = reallocarray(list->tables, list->n + 1, sizeof(Table *));
        int r;

        if (!tables)
                return -ENOMEM;
        list->tables = tables;
        r = table_new(spec, context, &tables[list->n], ret_reason);
        list->n += r == 0;
        return r;
}

static void describe(Buf *error, Str spec, const char *reason) {
        (void)buf_append_clipped(error, str_first(spec, SPEC_SHOWN_BYTES));
        (void)buf_append_clipped(error, STR(": "));
        (void)buf_append_clipped(error, str_from_cstr(reason));
}

int table_list_new(Str specs, const TableContext *context, TableList **ret, Buf *error) {
        _cleanup_(table_list_freep) TableList *list = calloc(1, sizeof(*list));
        const char *reason = NULL;
        Str spec = specs;
        int r = list ? 0 : -ENOMEM;

        while (r == 0 && table_next_word(&specs, &spec, &reason))
                r = add_table(list, spec, context, &reason);
        if (r == 0 && reason) {
                spec = specs;
                r = TABLE_E_SYNTAX;
        }
        if (r == 0)
                *ret = TAKE_PTR(list);
        else if (r > 0)
                describe(error, spec, reason);
        return r;
}

TableList *table_list_free(TableList *list) {
        if (!list)
                return NULL;
        for (size_t i = 0; i < list->n; i++)
                (void)table_free(list->tables[i]);
        free(list->tables);
        free(list);
        return NULL;
}

size_t table_list_n(const TableList *list) {
        return list->n;
}

void table_list_allow_missing(TableList *list) {
        for (size_t i = 0; i < list->n; i++)
                table_allow_missing(list->tables[i]);
}

TableResult table_list_ask(TableList *list, const TableQuestion *question, Buf *ret,
                           Table **ret_table) {
        if (ret_table)
                *ret_table = NULL;
        for (size_t i = 0; i < list->n; i++) {
                TableResult result = table_ask(list->tables[i], question, ret);

                if (result == TABLE_NOT_FOUND)
                        continue;
                if (ret_table)
                        *ret_table = list->tables[i];
                return result;
        }
        return TABLE_NOT_FOUND;
}

TableResult table_list_lookup_wait(TableList *list, Str key, Buf *ret, Table **ret_table) {
        const TableQuestion question = { .key = key };

        return table_list_ask(list, &question, ret, ret_table);
}
