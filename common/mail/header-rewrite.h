#pragma once

/*
 * Addresses of message headers made canonical (rewrite.h) where they stand: "To: bob" becomes
 * "To: bob@example.org". Only the bytes of an address that changes are replaced; comments, display
 * names, groups and folding stay, and a field in which nothing changes stays as it is to the byte.
 * Pure.
 */

#include "common/base/buf.h"
#include "common/mail/rewrite.h"

/* Work space of one message; a field that needs no change costs no allocation. */
typedef struct HeaderRewrite {
        const RewriteRules *rules; /* borrowed */
        size_t tokens_max;
        Buf raw, address, canonical; /* of the address at hand */
        Buf out;
} HeaderRewrite;

/*
 * Of a field at most TOKENS_MAX words and signs are read ($header_address_token_limit): addresses
 * behind them stay as they are.
 */
void header_rewrite_init(HeaderRewrite *rewrite, const RewriteRules *rules, size_t tokens_max);
void header_rewrite_deinit(HeaderRewrite *rewrite);

/* Is NAME a field of addresses that are rewritten (RFC 5322 3.6, and others as in Postfix)? */
bool header_rewrite_wants(Str name);

/*
 * FIELD is "Name: value", folded or not, without its last line end. *RET is FIELD itself, or the
 * result in memory of REWRITE until the next call. Between two words that stand for two addresses
 * a comma is added, as in Postfix; a line that gets longer than 78 bytes is folded before the
 * address that made it so. An address that makes no sense, or has a comment inside, stays. Linear
 * time. 0, -ENOMEM.
 */
int header_rewrite_field(HeaderRewrite *rewrite, Str field, Str *ret);
