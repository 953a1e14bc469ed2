#pragma once

/*
 * Addresses made complete, as Postfix's trivial-rewrite does it ("rewrite"): routes stripped, old
 * forms with '!' and '%' turned into user@domain, missing domains appended. Pure.
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/* What is done in one context: that of this machine, or that of mail from elsewhere. Borrowed. */
typedef struct RewriteRules {
        Str origin;              /* "user" becomes "user@ORIGIN"; empty: it stays */
        Str domain;              /* "user@host" becomes "user@host.DOMAIN"; empty: it stays */
        bool swap_bangpath;      /* "host!user" becomes "user@host" */
        bool allow_percent_hack; /* "user%host" becomes "user@host" */
} RewriteRules;

/*
 * Append ADDRESS (of an envelope or header: quoted where it must be) to RET in canonical form:
 *
 *   - a route (RFC 5321 4.1.2, "@a,@b:user@c") is taken off;
 *   - an address without '@' is transformed by the first rule that applies, in the order '!', '%',
 *     origin; bytes within quotes and domain literals are no operators;
 *   - a domain that is no literal and has no '.' gets the domain;
 *   - one '.' at the end goes;
 *   - the local part has quotes where it needs them, and only there.
 *
 * "", "@" and "\"\"" are the empty address: nothing is appended. What makes no sense ("user@",
 * "@host", "user@host..") stays, for the one who reads the bounce. 0, BUF_E_FULL, -ENOMEM.
 */
int rewrite_address(const RewriteRules *rules, Str address, Buf *ret);
