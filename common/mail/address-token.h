#pragma once

/*
 * Tokens of header address lists (RFC 5322 3.2), for those who read them: address.c, and
 * header-rewrite.c. Pure; each byte is looked at once.
 */

#include <stdbool.h>

#include "common/base/str.h"

/* A token's type; it is itself for the specials . @ < > , ; : */
enum {
        ADDRESS_TOKEN_END = 0,
        ADDRESS_TOKEN_WORD = 'w', /* an atom, a quoted string, or a domain literal */
        ADDRESS_TOKEN_BAD = '?',  /* what is no part of any address */
};

/*
 * The next token of *REST, which then stands behind it; comments and white space before it are
 * passed over. *RET is a word's text, as it stands. Comments nest at most 100 deep.
 */
int address_token_next(Str *rest, Str *ret);

/* RFC 5322 3.2.3 atext, and RFC 6532 3.2: any byte of UTF-8. */
bool address_is_atext(char c);
