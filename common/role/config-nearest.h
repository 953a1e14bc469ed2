#pragma once

/* "Did you mean": the parameter whose name is nearest to one that is none. Pure. */

#include "common/base/str.h"

/*
 * The name of the parameter that NAME is a misspelling of: one or two letters (of eight or more)
 * wrong, missing, too many or swapped, or '-' for '_', or upper case. NULL: none is that near.
 * Takes a time of the order of the number of parameters; names over 100 bytes are near to nothing.
 */
const char *config_nearest_param(Str name);
