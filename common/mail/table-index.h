#pragma once

/*
 * Building the tdb index of a source file, atomically: readers see the old index or the new one,
 * never half of one. The index lives in INDEX_DIR under a name made from the source's path, with
 * the source's owner and mode, and has a record that says of which state of the source it is
 * (table-about.h).
 */

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/macro.h"
#include "common/base/str.h"
#include "common/mail/table-about.h"
#include "common/mail/table-file.h"
#include "common/mail/table.h"

enum {
        TABLE_INDEX_E_SYNTAX = 1, /* a line is malformed; the old index stays */
        TABLE_INDEX_E_SOURCE = 2, /* source missing or unreadable; the old index stays */
        TABLE_INDEX_E_NONE = 3,
        TABLE_INDEX_E_DAMAGED = 4,
};

typedef struct TableIndexResult {
        uint64_t n_entries;
        uint64_t n_duplicates; /* later ones were ignored */
        uint64_t error_line;   /* of the first bad line, 1-based, or 0 */
        const char *reason;    /* of TABLE_INDEX_E_SYNTAX: static text */
        int source_error;      /* of TABLE_INDEX_E_SOURCE: errno, table_file_error() */
        uint64_t longest_bytes;
        uint64_t total_bytes;
        bool is_private; /* a value is of a file that not everybody may read: nor the index */
        bool is_built;
        bool was_damaged; /* of a refresh: the old index could not be used */
} TableIndexResult;

/* An index that is larger is none: whoever may write to it must not make others read for ever. */
#define TABLE_INDEX_MAX_BYTES (((off_t)2 * 1024 * 1024 * 1024))

/* Where indexes live. */
#define TABLE_INDEX_DIR "/var/lib/unitpost/tables"

/*
 * Name of SOURCE's index: "/var/lib/unitpost/tables/" plus the path with '/' as '%' and ".tdb"; a
 * '%' or '\' of the path is "\x25" or "\x5c", so that no two paths have one index. Appended to
 * RET.
 */
int table_index_path(const char *index_dir, Str source, Buf *ret);

typedef struct TableIndexJob {
        const char *index_dir; /* NULL: TABLE_INDEX_DIR */
        const char *source;    /* an absolute path */
        const uid_t *owner;    /* the one whose file it may be; NULL: anybody's */
        TableSyntax syntax;
        unsigned rules;       /* TABLE_RULE_* */
        bool takes_any_files; /* of FILE_VALUES: of whichever owner; never with OWNER */
} TableIndexJob;

/*
 * Read the source, write its index, replace the old one. 0, TABLE_INDEX_E_*, or negative errno:
 * the old index is in place then, but for a failure of the very last sync, when it is the old or
 * the new one after a crash. A crash leaves at most a file ".RANDOM.tmp", which a later build
 * removes when it is an hour old.
 */
int table_index_build(const TableIndexJob *job, TableIndexResult *ret);

/*
 * Build only when the source is not as it was when its index was built, and not before it has come
 * to rest (table_file_wait(), MAX_WAIT_USEC): never from the half of an edit. An index that is
 * there decides on syntax and rules: it was built that way on purpose. Results as above, and
 * RET->is_built.
 */
int table_index_refresh(const TableIndexJob *job, usec_t max_wait_usec, TableIndexResult *ret);

/*
 * What the index says about itself; RET->source is SOURCE. 0; TABLE_INDEX_E_NONE: there is none;
 * TABLE_INDEX_E_DAMAGED: none that can be used; -ENOMEM.
 */
int table_index_about(const char *index_dir, const char *source, TableAbout *ret);

/*
 * Add the entries of TEXT, lines as of a source, to the index, which is made as new as its source
 * before that, and made without a source where there is none. For root: whose files the source
 * names is not looked at. Of two entries with one key the one counts that JOB's rules say, and what
 * is in the index was first. They are in the index until it is made anew from a changed source.
 * Results as of table_index_build(), RET->n_entries being those that were added. Others that edit
 * the index wait.
 */
int table_index_add(const TableIndexJob *job, Str text, TableIndexResult *ret);

/*
 * Remove the entries whose keys are the lines of KEYS, in the same way; *RET_N of them were there.
 * 0; TABLE_INDEX_E_NONE, TABLE_INDEX_E_DAMAGED; TABLE_INDEX_E_SOURCE; negative errno.
 */
int table_index_delete(const TableIndexJob *job, Str keys, TableIndexResult *ret, uint64_t *ret_n);

/* Remove SOURCE's index. 0, also when there is none; negative errno. */
int table_index_remove(const char *index_dir, const char *source);

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
        TABLE_SOURCE_E_END = 4
};

/*
 * 0 and an entry (valid until the next call; keys in lower case, at most TABLE_KEY_MAX, values not
 * empty, at most TABLE_VALUE_MAX, no NUL in either, both UTF-8); TABLE_SOURCE_E_END;
 * TABLE_INDEX_E_SYNTAX for a bad line, with *RET_LINE and table_source_reason(); -ENOMEM.
 */
int table_source_next(TableSource *source, Str *ret_key, Str *ret_value, uint64_t *ret_line);

/* The same, but the whole logical line as it is, valid until the next call. */
int table_source_next_line(TableSource *source, Str *ret, uint64_t *ret_line);

/* TABLE_RULE_*, of which KEEP_CASE and ANY_BYTES count here; before the first entry. */
void table_source_set_rules(TableSource *source, unsigned rules);

/* Static text on the last TABLE_INDEX_E_SYNTAX. */
const char *table_source_reason(const TableSource *source);
