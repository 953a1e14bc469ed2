#pragma once

/* Lookup tables as roles open them: everything that tables need is injected. For processes that
 * may wait: workers, scanners and tools. */

#include "common/mail/table-list.h"
#include "common/role/role.h"

/*
 * A context with the indexer that asks the role tables, whose answer is waited for a few seconds,
 * and that logs, once for each change of a source, that its old index is used.
 */
TableContext role_tables_context(TableSyntax syntax);

/*
 * Make the tables that PARAM names, whose sources read as SYNTAX; caller frees. The sources of a
 * parameter that nobody set may be missing, and are empty tables then; an empty value gives a list
 * of no tables. 0, or negative errno after a fatal line that names parameter, entry and reason.
 */
int role_tables_open(const RoleEnv *env, ConfigParam param, TableSyntax syntax, TableList **ret);

/* The same for tables whose answers name commands and files (TableContext.is_trusted). */
int role_tables_open_trusted(const RoleEnv *env, ConfigParam param, TableSyntax syntax,
                             TableList **ret);
