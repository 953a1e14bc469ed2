#include "services/showq/authorize.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/macro.h"
#include "common/mail/table.h"

#define PASSWD_ENTRY_START 1024
#define PASSWD_ENTRY_MAX   (1024 * 1024)

static TableResult ask_table(Str spec, const char *name) {
        Table *table _cleanup_(table_freep) = NULL;
        Buf value _cleanup_(buf_deinit) = BUF_INIT(TABLE_VALUE_MAX);

        if (table_new(spec, NULL, &table, NULL) != 0)
                return TABLE_ERROR;
        return table_lookup_wait(table, str_from_cstr(name), &value);
}

Authorize authorize_name(const char *users, const char *name) {
        Str rest = str_from_cstr(users), word;

        while (str_next_word(&rest, &word)) {
                Authorize fits = AUTHORIZE_YES;
                TableResult result;

                for (; str_has_prefix(word, STR("!")); word = str_skip(word, 1))
                        fits = fits == AUTHORIZE_YES ? AUTHORIZE_NO : AUTHORIZE_YES;
                if (str_contains(word, ':'))
                        result = ask_table(word, name);
                else
                        result = str_equal(word, str_from_cstr(name)) ? TABLE_FOUND
                                                                      : TABLE_NOT_FOUND;
                if (result == TABLE_ERROR)
                        return AUTHORIZE_ERROR;
                if (result == TABLE_FOUND)
                        return fits;
        }
        return AUTHORIZE_NO;
}

Authorize authorize_user(const char *users, uid_t uid) {
        char *memory _cleanup_(freep) = NULL;
        struct passwd entry, *found = NULL;
        int r = ERANGE;

        /* The default needs no look into the user database. */
        if (uid == 0 || uid == geteuid() || str_equal(str_from_cstr(users), STR("static:anyone")))
                return AUTHORIZE_YES;
        for (size_t size = PASSWD_ENTRY_START; r == ERANGE && size <= PASSWD_ENTRY_MAX; size *= 4) {
                free(memory);
                memory = malloc(size);
                if (!memory)
                        return AUTHORIZE_ERROR;
                r = getpwuid_r(uid, &entry, memory, size, &found);
        }
        if (r != 0)
                return AUTHORIZE_ERROR;
        return authorize_name(users, found ? found->pw_name : "unknown");
}
