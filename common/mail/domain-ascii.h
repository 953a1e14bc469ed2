#pragma once

/*
 * The ASCII form of a domain name with other letters in it (IDNA2008 with the mapping of UTS 46,
 * RFC 5891): "m\xc3\xbcller.example" is "xn--mller-kva.example".
 */

#include "common/base/buf.h"

enum {
        DOMAIN_ASCII_E_INVALID = 1, /* no name that has such a form */
        DOMAIN_ASCII_E_MISSING = 2  /* libidn2, which does this, is not installed */
};

/* Append the form of NAME to RET; a name of ASCII alone as it is. 0, an error, or -ENOMEM. */
int domain_to_ascii(Str name, Buf *ret);
