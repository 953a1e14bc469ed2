#pragma once

/*
 * Building the tdb index of a source file, atomically: readers see the old index or the new one,
 * never half of one. The index lives in INDEX_DIR under a name made from the source's path, with
 * the source's owner and mode, and begins with a record that names the source and its mtime.
 */

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/macro.h"
#include "common/base/str.h"

/* How lines of the source read. */
typedef enum TableSyntax {
        TABLE_SYNTAX_MAP,     /* postmap: "key white-space value" */
        TABLE_SYNTAX_ALIASES, /* aliases(5): "name: value, value", quoted names */
} TableSyntax;

enum {
        TABLE_INDEX_E_SYNTAX = 1, /* a line is malformed; the old index stays */
        TABLE_INDEX_E_SOURCE = 2, /* source missing or unreadable */
};

typedef struct TableIndexResult {
        uint64_t n_entries;
        uint64_t n_duplicates; /* later ones were ignored */
        uint64_t error_line;   /* of the first bad line, 1-based, or 0 */
        uint64_t longest_bytes;
        uint64_t total_bytes;
} TableIndexResult;

/*
 * Name of SOURCE's index: "/var/lib/unitpost/tables/" plus the path with '/' as '%' and ".tdb".
 * Appended to RET.
 */
int table_index_path(const char *index_dir, Str source, Buf *ret);

/* Read SOURCE, write its index, replace the old one. */
int table_index_build(const char *index_dir, const char *source, TableSyntax syntax,
                      TableIndexResult *ret);

/*
 * One logical line after the other of a table or alias source: comments, empty lines and
 * continuation lines (leading white space) dealt with. Used by texthash and by the builder.
 */
typedef struct TableSource TableSource;
int table_source_new(Str text, TableSyntax syntax, TableSource **ret);
TableSource *table_source_free(TableSource *source);
DEFINE_CLEANUP(TableSource, table_source_free)
/* 0 and an entry (valid until the next call), 1 at the end, TABLE_INDEX_E_SYNTAX for a bad line. */
enum {
        TABLE_SOURCE_E_END = 3
};
int table_source_next(TableSource *source, Str *ret_key, Str *ret_value, uint64_t *ret_line);
