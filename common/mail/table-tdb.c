/*
 * tdb:/path (and hash:, btree: ...): looks up in the index of a source, which table-index.c makes
 * and replaces by rename. Whoever reads has the old file or the new one, so no locks; a new one
 * is noticed within a second.
 *
 * Nothing in an index is believed before its seal was checked, and none is mapped: a file that
 * shrinks under a mapping kills the process. tdb opens a file only once per process, so tables of
 * one source share an Index.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mail/table-index.h"
#include "common/mail/table-seal.h"
#include "common/mail/table-stamp.h"
#include "common/mail/table-tdb-lib.h"
#include "common/mail/table-type.h"

typedef struct Index {
        struct Index *next;
        unsigned n_users;
        char *path;
        struct tdb_context *db; /* NULL: ERROR says why */
        bool is_missing;
        bool has_trouble; /* tdb complained since it was opened */
        TableStamp stamp;
        uid_t owner; /* the source's, which the builder gave it */
        usec_t next_check_usec;
        char error[128];
} Index;

/* The one list in common/mail that outlives a call: see the top. */
static Index *indexes;

static void index_close(Index *index) {
        if (index->db)
                (void)tdb_close(index->db);
        index->db = NULL;
        index->stamp = (TableStamp){ 0 };
}

static int index_fail(Index *index, const char *reason) {
        index_close(index);
        (void)snprintf(index->error, sizeof(index->error), "%s", reason);
        return TABLE_ERROR;
}

static Index *index_get(const char *path) {
        Index *index;

        for (index = indexes; index; index = index->next)
                if (strcmp(index->path, path) == 0) {
                        index->n_users++;
                        return index;
                }
        index = calloc(1, sizeof(*index));
        if (!index)
                return NULL;
        index->path = strdup(path);
        if (!index->path) {
                free(index);
                return NULL;
        }
        index->n_users = 1;
        index->next = indexes;
        indexes = index;
        return index;
}

static void index_release(Index *index) {
        Index **link = &indexes;

        if (--index->n_users > 0)
                return;
        while (*link != index)
                link = &(*link)->next;
        *link = index->next;
        index_close(index);
        free(index->path);
        free(index);
}

/*
 * tdb calls this for whatever it finds wrong. It is the only way to know: tdb_parse_record() says
 * TDB_ERR_NOEXIST too when a read failed on the way to the record.
 */
static void note_trouble(struct tdb_context *db, enum tdb_debug_level level, const char *format,
                         ...) {
        Index *index = tdb_get_logging_private(db);

        if (level != TDB_DEBUG_TRACE)
                index->has_trouble = true;
}

typedef struct Answer {
        Buf value;
        bool is_found;
} Answer;

static int take_value(TDB_DATA key, TDB_DATA data, void *userdata) {
        Answer *answer = userdata;

        answer->is_found = true;
        return buf_append(&answer->value, data.dptr, data.dsize) == 0 ? 0 : -1;
}

static TableResult fetch(Index *index, Str key, Answer *answer) {
        int r = tdb_parse_record(index->db, table_tdb_data(key), take_value, answer);

        if (index->has_trouble)
                return TABLE_ERROR;
        if (r == 0 && answer->is_found)
                return TABLE_FOUND;
        if (!answer->is_found && tdb_error(index->db) == TDB_ERR_NOEXIST)
                return TABLE_NOT_FOUND;
        return TABLE_ERROR;
}

/* Is this the index of SOURCE? Two paths may give one index name. */
static bool is_index_of(Index *index, Str source) {
        Answer answer = { .value = BUF_INIT(TABLE_KEY_MAX + 256) };
        Str rest = STR_NULL;
        Str format = STR_NULL;
        Str mtime = STR_NULL;

        if (fetch(index, TABLE_TDB_ABOUT_KEY, &answer) == TABLE_FOUND)
                rest = buf_str(&answer.value);
        answer.is_found = str_next_part(&rest, '\n', &format) &&
                          str_next_part(&rest, '\n', &mtime) &&
                          str_equal(format, STR(TABLE_TDB_FORMAT)) && str_equal(rest, source);
        buf_deinit(&answer.value);
        return answer.is_found;
}

