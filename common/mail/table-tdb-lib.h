#pragma once

/* <tdb.h> with what it uses but does not include, and our record about the index itself. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <tdb.h>

#include "common/base/str.h"

/* Key of the record that holds "FORMAT\nSOURCE'S MTIME\nSOURCE"; no source has such a key. */
#define TABLE_TDB_ABOUT_KEY ((Str){ .data = "\0index", .len = 6 })

#define TABLE_TDB_FORMAT "1"

static inline TDB_DATA table_tdb_data(Str s) {
        return (TDB_DATA){ .dptr = (unsigned char *)(uintptr_t)s.data, .dsize = s.len };
}
