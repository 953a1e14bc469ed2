#pragma once

/*
 * pickup: takes what users have put into maildrop/ and hands it to cleanup, oldest first. What is
 * no message is set aside once; what cleanup cannot take now stays and is tried again; what cleanup
 * refuses is returned to its sender by bounce, since postdrop has acknowledged it already. A file
 * goes away only after somebody else has the message on disk.
 *
 *   maildrop/ID is                          then
 *   not a file of ours, damaged, misnamed   to corrupt/ (once, logged)
 *   without END                             removed: never acknowledged
 *   of a newer release                      to hold/
 *   accepted by cleanup                     removed
 *   refused by cleanup                      notice by bounce, then removed
 *   anything else                           stays; again after a while
 *
 * It reads maildrop/ as hostile, and writes nothing anywhere.
 */

#include "common/role/role.h"

/* Role hooks, see role.h. */
int pickup_start(RoleEnv *env);
void pickup_stop(RoleEnv *env);
int pickup_scan(RoleEnv *env);
int pickup_scan_path(RoleEnv *env, Buf *ret);
