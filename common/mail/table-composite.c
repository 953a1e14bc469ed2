/*
 * Tables made of tables, "{type:name, type:name ...}":
 *
 *   unionmap:   asks all, and answers with all that was found, separated by commas
 *   pipemap:    asks each for what the one before it answered
 *
 * A member that fails makes the whole fail: what the others say is only a part. One that may block
 * makes the whole go through the transport, where there is one; so members are asked only where
 * they answer before they return.
 */

#include <errno.h>
#include <stdlib.h>

#include "common/mail/table-type.h"

#define MEMBERS_MAX 100

typedef struct Composite {
        Table *members[MEMBERS_MAX];
        size_t n;
} Composite;

static int add_members(Table *table, Composite *composite, Str rest, const char **ret_reason) {
        Str word;
        int r = 0;

        *ret_reason = NULL;
        while (r == 0 && table_next_word(&rest, &word, ret_reason)) {
                if (composite->n == MEMBERS_MAX) {
                        *ret_reason = "too many tables in one";
                        return TABLE_E_SYNTAX;
                }
                r = table_new_member(table, word, &composite->members[composite->n], ret_reason);
                composite->n += r == 0;
        }
        if (r == 0 && !*ret_reason && composite->n == 0)
                *ret_reason = "no tables between the braces";
        /* As in Postfix: the first decides which keys all of them see. */
        if (composite->n > 0)
                table->is_pattern = composite->members[0]->is_pattern;
        return r == 0 && *ret_reason ? TABLE_E_SYNTAX : r;
}

static int composite_open(Table *table, Str name, const char **ret_reason) {
        Composite *composite;

        if (name.data[0] != '{' || table_braced_len(name) != name.len) {
                *ret_reason = "not of the form {type:name, ...}";
                return TABLE_E_SYNTAX;
        }
        composite = calloc(1, sizeof(*composite));
        if (!composite)
                return -ENOMEM;
        table->data = composite;
        return add_members(table, composite, str_first(str_skip(name, 1), name.len - 2),
                           ret_reason);
}

static void composite_close(Table *table) {
        Composite *composite = table->data;

        for (size_t i = 0; i < composite->n; i++)
                (void)table_free(composite->members[i]);
        free(composite);
}

/*
 * Whose the answer is: of those that were asked, which are the first N, the one who is trusted
 * least. Nobody vouches for what two users made together.
 */
static void set_owner(Table *table, const Composite *composite, size_t n) {
        uid_t owner = 0;

        for (size_t i = 0; i < n; i++) {
                uid_t uid;

                if (!table_owner(composite->members[i], &uid) ||
                    (uid != 0 && owner != 0 && uid != owner))
                        return;
                if (uid != 0)
                        owner = uid;
        }
        if (n > 0)
                table_set_owner(table, owner);
}

static int unionmap_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        _cleanup_(buf_deinit) Buf values = BUF_INIT(TABLE_VALUE_MAX);
        const Composite *composite = table->data;
        TableResult result = TABLE_NOT_FOUND;

        for (size_t i = 0; i < composite->n && result != TABLE_ERROR; i++) {
                _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
                TableResult found = table_lookup_wait(composite->members[i], key, &value);

                if (found == TABLE_NOT_FOUND)
                        continue;
                if (found == TABLE_ERROR)
                        buf_reset(&values);
                else if (result == TABLE_FOUND)
                        (void)buf_append_char(&values, ',');
                (void)buf_append_str(&values, buf_str(&value));
                result = found;
        }
        if (result != TABLE_ERROR && values.error != 0) {
                table_reply_error(reply, userdata, "%.*s: the values are too long",
                                  TABLE_SPEC_SHOWN, table->spec);
                return 0;
        }
        set_owner(table, composite, result == TABLE_ERROR ? 0 : composite->n);
        reply(userdata, result, buf_str(&values));
        return 0;
}

static int pipemap_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        _cleanup_(buf_deinit) Buf question = BUF_INIT(TABLE_VALUE_MAX);
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        const Composite *composite = table->data;
        TableResult result = TABLE_FOUND;
        size_t n_asked = 0;

        while (n_asked < composite->n && result == TABLE_FOUND) {
                const Buf asked = question;

                result = table_lookup_wait(composite->members[n_asked],
                                           n_asked == 0 ? key : buf_str(&question), &value);
                n_asked++;
                question = value;
                value = asked;
                buf_reset(&value);
        }
        set_owner(table, composite, result == TABLE_ERROR ? 0 : n_asked);
        reply(userdata, result, result == TABLE_NOT_FOUND ? STR_NULL : buf_str(&question));
        return 0;
}

const TableType table_type_unionmap = {
        .name = "unionmap",
        .any_key = true,
        .open = composite_open,
        .lookup = unionmap_lookup,
        .close = composite_close,
};

const TableType table_type_pipemap = {
        .name = "pipemap",
        .any_key = true,
        .open = composite_open,
        .lookup = pipemap_lookup,
        .close = composite_close,
};
