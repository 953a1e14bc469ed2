#pragma once

/*
 * Lists of names as in mydestination (Postfix's "match lists"): entries are looked at in order, the
 * first that fits decides. An entry is
 *
 *   name         letters compare without case
 *   type:name    a table that is asked for the name; what it answers does not matter. One of
 *                patterns is never asked for parents.
 *   /path        a file whose content stands here, lines that begin with '#' left out
 *   !entry       the same, but the name is not in the list; of a file, each of its entries
 */

#include "common/mail/table-answers.h"

typedef struct MatchList MatchList;

typedef enum MatchStyle {
        MATCH_NAMES,          /* a name is itself */
        MATCH_DOMAINS,        /* and ".parent" is each name below parent, in tables too */
        MATCH_PARENT_DOMAINS, /* "parent" is itself and each name below it, in tables too:
                               * parent_domain_matches_subdomains */
} MatchStyle;

enum {
        MATCH_LIST_E_SYNTAX = 1
};

/*
 * Make the list of TEXT (white space and commas; braces keep together). Files are read now; one
 * that cannot be read makes an entry that fails when it is come to. TABLES as for table_new().
 * 0; MATCH_LIST_E_SYNTAX with a text in ERROR that names the entry; -ENOMEM.
 */
int match_list_new(Str text, MatchStyle style, const TableContext *tables, MatchList **ret,
                   Buf *error);
MatchList *match_list_free(MatchList *list);
DEFINE_CLEANUP(MatchList, match_list_free)

/*
 * Is NAME in the list? TABLE_ERROR: an entry could not be asked, ERROR (appended) says which and
 * why; then nothing is known, since an entry before the one that fits may say no. ANSWERS, and
 * TABLE_WAIT, as in table-answers.h. No tables, no memory is allocated.
 */
TableResult match_list_find(const MatchList *list, Str name, TableAnswers *answers, Buf *error);
