#pragma once

/* postmap and postalias -q and -s: what is in the tables. */

#include "common/mail/table.h"

typedef struct QueryOptions {
        const char *program;
        const char *index_dir; /* for tests; NULL: TABLE_INDEX_DIR */
        const char *key;       /* "-": the lines of standard input */
        const char *separator; /* between a key and its value */
        TableSyntax syntax;
        unsigned rules;           /* TABLE_RULE_*: KEEP_CASE and ANY_BYTES are about keys asked for,
                                   * with FILE_VALUES values are printed decoded */
        unsigned message_keys;    /* MESSAGE_KEYS_*: standard input is a message; 0: it is keys */
        bool checks_message_keys; /* these shall be UTF-8, too */
} QueryOptions;

/*
 * Look up in the N tables SPECS ("type:name"), of which the first that knows a key counts, and
 * print to standard output: for one key its value, for many key, separator and value of each that
 * is found. A key that is not UTF-8 is not looked up, with a warning. An exit status: 0; 1 when
 * nothing was found, or after a line about an error.
 */
int query_lookup(const QueryOptions *options, const char *const *specs, size_t n);

/* Print key, separator and value of all entries of all tables. An exit status. */
int query_list(const QueryOptions *options, const char *const *specs, size_t n);
