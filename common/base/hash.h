#pragma once

/*
 * uthash(3), with the one of its hash functions that both our compilers take without a warning
 * (its default is a switch that falls through). It ends the process when memory is out, which
 * costs nothing that is not on disk.
 */

#define HASH_FUNCTION HASH_OAT

#include <uthash.h>
