/* Makes the indexes of lookup tables: the table of the role. */

#include "services/tables/tables.h"

/*
 * Everybody may ask: a user who is not ours only for a file that is his own. Few at a time, since
 * each may take ten times the size of a source in memory; one more is told to try again.
 */
static const Role role = {
        .name = "tables",
        .kind = ROLE_WORKERS,
        .peers = NULL,
        .request_limit_usec = 60 * USEC_PER_SEC,
        .connections_per_uid = 10,
        .start = tables_start,
        .stop = tables_stop,
        .serve = tables_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
