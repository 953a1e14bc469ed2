#pragma once

/*
 * What newaliases(1) does, for itself and for `sendmail -bi` and `sendmail -I`: build the index of
 * every alias source. Prints to standard error only when something is wrong (or to be told).
 */

#include <stdbool.h>

#include "common/role/config.h"

typedef struct NewaliasesOptions {
        const char *program;        /* in front of every line printed: "newaliases", "sendmail" */
        const char *alias_database; /* of -oA; NULL: the parameter alias_database */
        const char *index_dir;      /* NULL: TABLE_INDEX_DIR */
        bool verbose;               /* print what was built, too */
} NewaliasesOptions;

/*
 * Returns an exit status: 0; 1 when an index could not be built (said why and where; its old index
 * stays, the others are built); EX_NOPERM when the caller is not root.
 */
int newaliases_run(const Config *config, const NewaliasesOptions *options);
