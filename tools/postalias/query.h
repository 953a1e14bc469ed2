#pragma once

/* postalias -q and -s: what is in the tables. */

#include "common/mail/table.h"

typedef struct QueryOptions {
        const char *program;
        const char *index_dir; /* for tests; NULL: TABLE_INDEX_DIR */
        const char *key;       /* "-": the lines of standard input */
} QueryOptions;

/*
 * Look up in the N tables SPECS ("type:name"), of which the first that knows a key counts, and
 * print to standard output: for one key its value, for many "key:<TAB>value" of each that is found.
 * An exit status: 0; 1 when nothing was found, or after a line about an error.
 */
int query_lookup(const QueryOptions *options, const char *const *specs, size_t n);

/* Print "key:<TAB>value" of all entries of all tables. An exit status. */
int query_list(const QueryOptions *options, const char *const *specs, size_t n);
