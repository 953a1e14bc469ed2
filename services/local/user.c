#include "services/local/user.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>

#include "common/base/macro.h"

/* A passwd entry is some hundred bytes; directories may hold monsters. */
#define PASSWD_ENTRY_START 1024
#define PASSWD_ENTRY_MAX   (1024 * 1024)

/* What is asked for: a name, or, when that is NULL, a number. */
typedef struct Question {
        const char *name;
        uid_t uid;
} Question;

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
                free(memory);
                memory = malloc(size);
                if (!memory)
                        return -ENOMEM;
                r = ask(question, &entry, memory, size, &found);
        }
        if (r != 0)
                return -r;
        return found ? copy_entry(found, ret) : LOCAL_USER_E_UNKNOWN;
}

int local_user_find(Str name, LocalUser *ret) {
        char folded[LOCAL_USER_NAME_MAX + 1];
        Question question = { .name = folded };

        /* A NUL would make the rest invisible to NSS: "root\0x" must not be root. */
        if (str_is_empty(name) || name.len > LOCAL_USER_NAME_MAX || str_contains(name, '\0'))
                return LOCAL_USER_E_UNKNOWN;
        for (size_t i = 0; i < name.len; i++)
                folded[i] = ascii_to_lower(name.data[i]);
        folded[name.len] = '\0';
        return find(&question, ret);
}

int local_user_find_uid(uid_t uid, LocalUser *ret) {
        Question question = { .uid = uid };

        return find(&question, ret);
}

void local_user_deinit(LocalUser *user) {
        free(user->home);
        free(user->shell);
        *user = (LocalUser){ 0 };
}

LocalRights local_user_rights(const LocalUser *user) {
        return (LocalRights){ .uid = user->uid, .gid = user->gid, .name = user->name };
}
