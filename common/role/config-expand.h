#pragma once

/*
 * $name expansion as in Postfix's main.cf. Pure: names are looked up through a function.
 *
 *   $name ${name} $(name)            the value, expanded in its turn; nothing when not defined
 *   ${name?text} ${name:text}        TEXT when NAME's own text is not empty, or is
 *   ${name?{text}:{text}}            either; white space outside of the braces is ignored
 *   ${{text} == {text}?{text}:{text}}  the operators of config-compare.h; without texts "true" or
 *                                    nothing
 *   ${domain_to_ascii{text}}         the domain name in its ASCII form (common/mail/domain-ascii.h)
 *   $$                               a dollar sign
 */

#include "common/base/buf.h"
#include "common/base/str.h"

/* Levels of names, braces and texts in each other. */
#define CONFIG_EXPAND_DEPTH_MAX 100
/* Expressions evaluated for one text: what doubles at every level ends here. */
#define CONFIG_EXPAND_STEPS_MAX 20000
/* Bytes of an operand of a comparison. */
#define CONFIG_EXPAND_OPERAND_MAX_BYTES ((size_t)64 * 1024)

/* The text of NAME, not expanded; data NULL when there is no such name. */
typedef Str (*ConfigExpandLookup)(void *context, Str name);

enum {
        CONFIG_EXPAND_E_INVALID = 1,
        CONFIG_EXPAND_E_UNDEFINED = 2
};

/*
 * Append the expansion of TEXT to RET. 0; CONFIG_EXPAND_E_INVALID and a text in ERROR that names
 * the culprit (a loop, a missing brace, a result larger than RET); -ENOMEM.
 */
int config_expand_text(Str text, ConfigExpandLookup lookup, void *context, Buf *ret, Buf *error);

/*
 * The same for values that are not the admin's: they go into RET as they are. 0;
 * CONFIG_EXPAND_E_UNDEFINED: done, but the value of a name was asked for that LOOKUP does not know
 * (${name?..} and ${name:..} do not ask for it); else as above.
 */
int config_expand_literal(Str text, ConfigExpandLookup lookup, void *context, Buf *ret, Buf *error);

/*
 * Split off the next NAME that *REST refers to as $name, ${name or $(name, wherever it stands;
 * false when there is none. Tells which names a main.cf uses.
 */
bool config_expand_next_name(Str *rest, Str *ret_name);
