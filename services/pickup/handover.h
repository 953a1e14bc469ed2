#pragma once

/*
 * Giving a message of maildrop/ to cleanup, over a connection that is kept from one message to the
 * next.
 */

#include "common/mail/queue-file.h"
#include "common/role/protocol-mail.h"

typedef struct Handover {
        IpcConn *cleanup; /* NULL: not connected */
} Handover;

/* Close the kept connection; the object may be used again. */
void handover_deinit(Handover *handover);

typedef enum HandoverOutcome {
        HANDOVER_ACCEPTED,   /* cleanup has it on disk */
        HANDOVER_REFUSED,    /* cleanup never will: tell the sender */
        HANDOVER_TRY_AGAIN,  /* not now; about this message or all. Also when cleanup took it and
                              * then crashed or hung: over others it may not */
        HANDOVER_NO_ROOM,    /* not now, and no other message either: the disk is full */
        HANDOVER_NO_SERVER,  /* nobody answers; no use to go on */
        HANDOVER_UNREADABLE, /* the file itself: an I/O error, or damage found while reading */
} HandoverOutcome;

/* What cleanup said, copied. */
typedef struct HandoverReply {
        char dsn[DSN_CODE_MAX];
        char text[DSN_TEXT_MAX];
} HandoverReply;

/*
 * Give FILE, open as FD, to cleanup under its ID. REPLY is filled for all outcomes but ACCEPTED,
 * with a text for the log.
 */
HandoverOutcome handover_to_cleanup(Handover *handover, const QueueId *id, QueueFile *file, int fd,
                                    HandoverReply *reply);
