#include "common/mail/table-tdb-index.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/map-guard.h"
#include "common/mail/table-index.h"
#include "common/mail/table-seal.h"
#include "common/mail/table-tdb-lib.h"

enum {
        TDB_INDEX_E_BROKEN = 1
};

/* How often an index that is replaced while it is opened is looked at. */
#define OPEN_ATTEMPTS 10

struct TdbIndex {
        struct TdbIndex *next;
        unsigned n_users;
        char *path;
        struct tdb_context *db; /* NULL: ERROR says why */
        bool is_absent;
        bool has_trouble; /* tdb complained since it was opened */
        Str seal_pages;   /* mapped: the end of the file, where SEAL lies */
        Str seal;
        char seal_bytes[TABLE_SEAL_BYTES]; /* as it was when it was checked */
        TableStamp stamp;
        TableAbout about;
        char error[128];
};

/* The one list in common/mail that outlives a call: see the header. */
static TdbIndex *indexes;

static void unmap(Str pages) {
        if (pages.data)
                (void)munmap((void *)(uintptr_t)pages.data, pages.len);
}

static void index_close(TdbIndex *index) {
        if (index->db)
                (void)tdb_close(index->db);
        index->db = NULL;
        unmap(index->seal_pages);
        index->seal_pages = STR_NULL;
        index->seal = STR_NULL;
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

Str tdb_index_path(const TdbIndex *index) {
        return str_from_cstr(index->path);
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

/*
 * End a section of reading. Where the file was cut short what was read behind its end were zeroes,
 * which look like "no such key": then its seal is gone, too.
 */
static bool leave(const TdbIndex *index) {
        bool is_sealed = str_is_empty(index->seal) ||
                         memcmp(index->seal.data, index->seal_bytes, TABLE_SEAL_BYTES) == 0;

        return map_guard_leave() && is_sealed && !index->has_trouble;
}

TableResult tdb_index_fetch(TdbIndex *index, Str key, Buf *ret) {
        Answer answer = { .value = ret };
        int r;

        map_guard_enter();
        r = tdb_parse_record(index->db, table_tdb_data(key), take_value, &answer);
        if (!leave(index))
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
        int r;

        map_guard_enter();
        r = tdb_traverse_read(index->db, walk_one, &walk);
        return leave(index) && r >= 0;
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

/* Map all of the file to check its seal, and keep the pages that the seal lies in. */
static int check_seal(TdbIndex *index, int fd, const struct stat *st) {
        size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
        bool is_right;
        Str file;
        void *map;

        if (!S_ISREG(st->st_mode) || st->st_size < TABLE_SEAL_BYTES ||
            st->st_size > TABLE_INDEX_MAX_BYTES)
                return TDB_INDEX_E_BROKEN;
        map = mmap(NULL, (size_t)st->st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (map == MAP_FAILED)
                return -errno;
        file = str_from(map, (size_t)st->st_size);
        map_guard_enter();
        is_right = table_seal_is_right(file);
        index->seal = table_seal_find(file);
        if (!str_is_empty(index->seal))
                memcpy(index->seal_bytes, index->seal.data, TABLE_SEAL_BYTES);
        if (!map_guard_leave() || !is_right) {
                unmap(file);
                index->seal = STR_NULL;
                return TDB_INDEX_E_BROKEN;
        }
        index->seal_pages = str_skip(file, (file.len - TABLE_SEAL_BYTES) & ~(page_bytes - 1));
        unmap(str_first(file, file.len - index->seal_pages.len));
        return 0;
}

/* What took the name of the file that was checked, since then, is not what was checked. */
static bool is_same_file(const struct tdb_context *db, const struct stat *checked) {
        struct stat st;

        return fstat(tdb_fd((struct tdb_context *)(uintptr_t)db), &st) == 0 &&
               st.st_ino == checked->st_ino && st.st_dev == checked->st_dev;
}

static void open_tdb(TdbIndex *index) {
        const struct tdb_logging_context log = { .log_fn = note_trouble, .log_private = index };

        index->has_trouble = false;
        map_guard_enter();
        index->db = tdb_open_ex(index->path, 0, TDB_NOLOCK | TDB_NOSYNC, O_RDONLY | O_CLOEXEC, 0,
                                &log, NULL);
        if (!map_guard_leave())
                index->has_trouble = true;
}

/*
 * Open what was sealed, and not what took its name since: that happens while an index is made anew,
 * and is to be looked at again. False: that.
 */
static bool try_open(TdbIndex *index, Str source) {
        _cleanup_(fd_closep) int fd = open(index->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        struct stat sealed;
        int r;

        if (fd < 0 || fstat(fd, &sealed) < 0) {
                tdb_index_fail(index, strerror(errno));
                return true;
        }
        r = check_seal(index, fd, &sealed);
        if (r != 0) {
                tdb_index_fail(index, r < 0 ? strerror(-r) : "damaged index");
                return true;
        }
        open_tdb(index);
        if (!index->db)
                tdb_index_fail(index, "damaged index, tdb does not open it");
        else if (!is_same_file(index->db, &sealed)) {
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
        bool is_absent;
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
        is_absent = tdb_index_is_absent(index);
        tdb_index_release(index);
        return is_open ? 0 : is_absent ? TABLE_INDEX_E_NONE : TABLE_INDEX_E_DAMAGED;
}
