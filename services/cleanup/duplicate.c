#include "services/cleanup/duplicate.h"

void duplicate_filter_init(DuplicateFilter *filter, size_t n_max) {
        key_set_init(&filter->seen, n_max, DUPLICATE_KEY_MAX_BYTES);
}

void duplicate_filter_deinit(DuplicateFilter *filter) {
        key_set_deinit(&filter->seen);
}

bool duplicate_filter_seen(DuplicateFilter *filter, const Recipient *recipient) {
        _cleanup_(buf_deinit) Buf key = BUF_INIT(DUPLICATE_KEY_MAX_BYTES);

        (void)buf_append_str(&key, recipient->address);
        (void)buf_append_char(&key, '\n');
        (void)buf_append_str(&key, recipient->original);
        (void)buf_append_char(&key, '\n');
        (void)buf_append_str(&key, recipient->orcpt);
        (void)buf_printf(&key, "\n%u", recipient->notify);
        return key.error == 0 && key_set_seen(&filter->seen, buf_str(&key));
}
