#pragma once

/* Which system user a local part names. Asks NSS; never guesses when NSS cannot answer. */

#include <limits.h>
#include <sys/types.h>

#include "common/base/str.h"

#define LOCAL_USER_NAME_MAX 256

typedef struct LocalUser {
        char name[LOCAL_USER_NAME_MAX + 1]; /* safe as a file name: no '/', not "." or ".." */
        uid_t uid;
        gid_t gid;
        char home[PATH_MAX]; /* absolute; "" when the user database says something else */
} LocalUser;

enum {
        LOCAL_USER_E_UNKNOWN = 1
};

/*
 * Look up LOCAL, a local part as it stands in an address: its quotes are taken off, letters folded
 * to lower case (ASCII), and the rest is the name. 0; LOCAL_USER_E_UNKNOWN: there is no such user;
 * negative errno: the user database did not answer, so nobody knows: try again later.
 */
int local_user_find(Str local, LocalUser *ret);

/* Append the folded, unquoted name (at most LOCAL_USER_NAME_MAX bytes). False when it is none. */
bool local_user_name(Str local, char ret_name[LOCAL_USER_NAME_MAX + 1]);
