#pragma once

/*
 * bounce: tells the sender of a message that some of its recipients will never get it. It is given
 * the open queue file, writes the notice through cleanup, and answers when the notice is on disk;
 * the queue file itself it cannot change.
 *
 *   sender of the message      what is made
 *   a person                   a notice to it, or to whom the request names in its place, from the
 *                              null sender (RFC 5321 4.5.5)
 *   null (a notice itself)     nothing; with "2bounce" or "bounce" in notify_classes a notice to
 *                              $2bounce_notice_recipient, from $double_bounce_sender
 *   $double_bounce_sender      nothing, ever: here the chain ends
 *
 * Recipients that asked for no notice of failure (RFC 3461 NOTIFY) are left out; where none
 * remains, none is made.
 */

#include "common/role/role.h"

/* Role.serve: one notice. */
int bounce_serve(RoleEnv *env, IpcConn *conn);
