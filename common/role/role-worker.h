#pragma once

/* One worker process; see role-worker.c. */

#include "common/role/role-pool.h"
#include "common/role/role-process.h"

/*
 * Be the worker in SLOT of POOL, in a child just forked. Returns the exit status: 0 after idleness
 * or retirement, ROLE_EXIT_FAILURE when it could not start.
 */
int role_worker_run(RoleProcess *process, RolePool *pool, size_t slot);
