#pragma once

/* A service of ours as a line of Postfix's master.cf. Pure. */

#include "common/base/buf.h"
#include "tools/postconf/options.h"

typedef struct ServiceLine {
        const char *name;    /* of the unit, without "unitpost-" and what it ends in */
        const char *type;    /* inet, unix, unix-dgram; path and timer, which Postfix has not */
        const char *command; /* base name of the program */
        char **arguments;    /* NULL at the end */
        bool is_private;     /* not everybody may connect */
        bool is_unprivileged;
        bool is_off; /* neither enabled nor active: a '#' in front */
} ServiceLine;

/* Does WORD ("name", "name/type", with -F and -P "name/type/field") ask for LINE? */
bool service_line_matches(const ServiceLine *line, const char *word);

/*
 * Append it to OUT in the form of the mode: the line (-f: each -o in a line of its own), its
 * fields, or its -o parameters. FIELD: only that one; NULL: all. 0, BUF_E_FULL or -ENOMEM.
 */
int service_line_format(const PostconfOptions *options, const ServiceLine *line, const char *field,
                        Buf *out);