/* Open what was sealed, and not what took its name since. */
static int index_open(Index *index, Str source) {
        _cleanup_(fd_closep) int fd = open(index->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const struct tdb_logging_context log = { .log_fn = note_trouble, .log_private = index };
        struct stat sealed;
        struct stat opened;
        int r;

        if (fd < 0 || fstat(fd, &sealed) < 0)
                return index_fail(index, strerror(errno));
        r = table_seal_check(fd);
        if (r != 0)
                return index_fail(index, r < 0 ? strerror(-r) : "damaged index");
        index->has_trouble = false;
        index->db = tdb_open_ex(index->path, 0, TDB_NOLOCK | TDB_NOMMAP | TDB_NOSYNC,
                                O_RDONLY | O_CLOEXEC, 0, &log, NULL);
        if (!index->db)
                return index_fail(index, "damaged index, tdb does not open it");
        if (fstat(tdb_fd(index->db), &opened) < 0 || opened.st_ino != sealed.st_ino ||
            opened.st_dev != sealed.st_dev)
                return index_fail(index, "index replaced this moment");
        if (!is_index_of(index, source))
                return index_fail(index, "not an index of this source");
        index->stamp = table_stamp(&sealed);
        index->owner = sealed.st_uid;
        return TABLE_FOUND;
}

static void index_refresh(Index *index, Str source) {
        usec_t now = clock_monotonic_usec();
        TableStamp stamp;
        struct stat st;

        if (now < index->next_check_usec)
                return;
        index->next_check_usec = usec_add(now, TABLE_CHECK_USEC);
        index->is_missing = false;
        if (stat(index->path, &st) < 0) {
                index->is_missing = errno == ENOENT;
                (void)index_fail(index, index->is_missing ? "no index; run newaliases or postmap"
                                                          : strerror(errno));
                return;
        }
        stamp = table_stamp(&st);
        if (index->db && table_stamp_equal(&stamp, &index->stamp))
                return;
        index_close(index);
        (void)index_open(index, source);
}

static int tdb_type_open(Table *table, Str name, const char **ret_reason) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(2 * TABLE_KEY_MAX);
        const char *text = NULL;

        if (name.data[0] != '/') {
                *ret_reason = "not an absolute path";
                return TABLE_E_SYNTAX;
        }
        if (table_index_path(table->index_dir, name, &path) == 0)
                text = buf_cstr(&path);
        if (!text) {
                *ret_reason = "path too long";
                return TABLE_E_SYNTAX;
        }
        table->data = index_get(text);
        return table->data ? 0 : -ENOMEM;
}

/* No index, and no source that it could be made from. */
static bool is_allowed_to_be_missing(const Table *table, const Index *index) {
        struct stat st;

        return table->missing_is_empty && index->is_missing && stat(table->name.data, &st) < 0 &&
               errno == ENOENT;
}

static int tdb_type_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        Index *index = table->data;
        Answer answer = { .value = BUF_INIT(TABLE_VALUE_MAX) };
        TableResult result = TABLE_ERROR;

        index_refresh(index, table->name);
        if (index->db)
                result = fetch(index, key, &answer);
        else if (is_allowed_to_be_missing(table, index))
                result = TABLE_NOT_FOUND;
        /* Only now, when nothing of the index is in use: the reply may ask this table again. */
        if (result != TABLE_ERROR && index->db)
                table_set_owner(table, index->owner);
        if (result != TABLE_ERROR)
                reply(userdata, result, buf_str(&answer.value));
        else if (!index->db)
                table_reply_error(reply, userdata, "%s: %s", table->spec, index->error);
        else {
                (void)index_fail(index, "damaged index");
                table_reply_error(reply, userdata, "%s: damaged index", table->spec);
        }
        buf_deinit(&answer.value);
        return 0;
}

static void tdb_type_close(Table *table) {
        index_release(table->data);
}

const TableType table_type_tdb = {
        .name = "tdb",
        .open = tdb_type_open,
        .lookup = tdb_type_lookup,
        .close = tdb_type_close,
};
