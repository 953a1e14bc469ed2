#pragma once

/*
 * local: delivers to users of this machine, today to their mbox in mail_spool_directory. Gets an
 * open message from qmgr; never sees the queue. Runs as root; unitpost-local.service says
 * with which capabilities.
 */

#include "common/role/role.h"

/* Role.start: give up supplementary groups, read the settings. 0 or negative errno (logged).
 * Role.stop. */
int local_start(RoleEnv *env);
void local_stop(RoleEnv *env);

/* Role.serve: one delivery. */
int local_serve(RoleEnv *env, IpcConn *conn);
