#pragma once

/* The lookup tables of a parameter as a role opens them: everything that they need is injected. */

#include "common/mail/table-list.h"
#include "common/role/role.h"

/*
 * Make the tables that PARAM names, whose sources read as SYNTAX; caller frees. The sources of a
 * parameter that nobody set may be missing, and are empty tables then; an empty value gives a list
 * of no tables. 0, or negative errno after a fatal line that names parameter, entry and reason.
 */
int role_tables_open(const RoleEnv *env, ConfigParam param, TableSyntax syntax, TableList **ret);
