#pragma once

/*
 * Mail addresses: RFC 5321 4.1.2 paths and RFC 5322 3.4 header address lists. Pure functions over
 * slices; nothing is looked up.
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/*
 * Split at the last '@' that is inside neither quotes nor a domain literal. Without one,
 * *ret_domain is empty (data NULL) and *ret_local is ADDRESS. Returns whether there was an '@'.
 */
bool address_split(Str address, Str *ret_local, Str *ret_domain);

/*
 * Index of the first, or last, OPERATOR ('@', '!', '%', ':' ...) that is neither inside quotes nor
 * inside a domain literal; address.len when there is none.
 */
size_t address_find_first(Str address, char operator);
size_t address_find_last(Str address, char operator);

/* Is ADDRESS neither empty nor longer than ENVELOPE_ADDRESS_MAX, its quotes closed, without control
 * bytes, and without space and angle brackets outside quotes? */
bool address_is_sane(Str address);

/* The local part with its quotes and backslashes taken off: the name of a user or alias. */
int address_unquote_local(Str local, Buf *ret);

/* Append LOCAL (unquoted) in the form an SMTP path needs: quoted when it is no dot-string. */
int address_quote_local(Str local, Buf *ret);

/*
 * Append LOCAL (in whatever form, as long as its quotes are closed) with quotes where an SMTP path
 * needs them, and only there. The empty one becomes "".
 */
int address_requote_local(Str local, Buf *ret);

/*
 * Walk the mailboxes of a header address list ("A <a@b>, group: c@d;, e@f (comment)"), folded
 * lines included. Comments, display names, groups, routes and white space are dropped; between
 * words that have none a comma is added, as Postfix does ("root postmaster" is two addresses). Each
 * call appends one address to RET (emptied first), in the form of an envelope: quoted where it must
 * be; "<>" is the empty one. Returns 0, ADDRESS_E_END, ADDRESS_E_SYNTAX (this element made no
 * sense, or does not fit RET; the walk goes on behind the next comma), or negative errno. Linear
 * time whatever the input; comments nest at most 100 deep, deeper is ADDRESS_E_SYNTAX.
 */
enum {
        ADDRESS_E_END = 1,
        ADDRESS_E_SYNTAX = 2
};
int address_list_next(Str *rest, Buf *ret);

/*
 * Append RAW, the words, dots and '@' of one address of a list with nothing between them, in the
 * form of an envelope. 0, ADDRESS_E_SYNTAX, -ENOMEM.
 */
int address_normalise(Str raw, Buf *ret);
