#pragma once

/* What an index says about itself, in a record of its own: of which state of which source it is. */

#include "common/base/buf.h"
#include "common/mail/table-stamp.h"
#include "common/mail/table.h"

/* Key of the record; no source has such a key. */
#define TABLE_ABOUT_KEY ((Str){ .data = "\0index", .len = 6 })

/* Bytes of a record at most, but for the path. */
#define TABLE_ABOUT_MAX_BYTES 256

/* How an index was built, on purpose, so that it is made anew in the same way. */
enum {
        TABLE_RULE_LAST_COUNTS = 1, /* of two entries with one key; else the first */
        TABLE_RULE_KEEP_CASE = 2,   /* keys are as in the source; else in lower case */
        TABLE_RULE_ANY_BYTES = 4,   /* keys and values need not be UTF-8 */
        TABLE_RULE_FILE_VALUES = 8, /* a value names files, whose content the index has in base64 */
        TABLE_RULES_ALL = 15,
};

typedef struct TableAbout {
        TableSyntax syntax;
        unsigned rules;   /* TABLE_RULE_* */
        TableStamp stamp; /* of the source, when it was read; zero: there was none */
        Str source;
} TableAbout;

/* Are its entries none of a source, but added by hand? */
bool table_about_is_without_source(const TableAbout *about);

/*
 * Append the record: format, syntax, the words of its rules ("first" for no LAST_COUNTS), then in
 * decimal the seconds and
 * nanoseconds of the source's time, its size, inode, owner, group and mode, then its path; in
 * lines. 0, BUF_E_FULL, -ENOMEM.
 */
int table_about_append(const TableAbout *about, Buf *ret);

/* The same backwards; RET points into TEXT. False: malformed, or of another format. */
bool table_about_parse(Str text, TableAbout *ret);

/* "map" and "aliases", here and between roles. */
Str table_syntax_name(TableSyntax syntax);
bool table_syntax_find(Str name, TableSyntax *ret);
