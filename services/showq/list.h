#pragma once

/*
 * The answer to "list": every message of maildrop, active, incoming, deferred and hold, streamed.
 * Not a snapshot: mail that moves meanwhile may be missing or there twice.
 */

#include "common/mail/queue.h"
#include "common/role/ipc-conn.h"

#define SHOWQ_DIRS                                                                                 \
        (1U << QUEUE_MAILDROP | 1U << QUEUE_INCOMING | 1U << QUEUE_ACTIVE | 1U << QUEUE_DEFERRED | \
         1U << QUEUE_HOLD)

/* 0; IPC_E_* or negative errno when the client is gone or too slow. */
int list_queue(const Queue *queue, IpcConn *conn);
