#pragma once

/* What an index says about itself, in a record of its own: of which state of which source it is. */

#include "common/base/buf.h"
#include "common/mail/table-stamp.h"
#include "common/mail/table.h"

/* Key of the record; no source has such a key. */
#define TABLE_ABOUT_KEY ((Str){ .data = "\0index", .len = 6 })

/* Bytes of a record at most, but for the path. */
#define TABLE_ABOUT_MAX_BYTES 256

typedef struct TableAbout {
        TableSyntax syntax;
        bool last_counts; /* of two entries with one key */
        TableStamp stamp; /* of the source, when it was read */
        Str source;
} TableAbout;

/*
 * Append the record: format, syntax, which of two entries counts, then in decimal the seconds and
 * nanoseconds of the source's time, its size, inode, owner, group and mode, then its path; in
 * lines. 0, BUF_E_FULL, -ENOMEM.
 */
int table_about_append(const TableAbout *about, Buf *ret);

/* The same backwards; RET points into TEXT. False: malformed, or of another format. */
bool table_about_parse(Str text, TableAbout *ret);

/* "map" and "aliases", here and between roles. */
Str table_syntax_name(TableSyntax syntax);
bool table_syntax_find(Str name, TableSyntax *ret);
