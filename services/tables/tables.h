#pragma once

/*
 * tables: makes indexes for whoever looks up in one that is older than its source, and for users
 * who build one by hand. It runs as root, since an index gets the owner of its source, and is asked
 * by strangers: a path is judged before anything is opened (common/mail/table-file.h), a stranger
 * gets an index of his own files only, and an answer tells nothing of what is in a file, and to a
 * stranger not even whether it is there.
 */

#include "common/role/role.h"

/* Role.start: who is one of us. 0 or -ENOMEM (logged). Role.stop. */
int tables_start(RoleEnv *env);
void tables_stop(RoleEnv *env);

/* Role.serve: one "refresh" or "build". */
int tables_serve(RoleEnv *env, IpcConn *conn);
