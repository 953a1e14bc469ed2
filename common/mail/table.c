/*
 * Tables by name: "type:name" to a struct of functions, and what holds for every type: case
 * folding, keys that cannot be in a source, the injected transport, waiting. Opens nothing.
 */

#include "common/mail/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mail/table-index.h"
#include "common/mail/table-type.h"

/*
 * In alphabetical order. hash: and the others of an existing main.cf mean the tdb index of the same
 * source.
 */
static const struct {
        Str name;
        const TableType *type;
} types[] = {
        { { "btree", 5 }, &table_type_tdb },         { { "cdb", 3 }, &table_type_tdb },
        { { "cidr", 4 }, &table_type_cidr },         { { "dbm", 3 }, &table_type_tdb },
        { { "environ", 7 }, &table_type_environ },   { { "fail", 4 }, &table_type_fail },
        { { "hash", 4 }, &table_type_tdb },          { { "inline", 6 }, &table_type_inline },
        { { "internal", 8 }, &table_type_internal }, { { "lmdb", 4 }, &table_type_tdb },
        { { "pcre", 4 }, &table_type_pcre },         { { "pipemap", 7 }, &table_type_pipemap },
        { { "proxy", 5 }, &table_type_proxy },       { { "randmap", 7 }, &table_type_randmap },
        { { "regexp", 6 }, &table_type_regexp },     { { "sdbm", 4 }, &table_type_tdb },
        { { "static", 6 }, &table_type_static },     { { "tdb", 3 }, &table_type_tdb },
        { { "texthash", 8 }, &table_type_texthash }, { { "unionmap", 8 }, &table_type_unionmap },
        { { "unix", 4 }, &table_type_unix },
};

static const TableType *find_type(Str name) {
        for (size_t i = 0; i < ARRAY_LEN(types); i++)
                if (str_equal(types[i].name, name))
                        return types[i].type;
        return NULL;
}

bool table_type_has_source(Str name) {
        const TableType *type = find_type(name);

        return type && type->has_source;
}

Str table_type_name(size_t i) {
        return i < ARRAY_LEN(types) ? types[i].name : STR_NULL;
}

bool table_type_is_indexed(Str type) {
        return find_type(type) == &table_type_tdb;
}

Str table_unbrace(Str text) {
        text = str_trim(text);
        if (str_has_prefix(text, STR("{")) && str_has_suffix(text, STR("}")) && text.len >= 2)
                text = str_trim(str_first(str_skip(text, 1), text.len - 2));
        return text;
}

static bool is_separator(char c) {
        return ascii_is_space(c) || c == ',';
}

size_t table_braced_len(Str text) {
        size_t level = 0;

        for (size_t i = 0; i < text.len; i++) {
                if (text.data[i] == '{')
                        level++;
                else if (text.data[i] == '}' && --level == 0)
                        return i + 1;
        }
        return 0;
}

bool table_next_word(Str *rest, Str *ret, const char **ret_reason) {
        size_t n = 0;

        while (!str_is_empty(*rest) && is_separator(rest->data[0]))
                *rest = str_skip(*rest, 1);
        while (n < rest->len && !is_separator(rest->data[n])) {
                bool is_braced = rest->data[n] == '{';
                size_t len = is_braced ? table_braced_len(str_skip(*rest, n)) : 1;

                if (len == 0) {
                        *ret_reason = "no closing brace";
                        return false;
                }
                n += len;
        }
        *ret = str_first(*rest, n);
        *rest = str_skip(*rest, n);
        return n > 0;
}

/* Take SPEC apart. 0, TABLE_E_SYNTAX, TABLE_E_UNKNOWN_TYPE, -ENOMEM. */
static int table_init(Table *table, Str spec, const char **ret_reason) {
        size_t colon = str_find(spec, ':');

        if (colon == 0 || colon + 1 >= spec.len) {
                *ret_reason = "not of the form type:name";
                return TABLE_E_SYNTAX;
        }
        if (str_contains(spec, '\0')) {
                *ret_reason = "a NUL byte";
                return TABLE_E_SYNTAX;
        }
        table->type = find_type(str_first(spec, colon));
        if (!table->type) {
                *ret_reason = "unknown type of table";
                return TABLE_E_UNKNOWN_TYPE;
        }
        table->may_block = table->type->may_block;
        table->is_pattern = table->type->is_pattern;
        table->spec = str_dup(spec);
        table->index_dir =
                strdup(table->context.index_dir ? table->context.index_dir : TABLE_INDEX_DIR);
        if (!table->spec || !table->index_dir)
                return -ENOMEM;
        table->name = str_from(table->spec + colon + 1, spec.len - colon - 1);
        return 0;
}

