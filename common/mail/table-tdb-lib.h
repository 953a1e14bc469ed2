#pragma once

/* <tdb.h> with what it uses but does not include. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <tdb.h>

#include "common/base/str.h"

static inline TDB_DATA table_tdb_data(Str s) {
        return (TDB_DATA){ .dptr = (unsigned char *)(uintptr_t)s.data, .dsize = s.len };
}
