/*
 * texthash:/path: a source in postmap(1) syntax, held in memory. Read at the first lookup, and
 * again when it changed and then stayed as it is for a second, so that nobody sees the half that
 * an editor has written so far. A process that may wait (it has an indexer) waits for that second,
 * another one answers from the old content meanwhile. A source that cannot be read is an error
 * until it can.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mail/table-file.h"
#include "common/mail/table-follow.h"
#include "common/mail/table-index.h"
#include "common/mail/table-map.h"

#define BUSY_PAUSE_USEC (10 * USEC_PER_SEC)

typedef struct TextHash {
        TableMap *map;   /* NULL: ERROR says why */
        bool is_missing; /* and may be: MAP is empty */
        TableStamp stamp;
        uid_t owner;
        bool was_quiet; /* when it was read; if not, the same stamp may stand for more */
        TableFollow follow;
        usec_t wait_again_usec; /* after a source that did not come to rest */
        char error[256];
} TextHash;

static int texthash_open(Table *table, Str name, const char **ret_reason) {
        if (name.data[0] != '/') {
                *ret_reason = "not an absolute path";
                return TABLE_E_SYNTAX;
        }
        table->data = calloc(1, sizeof(TextHash));
        return table->data ? 0 : -ENOMEM;
}

static int parse(TextHash *hash, TableMap *map, Str text) {
        _cleanup_(table_source_freep) TableSource *source = NULL;
        uint64_t line = 0;
        Str value;
        Str key;
        int r;

        r = table_source_new(text, TABLE_SYNTAX_MAP, &source);
        while (r == 0) {
                r = table_source_next(source, &key, &value, &line);
                if (r == 0)
                        r = table_map_add(map, key, value) != 0 ? -ENOMEM : 0;
        }
        if (r == TABLE_INDEX_E_SYNTAX)
                (void)snprintf(hash->error, sizeof(hash->error), "line %" PRIu64 ": %s", line,
                               table_source_reason(source));
        return r == TABLE_SOURCE_E_END ? 0 : r;
}

static void fail(TextHash *hash, int error) {
        hash->map = table_map_free(hash->map);
        hash->stamp = (TableStamp){ 0 };
        (void)snprintf(hash->error, sizeof(hash->error), "%s", table_file_error(error));
}

/* Read all of it anew; without success there is no map, but for a source that changes meanwhile. */
static void load(TextHash *hash, const char *path) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TABLE_SOURCE_MAX_BYTES);
        _cleanup_(table_map_freep) TableMap *map = table_map_new(TABLE_SOURCE_MAX_BYTES);
        struct stat st;
        int r;

        r = map ? table_file_read(path, NULL, &text, &st) : -ENOMEM;
        if (r == -EBUSY && hash->map)
                return;
        hash->map = table_map_free(hash->map);
        if (r == 0)
                r = parse(hash, map, buf_str(&text));
        if (r < 0)
                fail(hash, -r);
        if (r != 0)
                return;
        table_map_sort(map);
        hash->owner = st.st_uid;
        hash->stamp = table_stamp(&st);
        hash->was_quiet = table_stamp_is_quiet(&hash->stamp);
        hash->map = TAKE_PTR(map);
}

/* Is the source as it was when it was read? */
static bool is_current(const TextHash *hash, const struct stat *st) {
        TableStamp stamp = table_stamp(st);

        return hash->map && hash->was_quiet && table_stamp_equal(&stamp, &hash->stamp);
}

static bool is_quiet(const struct stat *st) {
        TableStamp stamp = table_stamp(st);

        return table_stamp_is_quiet(&stamp);
}

/* The state of the source, waited for where that is allowed. 0 or negative errno. */
static int look(const Table *table, TextHash *hash, struct stat *ret_st) {
        usec_t now = clock_monotonic_usec();
        int r = table_file_stat(table->name.data, NULL, ret_st);
        bool is_changing = r == -ENOENT ? hash->map && !hash->is_missing
                                        : r == 0 && !is_current(hash, ret_st) && !is_quiet(ret_st);

        if (!is_changing || !table->context.indexer || now < hash->wait_again_usec)
                return is_changing && r == 0 && (hash->map || table->context.indexer) ? -EBUSY : r;
        r = table_file_wait(table->name.data, NULL, TABLE_WAIT_USEC, ret_st);
        if (r == -EBUSY)
                hash->wait_again_usec = usec_add(clock_monotonic_usec(), BUSY_PAUSE_USEC);
        return r;
}

static void refresh(Table *table) {
        TextHash *hash = table->data;
        struct stat st;
        int r;

        if (!table_follow_is_due(&hash->follow, &table->context, clock_monotonic_usec(), false))
                return;
        table_follow_begin(&hash->follow, &table->context, table->name);
        r = look(table, hash, &st);
        table_follow_end(&hash->follow, TABLE_SOURCE_CHECK_USEC, r == 0 && is_quiet(&st));
        if (r == -EBUSY && hash->map)
                return;
        hash->is_missing = r == -ENOENT && table->missing_is_empty;
        if (r < 0)
                fail(hash, -r);
        else if (!is_current(hash, &st))
                load(hash, table->name.data);
        if (hash->is_missing)
                hash->map = table_map_new(0);
}

static int texthash_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        TextHash *hash = table->data;
        Buf copy = BUF_INIT(TABLE_VALUE_MAX);
        Str value = STR_NULL;

        refresh(table);
        if (!hash->map) {
                table_reply_error(reply, userdata, "%s: %s", table->spec, hash->error);
                return 0;
        }
        if (!hash->is_missing)
                table_set_owner(table, hash->owner);
        if (!table_map_find(hash->map, key, &value)) {
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
        TextHash *hash = table->data;

        refresh(table);
        if (!hash->map)
                (void)buf_append_clipped(error, str_from_cstr(hash->error));
        else
                table_map_each(hash->map, entry, userdata);
        return hash->map != NULL;
}

static void texthash_close(Table *table) {
        TextHash *hash = table->data;

        (void)table_map_free(hash->map);
        free(hash);
}

const TableType table_type_texthash = {
        .name = "texthash",
        .open = texthash_open,
        .lookup = texthash_lookup,
        .each = texthash_each,
        .close = texthash_close,
};
