/*
 * Any bytes as a lock file that lies where ours would: what is taken for a journal is, number for
 * number and byte for byte, one that is made here.
 */

#include <stdint.h>
#include <stdlib.h>

#include "services/local/dotlock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Buf again _cleanup_(buf_deinit) = BUF_INIT(1 << 20);
        Str text = str_from((const char *)data, size);
        DotlockJournal journal, same;

        if (size > DOTLOCK_TEXT_MAX || !dotlock_parse(text, &journal))
                return 0;
        if (journal.size > INT64_MAX || !str_has_prefix(journal.from_line, STR("From ")) ||
            str_find(journal.from_line, '\n') + 1 != journal.from_line.len ||
            !str_has_suffix(text, journal.from_line))
                abort();
        if (dotlock_append_text(&journal, &again) != 0 || !dotlock_parse(buf_str(&again), &same) ||
            same.size != journal.size || same.inode != journal.inode ||
            !str_equal(same.from_line, journal.from_line))
                abort();
        return 0;
}
