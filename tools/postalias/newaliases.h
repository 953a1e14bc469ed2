#pragma once

/* What newaliases(1) does, for itself and for `sendmail -bi`: build the index of every alias source
 * of the parameter alias_database. */

#include "common/role/config.h"
#include "tools/map/build.h"

/* The program: an exit status. */
int newaliases_main(int argc, char **argv);

/*
 * DATABASE: of -oA; NULL: the parameter alias_database. Returns an exit status: 0, or that of the
 * last index that could not be built (build.h); the others are built.
 */
int newaliases_run(const Config *config, const char *database, const BuildOptions *options);
