#pragma once

/*
 * Texts of strangers made fit for a desktop: pure, bytes in, UTF-8 out.
 */

#include "common/base/buf.h"
#include "common/base/str.h"

#define TEXT_MAX_CHARACTERS 120                           /* of one text; longer ones are cut */
#define TEXT_MAX_BYTES      (4 * TEXT_MAX_CHARACTERS + 8) /* all that the functions here append */

/*
 * Append a header field's value (folded, with encoded words, of any bytes) as one line of valid
 * UTF-8. Control characters and those that turn the direction of writing count as white space;
 * each run of it becomes one space, at the ends none. What is no UTF-8 becomes U+FFFD. 0,
 * BUF_E_FULL, -ENOMEM.
 */
int text_append_line(Buf *out, Str value);

/*
 * Append who a From: field names (RFC 5322 3.6.2): the display name, or without one what stands
 * in the angle brackets, or all of it; as a line like text_append_line().
 */
int text_append_sender(Buf *out, Str value);

/* Append TEXT so that a reader of markup (a notification's body) shows just its characters. At
 * most six times TEXT. 0, BUF_E_FULL, -ENOMEM. */
int text_append_escaped(Buf *out, Str text);
