#pragma once

/*
 * cleanup: the only door into the queue. It takes one message at a time, makes its content and its
 * envelope complete (content.h; addresses are made
 * canonical, aliases expanded), and writes it durably
 * into incoming/. It refuses only what the message itself is to blame for (5.x.x); a fault of this
 * machine is always "try again" (4.3.x), so that no mail is returned because a disk was full.
 */

#include "common/role/protocol-mail.h"
#include "common/role/role.h"

/* Role hooks, see role.h. */
int cleanup_start(RoleEnv *env);
void cleanup_stop(RoleEnv *env);
int cleanup_serve(RoleEnv *env, IpcConn *conn);
