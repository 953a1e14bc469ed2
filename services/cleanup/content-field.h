#pragma once

/* The header fields that cleanup knows by name (RFC 5322 3.6). Names compare without case. */

#include <stdbool.h>

#include "common/base/str.h"

typedef enum ContentFieldKind {
        CONTENT_FIELD_OTHER = 0,
        CONTENT_FIELD_RECEIVED,
        CONTENT_FIELD_FROM,
        CONTENT_FIELD_DATE,
        CONTENT_FIELD_MESSAGE_ID,
        CONTENT_FIELD_RESENT_FROM,
        CONTENT_FIELD_RESENT_DATE,
        CONTENT_FIELD_RESENT_MESSAGE_ID,
        /* Only in sets: */
        CONTENT_FIELD_RESENT,            /* any Resent- field of RFC 5322 3.6.6 */
        CONTENT_FIELD_VISIBLE_RECIPIENT, /* To, Cc, Resent-To, Resent-Cc */
} ContentFieldKind;

/* What NAME is: *RET_KIND, and as a set of 1 << ContentFieldKind all that it counts as. */
unsigned content_field_kinds(Str name, ContentFieldKind *ret_kind);

/* Is NAME one of the words of LIST (white space and commas)? */
bool content_field_is_listed(const char *list, Str name);
