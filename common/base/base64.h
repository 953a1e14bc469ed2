#pragma once

/* Base64 as RFC 4648, section 4: the alphabet with '+' and '/', filled up with '=', in one line. */

#include "common/base/buf.h"

/* Append DATA, encoded. 0, BUF_E_FULL, -ENOMEM. */
int base64_append_encoded(Str data, Buf *ret);

/*
 * Append what TEXT, all of it, stands for. 0; BASE64_E_SYNTAX: another length or byte, or bits that
 * no encoder leaves set (RFC 4648, section 3.5), and nothing is appended; BUF_E_FULL; -ENOMEM.
 */
enum {
        BASE64_E_SYNTAX = 2
};
int base64_append_decoded(Str text, Buf *ret);
