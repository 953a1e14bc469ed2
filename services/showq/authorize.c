#include "services/showq/authorize.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/macro.h"
#include "common/mail/match-list.h"
#include "common/role/role-tables.h"

#define PASSWD_ENTRY_START 1024
#define PASSWD_ENTRY_MAX   (1024 * 1024)
#define ERROR_MAX_BYTES    1024

Authorize authorize_name(const char *users, const char *name) {
        MatchList *list _cleanup_(match_list_freep) = NULL;
        const TableContext context = role_tables_context(TABLE_SYNTAX_MAP);
        Buf error _cleanup_(buf_deinit) = BUF_INIT(ERROR_MAX_BYTES);

        if (match_list_new(str_from_cstr(users), MATCH_NAMES, &context, &list, &error) != 0)
                return AUTHORIZE_ERROR;
        switch (match_list_find(list, str_from_cstr(name), NULL, &error)) {
        case TABLE_FOUND:
                return AUTHORIZE_YES;
        case TABLE_NOT_FOUND:
                return AUTHORIZE_NO;
        case TABLE_ERROR:
        case TABLE_WAIT:
                break;
        }
        return AUTHORIZE_ERROR;
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
