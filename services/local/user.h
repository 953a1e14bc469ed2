#pragma once

/* System users, by name or number. Asks NSS; never guesses when NSS cannot answer. */

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/str.h"
#include "services/local/identity.h"

#define LOCAL_USER_NAME_MAX 256

typedef struct LocalUser {
        char name[LOCAL_USER_NAME_MAX + 1]; /* safe as a file name: no '/', not "." or ".." */
        uid_t uid;
        gid_t gid;
        char *home; /* never NULL; may be empty or relative, then it is of no use */
        char *shell;
} LocalUser;

enum {
        LOCAL_USER_E_UNKNOWN = 1
};

/*
 * Look up NAME: letters folded to lower case (ASCII), no quotes. 0 and *RET, to be given to
 * local_user_deinit(); LOCAL_USER_E_UNKNOWN: there is no such user; negative errno: the user
 * database did not answer, so nobody knows: try again later.
 */
int local_user_find(Str name, LocalUser *ret);
int local_user_find_uid(uid_t uid, LocalUser *ret);

/* Free what USER holds; a zeroed one is fine. */
void local_user_deinit(LocalUser *user);

/* The rights of USER; name borrowed. */
LocalRights local_user_rights(const LocalUser *user);
