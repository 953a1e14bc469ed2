#pragma once

/*
 * A seal at the end of an index file: its length and a checksum over all of it. tdb has none, and
 * a flipped bit in a key would make an address "not found": mail would be returned instead of
 * deferred. tdb itself does not look at what is behind its records.
 */

enum {
        TABLE_SEAL_E_BROKEN = 1 /* no seal, or the content is not what was sealed */
};

/* Seal the file FD (readable and writable), up to its present end. 0 or negative errno. */
int table_seal_write(int fd);

/* Check the seal of FD, reading all of it (a few GB/s). 0, TABLE_SEAL_E_BROKEN, negative errno. */
int table_seal_check(int fd);
