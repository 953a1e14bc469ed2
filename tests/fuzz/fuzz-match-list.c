/*
 * Any text as a list of names, and its first line as the name that is looked for: the list is made,
 * or refused with a reason; what is found does not depend on the case of the name. No files and no
 * tables but those whose text is in the list.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/inet-list.h"
#include "common/mail/match-list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool names_files(Str text) {
        return str_contains(text, '/') || str_contains(text, ':');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str text = str_from((const char *)data, size), rest = text, name = STR_NULL;
        InetAddress address;

        if (names_files(text))
                return 0;
        (void)str_next_part(&rest, '\n', &name);
        for (int style = MATCH_NAMES; style <= MATCH_PARENT_DOMAINS; style++) {
                _cleanup_(buf_deinit) Buf error = BUF_INIT(1000), folded = BUF_INIT(size);
                _cleanup_(match_list_freep) MatchList *list = NULL;
                TableResult result;

                if (match_list_new(rest, (MatchStyle)style, NULL, &list, &error) != 0) {
                        if (error.len == 0)
                                abort();
                        continue;
                }
                for (size_t i = 0; i < name.len; i++)
                        (void)buf_append_char(&folded, ascii_to_lower(name.data[i]));
                result = match_list_find(list, name, NULL, &error);
                if (result == TABLE_ERROR ||
                    result != match_list_find(list, buf_str(&folded), NULL, &error))
                        abort();
        }
        if (inet_literal_parse(name, &address))
                (void)inet_list_has(rest, &address);
        return 0;
}
