#pragma once

/*
 * Where the sockets of the roles are: /run/unitpost/SERVICE. Pure; opens nothing.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/macro.h"

#define IPC_SOCKET_DIRECTORY "/run/unitpost"

/*
 * Fill in the address of SERVICE ("cleanup", "transport/NAME"): letters, digits, '-' and '_', and
 * one '/' inside, so that no name from a configuration leads out of the directory. 0, or -EINVAL
 * for any other name or one that is too long.
 */
_nodiscard_ int ipc_address_fill(const char *service, struct sockaddr_un *ret);

/* For tests: another directory (not copied; NULL: the real one) for this whole process. */
void ipc_address_set_directory(const char *directory);
