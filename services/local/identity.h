#pragma once

/*
 * Becoming a recipient, and coming back. local runs as root with few capabilities (see its unit);
 * everything it does to a user's file is done with that user's effective ids. While they are not
 * root's the kernel keeps the effective capability set empty, so a file that this process can write
 * to then is one that the user could write to.
 *
 * Reversible: real and saved ids stay root's, so the user can neither signal nor trace us. A user's
 * commands need more: for them a child drops for good (common/role/command.h).
 */

#include <sys/types.h>

/* Whose rights a delivery has. */
typedef struct LocalRights {
        uid_t uid;
        gid_t gid;
        const char *name; /* of the user, for texts and the environment; borrowed */
} LocalRights;

/* Once in each worker: no supplementary groups, for good. 0 or negative errno. */
int identity_init(void);

/* Effective ids become UID and GID. 0, or negative errno with nothing changed. */
int identity_become(uid_t uid, gid_t gid);

/* Be root again. When that fails the process ends: going on as somebody else would be a lie. */
void identity_restore(void);
