/*
 * A sorted array over one arena. Entries hold offsets, since the arena moves while it grows; the
 * offset of a key also tells which of two equal keys came first.
 */

#include "common/mail/table-map.h"

#include <errno.h>
#include <stdlib.h>

typedef struct Entry {
        size_t key_offset; /* the value is right behind the key */
        uint32_t key_len;
        uint32_t value_len;
} Entry;

struct TableMap {
        Buf arena;
        Entry *entries;
        size_t n_entries;
        size_t n_allocated;
};

TableMap *table_map_new(size_t max_bytes) {
        TableMap *map = calloc(1, sizeof(*map));

        if (map)
                map->arena = BUF_INIT(max_bytes);
        return map;
}

TableMap *table_map_free(TableMap *map) {
        if (!map)
                return NULL;
        buf_deinit(&map->arena);
        free(map->entries);
        free(map);
        return NULL;
}

static int grow(TableMap *map) {
        size_t n = map->n_allocated > 0 ? map->n_allocated * 2 : 16;
        Entry *entries;

        if (map->n_entries < map->n_allocated)
                return 0;
        entries = reallocarray(map->entries, n, sizeof(entries[0]));
        if (!entries)
                return -ENOMEM;
        map->entries = entries;
        map->n_allocated = n;
        return 0;
}

int table_map_add(TableMap *map, Str key, Str value) {
        size_t offset = map->arena.len;
        int r;

        if (key.len > UINT32_MAX || value.len > UINT32_MAX)
                return BUF_E_FULL;
        r = grow(map);
        if (r == 0)
                r = buf_append_str(&map->arena, key);
        if (r == 0)
                r = buf_append_str(&map->arena, value);
        if (r != 0)
                return r;
        map->entries[map->n_entries++] = (Entry){
                .key_offset = offset,
                .key_len = (uint32_t)key.len,
                .value_len = (uint32_t)value.len,
        };
        return 0;
}

static Str entry_key(const TableMap *map, const Entry *entry) {
        return str_from(map->arena.data + entry->key_offset, entry->key_len);
}

static int compare_keys(Str a, Str b) {
        int order = memcmp(a.data, b.data, size_min(a.len, b.len));

        return order != 0 ? order : a.len < b.len ? -1 : a.len > b.len;
}

static int compare_entries(const void *a, const void *b, void *context) {
        const Entry *first = a;
        const Entry *second = b;
        int order = compare_keys(entry_key(context, first), entry_key(context, second));

        return order != 0 ? order : first->key_offset < second->key_offset ? -1 : 1;
}

static void sort(TableMap *map, bool last_counts) {
        size_t n = 0;

        if (map->n_entries == 0)
                return;
        qsort_r(map->entries, map->n_entries, sizeof(map->entries[0]), compare_entries, map);
        for (size_t i = 1; i < map->n_entries; i++)
                if (!str_equal(entry_key(map, &map->entries[n]), entry_key(map, &map->entries[i])))
                        map->entries[++n] = map->entries[i];
                else if (last_counts)
                        map->entries[n] = map->entries[i];
        map->n_entries = n + 1;
}

void table_map_sort(TableMap *map) {
        sort(map, false);
}

void table_map_sort_last(TableMap *map) {
        sort(map, true);
}

static Str entry_value(const TableMap *map, const Entry *entry) {
        return str_from(map->arena.data + entry->key_offset + entry->key_len, entry->value_len);
}

bool table_map_find(const TableMap *map, Str key, Str *ret) {
        size_t low = 0;
        size_t high = map->n_entries;

        if (str_is_empty(key))
                return false;
        while (low < high) {
                size_t middle = low + (high - low) / 2;
                const Entry *entry = &map->entries[middle];
                int order = compare_keys(key, entry_key(map, entry));

                if (order == 0) {
                        *ret = entry_value(map, entry);
                        return true;
                }
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return false;
}

void table_map_each(const TableMap *map, TableEntry entry, void *userdata) {
        for (size_t i = 0; i < map->n_entries; i++)
                entry(userdata, entry_key(map, &map->entries[i]),
                      entry_value(map, &map->entries[i]));
}
