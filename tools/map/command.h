#pragma once

/* What postmap(1) and postalias(1) do. */

#include "tools/map/options.h"

/* The program: an exit status. */
int map_command_main(const MapCommand *command, int argc, char **argv);
