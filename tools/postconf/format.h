#pragma once

/* How one setting is printed. Pure. */

#include "common/role/config.h"
#include "tools/postconf/options.h"

typedef struct FormatRow {
        Str name;
        Str value;
        ConfigOrigin origin;
} FormatRow;

/*
 * Append a line, or several (-f), to OUT:
 *
 *   name = value                                            as in main.cf
 *   value, or name                                          -h, -H
 *   LAYER FILE:LINE: name = value, LAYER: name = value      --origin
 *   {"name": "...", "value": "..."}                         -j; with --origin layer, file, line too
 *
 * 0, BUF_E_FULL or -ENOMEM.
 */
int format_row(const PostconfOptions *options, const FormatRow *row, Buf *out);
