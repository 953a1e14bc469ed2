/*
 * Types without a source of their own:
 *
 *   fail:name           fails for every key, to see what becomes of mail then
 *   environ:name        the variables of the environment; the name says nothing
 *   internal:name       is empty: what a process would remember in it, none does
 *   randmap:{a, b ...}  one of the texts, by chance, for every key
 */

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "common/mail/table-type.h"

#define RANDMAP_MAX 1000

static int open_nothing(Table *table, Str name, const char **ret_reason) {
        return 0;
}

static void close_nothing(Table *table) {
}

static int fail_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        table_reply_error(reply, userdata, "%s: this type of table always fails", table->spec);
        return 0;
}

static int environ_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        _cleanup_(freep) char *name = str_dup(key);
        const char *value;

        if (!name)
                return -ENOMEM;
        value = getenv(name);
        if (value && !value[0])
                table_reply_error(reply, userdata, "%s: the value is empty", table->spec);
        else
                reply(userdata, value ? TABLE_FOUND : TABLE_NOT_FOUND, str_from_cstr(value));
        return 0;
}

static int internal_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        reply(userdata, TABLE_NOT_FOUND, STR_NULL);
        return 0;
}

typedef struct RandMap {
        Str texts[RANDMAP_MAX]; /* slices of the table's name */
        size_t n;
} RandMap;

static int randmap_open(Table *table, Str name, const char **ret_reason) {
        RandMap *map = calloc(1, sizeof(*map));
        Str rest = str_first(str_skip(name, 1), name.len - 2);
        Str text;

        if (!map)
                return -ENOMEM;
        table->data = map;
        if (name.data[0] != '{' || table_braced_len(name) != name.len)
                *ret_reason = "not of the form {text, ...}";
        else {
                *ret_reason = NULL;
                while (map->n < RANDMAP_MAX && table_next_word(&rest, &text, ret_reason))
                        map->texts[map->n++] = text;
                if (!*ret_reason && map->n == 0)
                        *ret_reason = "no texts between the braces";
                if (map->n == RANDMAP_MAX && table_next_word(&rest, &text, ret_reason))
                        *ret_reason = "too many texts";
        }
        return *ret_reason ? TABLE_E_SYNTAX : 0;
}

static int randmap_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        const RandMap *map = table->data;
        uint64_t number = 0;

        if (getrandom(&number, sizeof(number), 0) < 0)
                return -errno;
        table_set_owner(table, 0);
        reply(userdata, TABLE_FOUND, map->texts[number % map->n]);
        return 0;
}

static void randmap_close(Table *table) {
        free(table->data);
}

const TableType table_type_fail = {
        .name = "fail",
        .any_key = true,
        .is_pattern = true,
        .open = open_nothing,
        .lookup = fail_lookup,
        .close = close_nothing,
};

const TableType table_type_environ = {
        .name = "environ",
        .open = open_nothing,
        .lookup = environ_lookup,
        .close = close_nothing,
};

const TableType table_type_internal = {
        .name = "internal",
        .open = open_nothing,
        .lookup = internal_lookup,
        .close = close_nothing,
};

const TableType table_type_randmap = {
        .name = "randmap",
        .any_key = true,
        .is_pattern = true,
        .open = randmap_open,
        .lookup = randmap_lookup,
        .close = randmap_close,
};
