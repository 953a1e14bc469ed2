#pragma once

/*
 * Datagrams to qmgr.socket, one command each: a byte and its argument, at most 64 bytes.
 *
 *   'I' ID   cleanup: a new message is in incoming/
 *   'W'      the timer: look for due mail
 *   'F'      showq: try all deferred mail now
 *   'O' ID   showq: try this deferred message now
 *
 * The kernel says who sent it (SO_PASSCRED).
 */

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/mail/queue-id.h"

typedef enum QmgrCommand {
        QMGR_INCOMING = 'I',
        QMGR_WAKE = 'W',
        QMGR_FLUSH = 'F',
        QMGR_FLUSH_ONE = 'O',
} QmgrCommand;

/* Decode; 0 or IPC_E_PROTOCOL. ID is set for 'I' and 'O'. */
int qmgr_command_parse(Str datagram, QmgrCommand *ret_command, QueueId *ret_id);

/*
 * Send one, waiting at most MAX_WAIT_USEC while qmgr's socket is full (back-pressure). ID may be
 * NULL. 0, IPC_E_BUSY (still full; qmgr will rescan anyway), IPC_E_REFUSED (no socket), -errno.
 */
int qmgr_send_command(QmgrCommand command, const QueueId *id, usec_t max_wait_usec);
