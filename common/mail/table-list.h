#pragma once

/*
 * Several tables asked in order, what Postfix calls maps: alias_maps and the like. The first that
 * knows the key answers. An error ends the search: a later table must not answer in the place of
 * one that could not be asked.
 */

#include "common/mail/table-answers.h"

typedef struct TableList TableList;

/*
 * Make the tables of SPECS, "type:name" separated by white space and commas; what is between
 * braces keeps together, as in inline:{ {a=b, c} }. No specs: a list of no tables, which knows
 * nothing. 0; TABLE_E_SYNTAX, TABLE_E_UNKNOWN_TYPE: ERROR names the entry and says why; -ENOMEM.
 */
int table_list_new(Str specs, const TableContext *context, TableList **ret, Buf *error);
TableList *table_list_free(TableList *list);
DEFINE_CLEANUP(TableList, table_list_free)

/* How many tables it is made of. */
size_t table_list_n(const TableList *list);

/* table_allow_missing() of each. */
void table_list_allow_missing(TableList *list);

/*
 * Ask, as table_ask() each in its turn. The value, or the text of an error, is appended to RET;
 * *RET_TABLE (may be NULL) is the table that answered or failed, owned by LIST, NULL when none
 * knows the key.
 */
TableResult table_list_ask(TableList *list, const TableQuestion *question, Buf *ret,
                           Table **ret_table);

/* The same for KEY alone, and waiting for each answer: for workers and tools. */
TableResult table_list_lookup_wait(TableList *list, Str key, Buf *ret, Table **ret_table);
