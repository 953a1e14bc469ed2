#include "common/mail/table-tdb-index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mail/table-index.h"
#include "common/mail/table-seal.h"
#include "common/mail/table-tdb-lib.h"

/* How often an index that is replaced while it is opened is looked at. */
#define OPEN_ATTEMPTS 10

struct TdbIndex {
        struct TdbIndex *next;
        unsigned n_users;
        char *path;
        struct tdb_context *db; /* NULL: ERROR says why */
        bool is_absent;
        bool has_trouble; /* tdb complained since it was opened */
        TableStamp stamp;
        TableAbout about;
        char error[128];
};

/* The one list in common/mail that outlives a call: see the header. */
static TdbIndex *indexes;

static void index_close(TdbIndex *index) {
        if (index->db)
                (void)tdb_close(index->db);
        index->db = NULL;
        index->stamp = (TableStamp){ 0 };
}

void tdb_index_fail(TdbIndex *index, const char *reason) {
        index_close(index);
        (void)snprintf(index->error, sizeof(index->error), "%s", reason);
}

TdbIndex *tdb_index_get(const char *path) {
        TdbIndex *index;

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

void tdb_index_release(TdbIndex *index) {
        TdbIndex **link = &indexes;

        if (--index->n_users > 0)
                return;
        while (*link != index)
                link = &(*link)->next;
        *link = index->next;
        index_close(index);
        free(index->path);
        free(index);
}

bool tdb_index_is_open(const TdbIndex *index) {
        return index->db != NULL;
}

const char *tdb_index_error(const TdbIndex *index) {
        return index->error;
}

bool tdb_index_is_absent(const TdbIndex *index) {
        return index->is_absent;
}

const TableAbout *tdb_index_about(const TdbIndex *index) {
        return &index->about;
}

/* The file's own: the builder gave it its source's owner. */
uid_t tdb_index_owner(const TdbIndex *index) {
        return index->stamp.uid;
}

/*
 * tdb calls this for whatever it finds wrong. It is the only way to know: tdb_parse_record() says
 * TDB_ERR_NOEXIST too when a read failed on the way to the record.
 */
static void note_trouble(struct tdb_context *db, enum tdb_debug_level level, const char *format,
                         ...) {
        TdbIndex *index = tdb_get_logging_private(db);

        if (level != TDB_DEBUG_TRACE)
                index->has_trouble = true;
}

typedef struct Answer {
        Buf *value;
        bool is_found;
} Answer;

static int take_value(TDB_DATA key, TDB_DATA data, void *userdata) {
        Answer *answer = userdata;

        answer->is_found = true;
        return buf_append(answer->value, data.dptr, data.dsize) == 0 ? 0 : -1;
}

TableResult tdb_index_fetch(TdbIndex *index, Str key, Buf *ret) {
        Answer answer = { .value = ret };
        int r = tdb_parse_record(index->db, table_tdb_data(key), take_value, &answer);

        if (index->has_trouble)
                return TABLE_ERROR;
        if (r == 0 && answer.is_found)
                return TABLE_FOUND;
        if (!answer.is_found && tdb_error(index->db) == TDB_ERR_NOEXIST)
                return TABLE_NOT_FOUND;
        return TABLE_ERROR;
}

typedef struct Walk {
        TableEntry entry;
        void *userdata;
} Walk;

static int walk_one(struct tdb_context *db, TDB_DATA key, TDB_DATA data, void *userdata) {
        const Walk *walk = userdata;
        Str name = str_from((const char *)key.dptr, key.dsize);

        if (!str_equal(name, TABLE_ABOUT_KEY))
                walk->entry(walk->userdata, name, str_from((const char *)data.dptr, data.dsize));
        return 0;
}

bool tdb_index_each(TdbIndex *index, TableEntry entry, void *userdata) {
        Walk walk = { .entry = entry, .userdata = userdata };

        return tdb_traverse_read(index->db, walk_one, &walk) >= 0 && !index->has_trouble;
}

/* Is this an index of SOURCE, as it says itself? */
static bool read_about(TdbIndex *index, Str source) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TABLE_KEY_MAX + TABLE_ABOUT_MAX_BYTES);
        bool is_right = tdb_index_fetch(index, TABLE_ABOUT_KEY, &text) == TABLE_FOUND &&
                        table_about_parse(buf_str(&text), &index->about) &&
                        str_equal(index->about.source, source);

        index->about.source = STR_NULL;
        return is_right;
}

/*
 * Open what was sealed, and not what took its name since: that happens while an index is made anew,
 * and is to be looked at again. False: that.
 */
static bool try_open(TdbIndex *index, Str source) {
        _cleanup_(fd_closep) int fd = open(index->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        const struct tdb_logging_context log = { .log_fn = note_trouble, .log_private = index };
        struct stat sealed;
        struct stat opened;
        int r;

        if (fd < 0 || fstat(fd, &sealed) < 0) {
                tdb_index_fail(index, strerror(errno));
                return true;
        }
        r = table_seal_check(fd);
        if (r != 0) {
                tdb_index_fail(index, r < 0 ? strerror(-r) : "damaged index");
                return true;
        }
        index->has_trouble = false;
        index->db = tdb_open_ex(index->path, 0, TDB_NOLOCK | TDB_NOMMAP | TDB_NOSYNC,
                                O_RDONLY | O_CLOEXEC, 0, &log, NULL);
        if (!index->db)
                tdb_index_fail(index, "damaged index, tdb does not open it");
        else if (fstat(tdb_fd(index->db), &opened) < 0 || opened.st_ino != sealed.st_ino ||
                 opened.st_dev != sealed.st_dev) {
                tdb_index_fail(index, "index replaced again and again");
                return false;
        } else if (!read_about(index, source))
                tdb_index_fail(index, "not an index of this source");
        else
                index->stamp = table_stamp(&sealed);
        return true;
}

static void index_open(TdbIndex *index, Str source) {
        for (int i = 0; i < OPEN_ATTEMPTS; i++)
                if (try_open(index, source))
                        return;
}

void tdb_index_look(TdbIndex *index, Str source) {
        TableStamp stamp;
        struct stat st;

        index->is_absent = false;
        if (stat(index->path, &st) < 0) {
                index->is_absent = errno == ENOENT;
                tdb_index_fail(index, index->is_absent ? "no index; run newaliases or postmap"
                                                       : strerror(errno));
                return;
        }
        stamp = table_stamp(&st);
        if (index->db && table_stamp_equal(&stamp, &index->stamp))
                return;
        index_close(index);
        index_open(index, source);
}

int table_index_about(const char *index_dir, const char *source, TableAbout *ret) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(2 * TABLE_KEY_MAX);
        const char *text = NULL;
        TdbIndex *index;
        bool is_open;

        if (table_index_path(index_dir, str_from_cstr(source), &path) == 0)
                text = buf_cstr(&path);
        if (!text)
                return TABLE_INDEX_E_NONE;
        index = tdb_index_get(text);
        if (!index)
                return -ENOMEM;
        tdb_index_look(index, str_from_cstr(source));
        is_open = tdb_index_is_open(index);
        if (is_open) {
                *ret = *tdb_index_about(index);
                ret->source = str_from_cstr(source);
        }
        tdb_index_release(index);
        return is_open ? 0 : TABLE_INDEX_E_NONE;
}
