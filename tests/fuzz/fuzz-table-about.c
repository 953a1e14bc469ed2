/* The record about an index, which the owner of the index may have changed. */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/table-about.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(size + TABLE_ABOUT_MAX_BYTES);
        TableAbout about;
        TableAbout again;

        if (!table_about_parse(str_from((const char *)data, size), &about))
                return 0;
        if (table_about_append(&about, &text) != 0 || !table_about_parse(buf_str(&text), &again) ||
            !table_stamp_equal(&about.stamp, &again.stamp) || about.syntax != again.syntax ||
            about.rules != again.rules || !str_equal(about.source, again.source))
                abort();
        return 0;
}
