#pragma once

/*
 * A seal at the end of an index file: its length and a checksum over all of it. tdb has none, and
 * a flipped bit in a key would make an address "not found": mail would be returned instead of
 * deferred. tdb itself does not look at what is behind its records.
 */

#include <stdbool.h>

#include "common/base/str.h"

#define TABLE_SEAL_BYTES 32

/* Seal the file FD (readable and writable), up to its present end. 0 or negative errno. */
int table_seal_write(int fd);

/* The seal at the end of FILE, all of the bytes of a file; not there: STR_NULL. */
Str table_seal_find(Str file);

/* Is FILE what was sealed? Reads all of it (a few GB/s). */
bool table_seal_is_right(Str file);
