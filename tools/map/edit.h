#pragma once

/* postmap -i and -d: single entries into an index, and out of it. For root. */

#include "tools/map/build.h"

/*
 * Add the entries of TEXT to the index of PATH. An exit status as of build_index(), EX_NOPERM for
 * others than root.
 */
int edit_add(const BuildOptions *options, const char *path, Str text);

/* Remove the lines of KEYS from it, and add to *N how many were there. An exit status. */
int edit_delete(const BuildOptions *options, const char *path, Str keys, uint64_t *n);
