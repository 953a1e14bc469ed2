#pragma once

/* JSON (RFC 8259), as far as programs print it. */

#include "common/base/buf.h"

/* Append TEXT as a string, with its quotes (section 7). Bytes that are no UTF-8 become '?'. */
int json_append_string(Buf *out, Str text);

/* Append "NAME": "VALUE"; NAME needs no escape. */
int json_append_member(Buf *out, const char *name, Str value);
