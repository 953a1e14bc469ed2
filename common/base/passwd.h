#pragma once

/*
 * Users by way of NSS. glibc goes on to the next source of nsswitch.conf when it cannot read
 * /etc/passwd (no descriptor, no memory, an I/O error), and where that source knows nothing, it
 * says "no such user", while the machine is only short of something. So that answer is believed
 * only when the file can be read, and when it is given again then.
 */

#include <pwd.h>

enum {
        PASSWD_E_UNKNOWN = 1
};

/*
 * Find a user by NAME, or, when that is NULL, by UID. 0 and *RET, whose texts are in *RET_MEMORY
 * (owned by the caller, free(3)); PASSWD_E_UNKNOWN: there is no such user; negative errno: nobody
 * can tell now (-ERANGE: the entry is larger than 1 MB). May block as long as NSS does.
 */
int passwd_find(const char *name, uid_t uid, struct passwd *ret, char **ret_memory);
