#pragma once

/*
 * Building the tdb index of a source file, atomically: readers see the old index or the new one,
 * never half of one. The index lives in INDEX_DIR under a name made from the source's path, with
 * the source's owner and mode, and begins with a record that names the source and its mtime.
 */

#include <stdint.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/macro.h"
#include "common/base/str.h"
#include "common/mail/table.h"

enum {
        TABLE_INDEX_E_SYNTAX = 1, /* a line is malformed; the old index stays */
        TABLE_INDEX_E_SOURCE = 2, /* source missing or unreadable; the old index stays */
};

typedef struct TableIndexResult {
        uint64_t n_entries;
        uint64_t n_duplicates; /* later ones were ignored */
        uint64_t error_line;   /* of the first bad line, 1-based, or 0 */
        const char *reason;    /* of TABLE_INDEX_E_SYNTAX: static text */
        int source_error;      /* of TABLE_INDEX_E_SOURCE: positive errno */
        uint64_t longest_bytes;
        uint64_t total_bytes;
} TableIndexResult;

/*
 * Name of SOURCE's index: "/var/lib/unitpost/tables/" plus the path with '/' as '%' and ".tdb".
 * Appended to RET.
 */
int table_index_path(const char *index_dir, Str source, Buf *ret);

/* Where indexes live. */
#define TABLE_INDEX_DIR "/var/lib/unitpost/tables"

/* A source larger than this is not read (TABLE_INDEX_E_SOURCE, EFBIG). */
#define TABLE_SOURCE_MAX_BYTES ((size_t)256 * 1024 * 1024)

/*
 * Read SOURCE (an absolute path), write its index, replace the old one. Of two entries with one
 * key the first counts. 0, TABLE_INDEX_E_*, or negative errno: the old index is in place then,
 * but for a failure of the very last sync, when it is the old or the new one after a crash.
 * A crash leaves at most a file ".RANDOM.tmp", which a later build removes when it is an hour old.
 */
int table_index_build(const char *index_dir, const char *source, TableSyntax syntax,
                      TableIndexResult *ret);

/* Remove SOURCE's index. 0, also when there is none; negative errno. */
int table_index_remove(const char *index_dir, const char *source);

/*
 * Append the file PATH, at most TABLE_SOURCE_MAX_BYTES, to RET, with its state from before. A
 * symbolic link is followed; nothing is waited for. 0, or negative errno, for which
 * table_source_error() has the text: -EISDIR, -EINVAL (no regular file), -EFBIG, -EBUSY (changed
 * meanwhile), -ENOMEM, and those of open(2).
 */
int table_source_read(const char *path, Buf *ret, struct stat *ret_st);

/* A text for a positive errno of reading a source, as above and of TABLE_INDEX_E_SOURCE. */
const char *table_source_error(int error);

/*
 * One logical line after the other of a table or alias source: comments, empty lines and
 * continuation lines (leading white space) dealt with. Used by texthash and by the builder.
 * TEXT must outlive the source.
 */
typedef struct TableSource TableSource;
int table_source_new(Str text, TableSyntax syntax, TableSource **ret);
TableSource *table_source_free(TableSource *source);
DEFINE_CLEANUP(TableSource, table_source_free)

enum {
        TABLE_SOURCE_E_END = 3
};

/*
 * 0 and an entry (valid until the next call; keys in lower case, at most TABLE_KEY_MAX, values
 * not empty, at most TABLE_VALUE_MAX, no NUL in either); TABLE_SOURCE_E_END; TABLE_INDEX_E_SYNTAX
 * for a bad line, with *RET_LINE and table_source_reason(); -ENOMEM.
 */
int table_source_next(TableSource *source, Str *ret_key, Str *ret_value, uint64_t *ret_line);

/* Static text on the last TABLE_INDEX_E_SYNTAX. */
const char *table_source_reason(const TableSource *source);
