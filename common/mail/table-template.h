#pragma once

/*
 * Answers with parts of the key in them: $1, ${1} and $(1) stand for what the first group of an
 * expression matched, $$ is a dollar.
 */

#include "common/base/regex.h"

/*
 * Is TEXT well-formed, with groups of 1 to N_GROUPS? NULL: it is. Else a static text.
 */
const char *table_template_check(Str text, unsigned n_groups);

/* Does a checked TEXT have any groups in it? */
bool table_template_has_groups(Str text);

/* Append a checked TEXT with the groups of the last match of MATCHER. As buf_append(). */
int table_template_expand(Str text, const RegexMatcher *matcher, Buf *ret);
