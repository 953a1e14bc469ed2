#pragma once

/*
 * Lists of users as in authorized_mailq_users (match-list.h): login names, tables that are asked
 * for the login name, files; a '!' in front means that these users may not. A uid without a name
 * is called "unknown".
 */

#include <sys/types.h>

typedef enum Authorize {
        AUTHORIZE_NO,
        AUTHORIZE_YES,
        AUTHORIZE_ERROR, /* a table or the user database did not answer: not now */
} Authorize;

/* root, and the user that this process runs as, may always. */
Authorize authorize_user(const char *users, uid_t uid);

/* As above for a login name that is known. */
Authorize authorize_name(const char *users, const char *name);
