#pragma once

/*
 * Inside of table-index*.c: entries on their way into the tdb of an index, and the file of an index
 * on its way into its place.
 */

#include <sys/stat.h>

#include "common/mail/table-index.h"
#include "common/mail/table-tdb-lib.h"

/* How the lines of a text become entries. */
typedef struct IndexRules {
        TableSyntax syntax;
        unsigned rules;           /* TABLE_RULE_* */
        const uid_t *files_owner; /* whose files FILE_VALUES may name; NULL: anybody's */
        size_t total_max_bytes;   /* of keys and values together */
} IndexRules;

/* The tdb in FD (readable and writable), made with N_CHAINS if FD is empty. 0 or negative errno. */
int index_entries_open(int fd, size_t n_chains, struct tdb_context **ret);

/* Close it. R is what came before: 0, and an error of closing, or R. */
int index_entries_close(struct tdb_context *db, int r);

/* The record about the index, in the place of one that may be there. 0 or negative errno. */
int index_entries_set_about(struct tdb_context *db, const TableAbout *about);

/*
 * Add the entries of TEXT, counting in RESULT. 0, TABLE_INDEX_E_SYNTAX (RESULT says where and why;
 * entries before it are added), negative errno.
 */
int index_entries_add(struct tdb_context *db, Str text, const IndexRules *rules,
                      TableIndexResult *result);

/* Remove KEY. *RET_WAS_THERE: it was one. 0 or negative errno. */
int index_entries_remove(struct tdb_context *db, Str key, bool *ret_was_there);

/* ---- the file ---- */

/* The name of SOURCE's index in its directory, appended to RET. 0, BUF_E_FULL, -ENOMEM. */
int index_file_append_name(Str source, Buf *ret);

/* Append the first LEN bytes of one file to another one, which is empty. 0 or negative errno. */
int index_file_copy(int from_fd, off_t len, int to_fd);

/*
 * Seal the tdb in FD and put a copy of it into DIR_FD as NAME, with owner, group and mode of ST,
 * but for what lets others write, or, IS_PRIVATE, do anything. 0 or negative errno.
 */
int index_file_install(int fd, const struct stat *st, bool is_private, int dir_fd,
                       const char *name);

/* Remove what builds that were killed left an hour ago; failures do not matter. */
void index_file_remove_leftovers(int dir_fd);
