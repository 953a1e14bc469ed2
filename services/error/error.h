#pragma once

/*
 * error: the transport whose next hop is a text. Every recipient is bounced with it. It reads no
 * message, opens no file and changes nothing.
 */

#include "common/role/role.h"

/* Role.serve: one delivery. The next hop "5.1.2 no such domain" gives code and text; a text
 * without a code gets 5.0.0, and an empty one a general text. */
int error_serve(RoleEnv *env, IpcConn *conn);
