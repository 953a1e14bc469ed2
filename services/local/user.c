#include "services/local/user.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/macro.h"
#include "common/base/passwd.h"

/* The name becomes a file name in the mail spool. */
static bool is_safe_file_name(Str name) {
        return !str_is_empty(name) && name.len <= LOCAL_USER_NAME_MAX && !str_contains(name, '/') &&
               !str_equal(name, STR(".")) && !str_equal(name, STR(".."));
}

static int copy_entry(const struct passwd *entry, LocalUser *ret) {
        Str name = str_from_cstr(entry->pw_name);

        if (!is_safe_file_name(name))
                return LOCAL_USER_E_UNKNOWN;
        *ret = (LocalUser){ .uid = entry->pw_uid, .gid = entry->pw_gid };
        memcpy(ret->name, name.data, name.len + 1);
        ret->home = strdup(entry->pw_dir ? entry->pw_dir : "");
        ret->shell = strdup(entry->pw_shell ? entry->pw_shell : "");
        if (ret->home && ret->shell)
                return 0;
        local_user_deinit(ret);
        return -ENOMEM;
}

/* By NAME, or, when that is NULL, by UID. */
static int find(const char *name, uid_t uid, LocalUser *ret) {
        char *memory _cleanup_(freep) = NULL;
        struct passwd entry;
        int r = passwd_find(name, uid, &entry, &memory);

        if (r == PASSWD_E_UNKNOWN)
                return LOCAL_USER_E_UNKNOWN;
        return r == 0 ? copy_entry(&entry, ret) : r;
}

int local_user_find(Str name, LocalUser *ret) {
        char folded[LOCAL_USER_NAME_MAX + 1];

        /* A NUL would make the rest invisible to NSS: "root\0x" must not be root. */
        if (str_is_empty(name) || name.len > LOCAL_USER_NAME_MAX || str_contains(name, '\0'))
                return LOCAL_USER_E_UNKNOWN;
        for (size_t i = 0; i < name.len; i++)
                folded[i] = ascii_to_lower(name.data[i]);
        folded[name.len] = '\0';
        return find(folded, 0, ret);
}

int local_user_find_uid(uid_t uid, LocalUser *ret) {
        return find(NULL, uid, ret);
}

void local_user_deinit(LocalUser *user) {
        free(user->home);
        free(user->shell);
        *user = (LocalUser){ 0 };
}

LocalRights local_user_rights(const LocalUser *user) {
        return (LocalRights){ .uid = user->uid, .gid = user->gid, .name = user->name };
}
