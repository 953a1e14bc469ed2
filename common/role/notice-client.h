#pragma once

/*
 * Asking bounce for one notice, for roles that can wait: pickup and delivery agents. qmgr, which
 * cannot, has services/qmgr/notice.h.
 */

#include <stdbool.h>

#include "common/role/protocol-delivery.h"

typedef struct NoticeReply {
        char notice_id[QUEUE_ID_LEN + 1]; /* of the notice's own queue file; empty: none was due */
        char text[DSN_TEXT_MAX];          /* why not, "bounce: ..." for the log */
} NoticeReply;

/*
 * Send REQUEST with FD, the open queue file of the message (not owned), and wait for the result:
 * 5 s for bounce to be there, then 300 s. True: the notice is on disk, or none is due, so that the
 * failure may be forgotten. False: it must be asked for again later; ret->text says why.
 */
bool notice_client_ask(const NoticeRequest *request, int fd, NoticeReply *ret);
