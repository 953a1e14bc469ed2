#pragma once

/* The queue as a role opens it at its start. */

#include "common/mail/queue.h"
#include "common/role/role.h"

/*
 * Open the queue at $queue_directory, with the directories of the bit set DIRS (1 << QUEUE_...);
 * caller frees. 0, or negative errno after a line in the log that says why: the role cannot start.
 */
int role_queue_open(const RoleEnv *env, unsigned dirs, Queue **ret);
