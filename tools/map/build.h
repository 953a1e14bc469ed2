#pragma once

/*
 * Building one index by hand: root makes it here, with no need of a running mail system, as in a
 * chroot or when a package is installed; for anybody else the role tables makes it, which looks
 * whose file the source is. Prints to standard error when something is wrong (or to be told), and
 * never a line of a source: who may run this may not be who may read it.
 */

#include "common/mail/table-index.h"

typedef struct BuildOptions {
        const char *program;   /* in front of every line printed: "newaliases", "postmap" */
        const char *index_dir; /* for tests; NULL: TABLE_INDEX_DIR */
        TableSyntax syntax;
        unsigned rules;       /* TABLE_RULE_* */
        bool takes_any_files; /* TableIndexJob */
        bool is_quiet;        /* no warning about these */
        bool verbose;         /* print what was built, too */
        bool may_be_missing;  /* no source: then no index either */
} BuildOptions;

/*
 * Take "type:path", or a path alone, apart. *RET_PATH points into ENTRY. An exit status: 0, or 1
 * after a line that says why no index is built for it.
 */
int build_split_entry(const BuildOptions *options, Str entry, Str *ret_path);

/*
 * Build the index of the source PATH (absolute). An exit status: 0; 1, it could not be built
 * (the old one stays); EX_NOPERM, it is not the caller's; EX_UNAVAILABLE, EX_TEMPFAIL: the role
 * that would do it is not there, does not answer.
 */
int build_index(const BuildOptions *options, const char *path);

/* The job that OPTIONS describe, for PATH. */
TableIndexJob build_job(const BuildOptions *options, const char *path);

/* Print what R and RESULT say, of one of the functions of table-index.h. An exit status. */
int build_report(const BuildOptions *options, const char *path, int r,
                 const TableIndexResult *result);

/* The text for tables_ask() that failed, and its exit status. */
const char *build_explain_ipc(int r, int *ret_status);
