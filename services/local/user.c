#include "services/local/user.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/macro.h"
#include "common/mail/address.h"

/* A passwd entry is some hundred bytes; directories may hold monsters. */
#define PASSWD_ENTRY_START 1024
#define PASSWD_ENTRY_MAX   (1024 * 1024)

bool local_user_name(Str local, char ret_name[LOCAL_USER_NAME_MAX + 1]) {
        Buf name _cleanup_(buf_deinit) = BUF_INIT(LOCAL_USER_NAME_MAX);

        if (address_unquote_local(local, &name) != 0 || name.len == 0)
                return false;
        for (size_t i = 0; i < name.len; i++)
                ret_name[i] = ascii_to_lower(name.data[i]);
        ret_name[name.len] = '\0';
        /* A NUL would make the rest invisible to NSS: "root\0x" must not be root. */
        return !str_contains(buf_str(&name), '\0');
}

/* The name becomes a file name in the mail spool. */
static bool is_safe_file_name(Str name) {
        return !str_is_empty(name) && name.len <= LOCAL_USER_NAME_MAX && !str_contains(name, '/') &&
               !str_equal(name, STR(".")) && !str_equal(name, STR(".."));
}

static int ask(const Question *question, struct passwd *entry, char *memory, size_t size,
               struct passwd **ret_found) {
        int r;

        do
                r = question->name ? getpwnam_r(question->name, entry, memory, size, ret_found)
                                   : getpwuid_r(question->uid, entry, memory, size, ret_found);
        while (r == EINTR);
        return r;
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

static int find(const Question *question, LocalUser *ret) {
        char *memory _cleanup_(freep) = NULL;
        struct passwd entry, *found = NULL;
        int r = ERANGE;

        for (size_t size = PASSWD_ENTRY_START; r == ERANGE && size <= PASSWD_ENTRY_MAX; size *= 4) {
                free(*ret_memory);
                *ret_memory = malloc(size);
                if (!*ret_memory)
                        return -ENOMEM;
                do
                        r = getpwnam_r(name, entry, *ret_memory, size, ret_found);
                while (r == EINTR);
        }
        return -r;
}

int local_user_find(Str local, LocalUser *ret) {
        char *memory _cleanup_(freep) = NULL;
        struct passwd entry, *found = NULL;
        char name[LOCAL_USER_NAME_MAX + 1];
        Str found_name;
        int r;

        if (!local_user_name(local, name))
                return LOCAL_USER_E_UNKNOWN;
        r = lookup(name, &entry, &memory, &found);
        if (r != 0)
                return r;
        if (!found)
                return LOCAL_USER_E_UNKNOWN;
        found_name = str_from_cstr(found->pw_name);
        if (!is_safe_file_name(found_name))
                return LOCAL_USER_E_UNKNOWN;
        memcpy(ret->name, found_name.data, found_name.len + 1);
        ret->uid = found->pw_uid;
        ret->gid = found->pw_gid;
        ret->home[0] = '\0';
        if (found->pw_dir && found->pw_dir[0] == '/' && strlen(found->pw_dir) < sizeof(ret->home))
                memcpy(ret->home, found->pw_dir, strlen(found->pw_dir) + 1);
        return 0;
}
