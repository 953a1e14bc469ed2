#include "common/base/key-set.h"

typedef struct KeySetEntry {
        uint64_t hash;
        size_t offset;
        size_t len;
} KeySetEntry;

void key_set_init(KeySet *set, size_t n_max, size_t key_max_bytes) {
        *set = (KeySet){
                .keys = BUF_INIT(n_max * key_max_bytes),
                .entries = BUF_INIT(n_max * sizeof(KeySetEntry)),
                .n_max = n_max,
        };
}

void key_set_deinit(KeySet *set) {
        buf_deinit(&set->keys);
        buf_deinit(&set->entries);
}

/* FNV-1a of the folded text. Collisions cost a comparison. */
static uint64_t hash_of(Str key) {
        uint64_t hash = 0xcbf29ce484222325;

        for (size_t i = 0; i < key.len; i++)
                hash = (hash ^ (unsigned char)ascii_to_lower(key.data[i])) * 0x100000001b3;
        return hash;
}

static size_t n_members(const KeySet *set) {
        return set->entries.len / sizeof(KeySetEntry);
}

static bool is_same(const KeySet *set, Str a, Str b) {
        return set->with_case ? str_equal(a, b) : str_equal_nocase(a, b);
}

static bool find(const KeySet *set, Str key, uint64_t hash) {
        const KeySetEntry *entries = (const KeySetEntry *)set->entries.data;

        for (size_t i = 0; i < n_members(set); i++)
                if (entries[i].hash == hash &&
                    is_same(set, str_from(set->keys.data + entries[i].offset, entries[i].len), key))
                        return true;
        return false;
}

bool key_set_has(const KeySet *set, Str key) {
        return find(set, key, hash_of(key));
}

bool key_set_seen(KeySet *set, Str key) {
        KeySetEntry entry = { .hash = hash_of(key), .offset = set->keys.len, .len = key.len };

        if (find(set, key, entry.hash))
                return true;
        if (n_members(set) < set->n_max && buf_append_str(&set->keys, key) == 0)
                (void)buf_append(&set->entries, &entry, sizeof(entry));
        return false;
}
