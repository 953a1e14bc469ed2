#pragma once

/*
 * showq: shows the queue to users and passes their wish for an early attempt to qmgr. It reads the
 * queue by its group, changes nothing in it, and believes nothing that it reads there: a message
 * that vanishes is left out, one that makes no sense is left out with a warning.
 */

#include "common/role/role.h"

/* Role.start: open the queue directories. 0 or negative errno (logged). Role.stop. */
int showq_start(RoleEnv *env);
void showq_stop(RoleEnv *env);

/* Role.serve: one "list", "flush" or "flush-one". */
int showq_serve(RoleEnv *env, IpcConn *conn);
