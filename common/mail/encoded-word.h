#pragma once

/*
 * Reads encoded words, RFC 2047: "=?utf-8?Q?gr=C3=BC=C3=9Fe?=". Writing them is
 * header_append_phrase().
 */

#include "common/base/buf.h"
#include "common/base/str.h"

/*
 * Append VALUE, a header field's value in any form, with its encoded words decoded to UTF-8. White
 * space between two of them is dropped (RFC 2047 6.2). Words of other character sets than UTF-8,
 * US-ASCII and ISO-8859-1, and what only looks like an encoded word, stay as they are. What comes
 * out may hold any byte, also a NUL, and need not be valid UTF-8: it is as hostile as VALUE, and
 * never longer than twice VALUE. Linear time. 0, BUF_E_FULL, -ENOMEM.
 */
int encoded_word_append_decoded(Buf *buf, Str value);
