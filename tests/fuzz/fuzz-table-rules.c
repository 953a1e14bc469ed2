/*
 * Sources of cidr:, pcre: and regexp: tables. The first byte says which, then comes the key to its
 * newline, then the source.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/file.h"
#include "common/mail/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const char *type, int fd, Str key) {
        _cleanup_(table_freep) Table *table = NULL;
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        TableResult result;
        char spec[64];

        (void)snprintf(spec, sizeof(spec), "%s:/proc/self/fd/%d", type, fd);
        if (table_new(str_from_cstr(spec), NULL, &table, NULL) != 0)
                abort();
        result = table_lookup_wait(table, key, &value);
        /* Neither an answer nor a reason is ever empty. */
        if ((result == TABLE_NOT_FOUND) != (value.len == 0))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(fd_closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
        Str rest = str_skip(str_from((const char *)data, size), 1);
        Str key = str_first(rest, str_find(rest, '\n'));
        Str text = str_skip(rest, key.len + 1);
        char type = size > 0 ? (char)data[0] : 'c';

        if (fd < 0 || file_write_all(fd, text.data, text.len) < 0)
                return 0;
        ask(type == 'p' ? "pcre" : type == 'r' ? "regexp" : "cidr", fd, key);
        return 0;
}
