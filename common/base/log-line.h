#pragma once

/*
 * One journal entry in the native datagram form, built in a buffer of fixed size: lines
 * "NAME=value\n". Values are made safe here (see log.h), so that the simple form always does.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

enum {
        LOG_LINE_MAX = 16 * 1024 /* bytes of one datagram: a message and a dozen full fields */
};

typedef struct LogLine {
        size_t len;
        char data[LOG_LINE_MAX];
} LogLine;

/*
 * Append "NAME=value\n", the value cut at MAX bytes between two characters. Control characters
 * (C0, DEL, C1) and each byte that is not part of well-formed UTF-8 (RFC 3629) become '?'.
 * A field for which the line has no room left is left out whole. Returns whether it is in.
 */
bool log_line_add(LogLine *line, const char *name, Str value, size_t max);

/* The same for a small number. */
bool log_line_add_number(LogLine *line, const char *name, long number);

/*
 * Copy VALUE to ROOM (SIZE bytes) in its safe form, cut as above; returns the bytes written.
 * No NUL is added.
 */
size_t log_line_escape(char *room, size_t size, Str value);
