#pragma once

/*
 * bounce: tells the sender of a message that some of its recipients will never get it, or not soon.
 * It is given
 * the open queue file, writes the notice through cleanup, and answers when the notice is on disk;
 * the queue file itself it cannot change.
 *
 *   sender of the message      what is made
 *   a person                   a notice to it, or to whom the request names in its place, from the
 *                              null sender (RFC 5321 4.5.5)
 *   null (a notice itself)     nothing; with "2bounce" or "bounce" in notify_classes a notice to
 *                              $2bounce_notice_recipient, from $double_bounce_sender; of a delay,
 *                              with "delay", to $delay_notice_recipient
 *   $double_bounce_sender      nothing, ever: here the chain ends; so for all that is flagged as a
 *                              notice and has a sender
 *
 * Recipients that asked for no such notice (RFC 3461 NOTIFY) are left out; where none remains, none
 * is made. With "bounce" or "delay" in notify_classes, what a person is told, and what it did not
 * want to hear, goes to $bounce_notice_recipient or $delay_notice_recipient, too, with no more of
 * the message than its header.
 */

#include "common/role/role.h"

/* Role.serve: one notice. */
int bounce_serve(RoleEnv *env, IpcConn *conn);
