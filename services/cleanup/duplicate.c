#include "services/cleanup/duplicate.h"

/* A key and its hash, so that the search looks at 8 bytes for each recipient that differs. */
typedef struct DuplicateEntry {
        uint64_t hash;
        size_t offset;
        size_t len;
} DuplicateEntry;

void duplicate_filter_init(DuplicateFilter *filter, size_t n_max) {
        *filter = (DuplicateFilter){
                .keys = BUF_INIT(n_max * DUPLICATE_KEY_MAX_BYTES),
                .entries = BUF_INIT(n_max * sizeof(DuplicateEntry)),
                .n_max = n_max,
        };
}

void duplicate_filter_deinit(DuplicateFilter *filter) {
        buf_deinit(&filter->keys);
        buf_deinit(&filter->entries);
}

/* FNV-1a of the folded text. Collisions cost a comparison. */
static uint64_t hash_of(Str key) {
        uint64_t hash = 0xcbf29ce484222325;

        for (size_t i = 0; i < key.len; i++)
                hash = (hash ^ (unsigned char)ascii_to_lower(key.data[i])) * 0x100000001b3;
        return hash;
}

static bool is_known(const DuplicateFilter *filter, Str key, uint64_t hash) {
        const DuplicateEntry *entries = (const DuplicateEntry *)filter->entries.data;
        size_t n = filter->entries.len / sizeof(*entries);

        for (size_t i = 0; i < n; i++)
                if (entries[i].hash == hash &&
                    str_equal_nocase(
                            str_from(filter->keys.data + entries[i].offset, entries[i].len), key))
                        return true;
        return false;
}

bool duplicate_filter_seen(DuplicateFilter *filter, const Recipient *recipient) {
        _cleanup_(buf_deinit) Buf key = BUF_INIT(DUPLICATE_KEY_MAX_BYTES);
        DuplicateEntry entry = { .offset = filter->keys.len };

        (void)buf_append_str(&key, recipient->address);
        (void)buf_append_char(&key, '\n');
        (void)buf_append_str(&key, recipient->original);
        (void)buf_append_char(&key, '\n');
        (void)buf_append_str(&key, recipient->orcpt);
        (void)buf_printf(&key, "\n%u", recipient->notify);
        if (key.error)
                return false;
        entry.hash = hash_of(buf_str(&key));
        entry.len = key.len;
        if (is_known(filter, buf_str(&key), entry.hash))
                return true;
        if (filter->entries.len / sizeof(entry) < filter->n_max &&
            buf_append_str(&filter->keys, buf_str(&key)) == 0)
                (void)buf_append(&filter->entries, &entry, sizeof(entry));
        return false;
}
