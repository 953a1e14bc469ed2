#pragma once

/*
 * Lookup tables, "type:name": which addresses exist, where mail goes (DESIGN 7).
 *
 * The interface is asynchronous: ask, and be called back, perhaps before table_lookup() returns
 * (local types: tdb, texthash, cidr, regexp, pcre, inline, static ...), perhaps later (types that
 * can block, and tables made of such, answered by proxymap through the injected transport, which is
 * given the name of the whole table). Rewriting and restrictions are written on table-answers.h,
 * which is the same code for loops and for workers.
 *
 * An error is never "not found": TABLE_ERROR means "try again later", and mail is deferred.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/base/str.h"

#define TABLE_KEY_MAX   4096
#define TABLE_VALUE_MAX (1024 * 1024)

typedef struct Table Table;

typedef enum TableResult {
        TABLE_FOUND,
        TABLE_NOT_FOUND,
        TABLE_ERROR, /* VALUE is a text for the log */
        TABLE_WAIT,  /* the answer comes later: of table-answers.h only, never a reply */
} TableResult;

/* VALUE is valid during the call only. */
typedef void (*TableReply)(void *userdata, TableResult result, Str value);

/*
 * How a table that may block is asked by a process that must not: proxymap's client in loops.
 * NULL in workers and tools, where the table asks by itself and blocks.
 */
typedef struct TableTransport {
        int (*lookup)(void *context, Str table, Str key, TableReply reply, void *userdata);
        void *context;
} TableTransport;

/* How lines of a source read. */
typedef enum TableSyntax {
        TABLE_SYNTAX_MAP,     /* postmap: "key white-space value" */
        TABLE_SYNTAX_ALIASES, /* aliases(5): "name: value, value", quoted names */
} TableSyntax;

enum {
        TABLE_INDEXER_E_KEPT = 1 /* the index is as it was */
};

/* How a stale index is made new: by the role `tables`, which common/mail knows nothing of. */
typedef struct TableIndexer {
        /*
         * Make the index of SOURCE (a path) as new as SOURCE, waiting a few seconds at most. 0: it
         * is. TABLE_INDEXER_E_KEPT: it could not be (source malformed or still being written, role
         * not there); REASON says why, and the old index, if there is one, goes on being used.
         */
        int (*refresh)(void *context, Str source, TableSyntax syntax, Buf *reason);
        /* Told once for each change of the source of TABLE that the old index is used; for a line
         * in the log. May be NULL. */
        void (*kept)(void *context, Str table, Str reason);
        void *context;
} TableIndexer;

/* How a table learns that a file changed, without looking at it: table-follow.h. */
typedef struct TableWatch {
        /* Counts changes of whatever is watched. */
        const _Atomic uint32_t *generation;
        /* From now on count changes of PATH (and of its neighbours: what is watched are
         * directories). False: it cannot be watched. Asked anew after each change. */
        bool (*add)(void *context, Str path);
        void *context;
} TableWatch;

/* What tables need from around them. TRANSPORT, INDEXER and WATCH must outlive the table. */
typedef struct TableContext {
        const char *index_dir;           /* where tdb indexes live; NULL: TABLE_INDEX_DIR */
        const TableTransport *transport; /* NULL: ask here and block */
        const TableIndexer *indexer; /* NULL: an index is used as it is, nothing is waited for */
        const TableWatch *watch;     /* NULL: files are looked at again and again */
        TableSyntax syntax;          /* how sources read */
        bool keeps_case;             /* keys are looked up as they are, not in lower case */
        bool is_trusted;             /* answers name commands and files: no part of the key, which
                                      * is a stranger's to choose, may become part of one, and no
                                      * other process is asked */
} TableContext;

enum {
        TABLE_E_SYNTAX = 1,       /* not "type:name", or a bad inline or static text */
        TABLE_E_UNKNOWN_TYPE = 2, /* TYPE is none of ours */
};

/*
 * Is TYPE ("tdb", "hash", "btree" ...) one of those that are looked up in a tdb index, which
 * table_index_build() makes from a source?
 */
bool table_type_is_indexed(Str type);

/* Is the name of a table of TYPE the path of a file that people write? */
bool table_type_has_source(Str type);

/* The I-th of the names of all types, in alphabetical order; STR_NULL behind the last. */
Str table_type_name(size_t i);

/*
 * Split off the next word of *REST, words being separated by white space and commas; what is
 * between braces keeps together. True and a word; false at the end, or where a brace never closes,
 * with *RET_REASON (else untouched) then.
 */
bool table_next_word(Str *rest, Str *ret, const char **ret_reason);

/*
 * Make the table named SPEC. Opens nothing yet: a source that is missing, or breaks later, shows
 * as TABLE_ERROR on lookup and heals by itself. CONTEXT is copied; NULL: all zero. *RET_REASON
 * (may be NULL) gets a text on TABLE_E_*, valid until the next table_new(). 0, TABLE_E_*, -ENOMEM.
 */
int table_new(Str spec, const TableContext *context, Table **ret, const char **ret_reason);
Table *table_free(Table *table);
DEFINE_CLEANUP(Table, table_free)

/*
 * A source that does not exist is an empty table from now on, not an error: for the sources of
 * default settings (an empty /etc works), never for one that the admin named.
 */
void table_allow_missing(Table *table);

/* Does it hold patterns: is it to be asked for the whole of what is searched, and for no part? */
bool table_is_pattern(const Table *table);

/* Is it asked through the transport, so that its answer comes later? */
bool table_is_remote(const Table *table);

/* The SPEC it was made from. */
Str table_spec(const Table *table);

/*
 * Ask. Keys of fixed-string types are folded to lower case (ASCII); patterns see them as they are.
 * Exactly one reply per 0 returned; none on a negative errno (out of memory).
 */
int table_lookup(Table *table, Str key, TableReply reply, void *userdata);

/*
 * Ask and wait; for workers and tools. VALUE (or the error text) is appended to RET. A table
 * with a transport may not be asked this way (TABLE_ERROR).
 */
TableResult table_lookup_wait(Table *table, Str key, Buf *ret);

/*
 * Who owns the content that the last lookup was answered from: whose commands an alias may run.
 * The owner of the source; root where the text is in main.cf (inline:, static: ...); the one that
 * all asked parts of a table made of others agree on. False: nobody vouches for it (an error, a
 * source that may be missing and is, unix:, environ:, whatever a transport says).
 */
bool table_owner(const Table *table, uid_t *ret_uid);

/*
 * Call ENTRY for each entry, in no order; what ENTRY gets is valid during the call only, and it
 * must not ask the table. True; false and a text in ERROR: the table cannot be read, or be listed.
 */
typedef void (*TableEntry)(void *userdata, Str key, Str value);
bool table_each(Table *table, TableEntry entry, void *userdata, Buf *error);

/*
 * The implementations, each "struct of functions": types are rows of a list in table.c.
 * lookup() of a local type replies before it returns.
 */
typedef struct TableType {
        const char *name;
        bool may_block;  /* goes through the transport where there is one */
        bool is_pattern; /* see table_is_pattern() */
        bool has_source; /* its name is a path, or begins with a brace */
        bool any_key;    /* asked for each key as it is; else folded, and only for such as a text
                          * file can hold */
        int (*open)(Table *table, Str name, const char **ret_reason);
        int (*lookup)(Table *table, Str key, TableReply reply, void *userdata);
        bool (*each)(Table *table, TableEntry entry, void *userdata, Buf *error); /* or NULL */
        void (*close)(Table *table);
} TableType;