static int make(Str spec, const TableContext *context, unsigned depth, Table **ret,
                const char **ret_reason) {
        _cleanup_(table_freep) Table *table = calloc(1, sizeof(*table));
        const char *unused;
        int r;

        if (!table)
                return -ENOMEM;
        if (context)
                table->context = *context;
        table->depth = depth;
        r = table_init(table, str_trim(spec), ret_reason ? ret_reason : &unused);
        if (r == 0)
                r = table->type->open(table, table->name, ret_reason ? ret_reason : &unused);
        if (r == 0)
                *ret = TAKE_PTR(table);
        return r;
}

int table_new(Str spec, const TableContext *context, Table **ret, const char **ret_reason) {
        return make(spec, context, 1, ret, ret_reason);
}

int table_new_member(Table *table, Str spec, Table **ret, const char **ret_reason) {
        int r;

        if (table->depth == TABLE_DEPTH_MAX) {
                *ret_reason = "tables within tables, too many levels";
                return TABLE_E_SYNTAX;
        }
        r = make(spec, &table->context, table->depth + 1, ret, ret_reason);
        if (r == 0)
                table->may_block = table->may_block || (*ret)->may_block;
        return r;
}

Table *table_free(Table *table) {
        if (!table)
                return NULL;
        if (table->data)
                table->type->close(table);
        free(table->index_dir);
        free(table->spec);
        free(table);
        return NULL;
}

void table_allow_missing(Table *table) {
        table->missing_is_empty = true;
}

Str table_spec(const Table *table) {
        return str_from_cstr(table->spec);
}

bool table_owner(const Table *table, uid_t *ret_uid) {
        *ret_uid = table->owner;
        return table->has_owner;
}

void table_set_owner(Table *table, uid_t uid) {
        table->has_owner = true;
        table->owner = uid;
}

void table_reply_error(TableReply reply, void *userdata, const char *format, ...) {
        char text[1024];
        va_list args;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        reply(userdata, TABLE_ERROR, str_from_cstr(text));
}

bool table_is_pattern(const Table *table) {
        return table->is_pattern;
}

bool table_is_remote(const Table *table) {
        return table->context.transport && table->may_block;
}

static int ask(Table *table, Str key, TableReply reply, void *userdata) {
        const TableTransport *transport = table->context.transport;

        if (table_is_remote(table))
                return transport->lookup(transport->context, table_spec(table), key, reply,
                                         userdata);
        return table->type->lookup(table, key, reply, userdata);
}

int table_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        char folded[TABLE_KEY_MAX];

        table->has_owner = false;
        if (table->type->any_key)
                return ask(table, key, reply, userdata);
        /* No line of a source has such a key, so this is an answer, not a failure. */
        if (str_is_empty(key) || key.len > TABLE_KEY_MAX || str_contains(key, '\0')) {
                reply(userdata, TABLE_NOT_FOUND, STR_NULL);
                return 0;
        }
        for (size_t i = 0; i < key.len; i++)
                folded[i] = table->context.keeps_case ? key.data[i] : ascii_to_lower(key.data[i]);
        return ask(table, str_from(folded, key.len), reply, userdata);
}

bool table_each(Table *table, TableEntry entry, void *userdata, Buf *error) {
        if (table->type->each)
                return table->type->each(table, entry, userdata, error);
        (void)buf_append_cstr(error, "tables of this type cannot be listed");
        return false;
}

typedef struct Waiting {
        Buf *value;
        TableResult result;
        bool replied;
} Waiting;

static void waiting_reply(void *userdata, TableResult result, Str value) {
        Waiting *waiting = userdata;

        waiting->replied = true;
        waiting->result = result;
        if (result == TABLE_ERROR)
                (void)buf_append_clipped(waiting->value, value);
        else if (result == TABLE_FOUND && buf_append_str(waiting->value, value) != 0) {
                waiting->result = TABLE_ERROR;
                (void)buf_append_clipped(waiting->value, STR("value too long for its use"));
        }
}

TableResult table_lookup_wait(Table *table, Str key, Buf *ret) {
        Waiting waiting = { .value = ret };
        int r;

        if (table_is_remote(table)) {
                (void)buf_append_clipped(ret, STR("this process must not wait for this table"));
                return TABLE_ERROR;
        }
        r = table_lookup(table, key, waiting_reply, &waiting);
        if (r == 0 && waiting.replied)
                return waiting.result;
        (void)buf_append_clipped(ret, str_from_cstr(r < 0 ? strerror(-r) : "no reply"));
        return TABLE_ERROR;
}
