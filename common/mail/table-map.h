#pragma once

/*
 * Keys and values in memory: added once, then only looked up. For inline: and texthash:.
 */

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/mail/table.h"

typedef struct TableMap TableMap;

/* An empty map of at most MAX_BYTES of keys and values. NULL: out of memory. */
TableMap *table_map_new(size_t max_bytes);
TableMap *table_map_free(TableMap *map);
DEFINE_CLEANUP(TableMap, table_map_free)

/* Add a copy. 0, BUF_E_FULL, -ENOMEM. */
int table_map_add(TableMap *map, Str key, Str value);

/*
 * When all is added: makes it searchable. Of equal keys the first one added stays, or with
 * table_map_sort_last() the last one.
 */
void table_map_sort(TableMap *map);
void table_map_sort_last(TableMap *map);

/* Look up in a sorted map; *RET is valid as long as the map. */
bool table_map_find(const TableMap *map, Str key, Str *ret);

/* Call ENTRY for each entry of a sorted map. */
void table_map_each(const TableMap *map, TableEntry entry, void *userdata);
