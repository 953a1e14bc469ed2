#pragma once

/*
 * postdrop: takes mail from every user of the machine, on a socket that all may connect to, and
 * writes it durably into maildrop/. It checks form and size only; nothing is rewritten, and no user
 * can say who he is: the uid is the kernel's (SO_PEERCRED), which holds inside containers of
 * systemd too (DynamicUser=, PrivateUsers=), whether or not that uid has a name.
 *
 * It knows no secret and may write nothing but new files in maildrop/.
 */

#include "common/role/protocol-mail.h"
#include "common/role/role.h"

/* Role hooks, see role.h. */
int postdrop_start(RoleEnv *env);
void postdrop_stop(RoleEnv *env);
int postdrop_serve(RoleEnv *env, IpcConn *conn);
