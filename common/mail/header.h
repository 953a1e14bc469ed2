#pragma once

/*
 * Message header fields, RFC 5322 2.2: a pure reader that is fed lines and tells what they are,
 * and the texts that we write ourselves (Date:, Message-ID:, Received:).
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"

/* What the next line of a message means to a header block that is being read. */
typedef enum HeaderLine {
        HEADER_LINE_FIELD,        /* begins a field; name and value are set */
        HEADER_LINE_CONTINUATION, /* folded: belongs to the field before */
        HEADER_LINE_END,          /* empty: the body begins behind it */
        HEADER_LINE_BODY,         /* no header line at all: the body begins with it */
} HeaderLine;

/*
 * Classify LINE (without its line end). For a field, *ret_name is the name without white space
 * before the colon ("Subject :" is "Subject"), *ret_value all behind the colon.
 */
HeaderLine header_line_classify(Str line, Str *ret_name, Str *ret_value);

/* Append the RFC 5322 3.3 date of NOW in local time with numeric zone and zone name in a comment,
 * as "Tue, 24 Nov 2026 22:00:51 +0000 (UTC)". */
int header_append_date(Buf *buf, usec_t now_usec);

/* "20261124220051.QUEUEID@HOST" without angle brackets. */
int header_append_message_id(Buf *buf, usec_t now_usec, Str queue_id, Str hostname);

/*
 * Append a display name as RFC 5322 phrase: bare words when they are atoms, a quoted string when
 * they are not, encoded words of UTF-8 (RFC 2047, folded) when they are not ASCII. Control bytes
 * and what is not UTF-8 are dropped. 0, BUF_E_FULL, -ENOMEM.
 */
int header_append_phrase(Buf *buf, Str name);

/*
 * Append a display name as RFC 5322 comment, "(Full Name)", encoded and cleaned likewise. Results
 * as above.
 */
int header_append_comment(Buf *buf, Str name);
