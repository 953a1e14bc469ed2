#include "services/pickup/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"

/*
 * How long to wait for a role that is started for us. Shorter than elsewhere (DESIGN 5: 30 s),
 * since to give up costs only another try a second later, and nobody can stop us meanwhile.
 */
#define HELLO_TIMEOUT_USEC (5 * USEC_PER_SEC)

/* For one message: it is on our disk, and cleanup has little else to do than to write it. */
#define MESSAGE_TIMEOUT_USEC (300 * USEC_PER_SEC)

#define CHUNK_BYTES (60 * 1024) /* fits one frame */

/* What pickup lets pass of the envelope's flags: nobody but bounce makes notices. */
#define FLAGS_ALLOWED (ENVELOPE_8BITMIME | ENVELOPE_SMTPUTF8 | ENVELOPE_LOCAL_ORIGIN)

enum {
        SEND_E_FILE = 1000, /* no IPC_E_*: the file could not be read */
};

void handover_deinit(Handover *handover) {
        handover->cleanup = ipc_conn_free(handover->cleanup);
}

static void set_reply(HandoverReply *reply, const char *dsn, const char *what, const char *why) {
        (void)snprintf(reply->dsn, sizeof(reply->dsn), "%s", dsn);
        (void)snprintf(reply->text, sizeof(reply->text), "%s: %s", what, why);
}

static int send_recipients(IpcConn *conn, QueueFile *file) {
        QueueFileRecipient recipient;
        uint64_t cursor = 0;
        int r;

        while ((r = queue_file_next_recipient(file, &cursor, false, &recipient)) == 0) {
                r = mail_client_add_recipient(conn, &recipient.recipient);
                if (r != 0)
                        return r;
        }
        return r == QUEUE_FILE_E_END ? 0 : SEND_E_FILE;
}

static int send_content(IpcConn *conn, const QueueFile *file, int fd) {
        uint64_t offset = queue_file_content_offset(file), left = queue_file_content_size(file);
        char chunk[CHUNK_BYTES];
        int r;

        while (left > 0) {
                size_t n = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);

                if (file_pread_all(fd, chunk, n, (off_t)offset) != 0)
                        return SEND_E_FILE;
                r = mail_client_add_content(conn, str_from(chunk, n));
                if (r != 0)
                        return r;
                offset += n;
                left -= n;
        }
        return 0;
}

static int send_message(IpcConn *conn, const QueueId *id, QueueFile *file, int fd) {
        Envelope envelope = *queue_file_envelope(file);
        int r;

        envelope.queue_id = str_from_cstr(id->text);
        envelope.flags &= FLAGS_ALLOWED;
        ipc_conn_set_timeout(conn, MESSAGE_TIMEOUT_USEC);
        r = mail_client_begin(conn, &envelope);
        if (r == 0)
                r = send_recipients(conn, file);
        return r == 0 ? send_content(conn, file, fd) : r;
}

static HandoverOutcome outcome_of(const MailResult *result, HandoverReply *reply) {
        (void)snprintf(reply->dsn, sizeof(reply->dsn), "%.*s", STR_FMT(result->dsn));
        (void)snprintf(reply->text, sizeof(reply->text), "%.*s", STR_FMT(result->text));
        switch (result->status) {
        case MAIL_ACCEPTED:
                return HANDOVER_ACCEPTED;
        case MAIL_REFUSED:
                return HANDOVER_REFUSED;
        }
        return str_equal(result->dsn, STR("4.3.1")) ? HANDOVER_NO_ROOM : HANDOVER_TRY_AGAIN;
}

/*
 * One try. The outcome in *RET, and 0; SEND_E_FILE; or what went wrong with the connection, which
 * is closed then: whatever was sent of the message is nobody's.
 */
static int try_once(Handover *handover, const QueueId *id, QueueFile *file, int fd,
                    HandoverReply *reply, HandoverOutcome *ret) {
        MailResult result;
        int r = 0;

        *ret = HANDOVER_TRY_AGAIN;
        if (!handover->cleanup)
                r = ipc_conn_connect("cleanup", "cleanup", HELLO_TIMEOUT_USEC, &handover->cleanup);
        if (r != 0) {
                *ret = HANDOVER_NO_SERVER;
                return r;
        }
        r = send_message(handover->cleanup, id, file, fd);
        if (r == 0)
                r = mail_client_finish(handover->cleanup, &result);
        if (r == 0) {
                *ret = outcome_of(&result, reply);
                r = ipc_conn_receive_end(handover->cleanup);
                if (r == 0)
                        return 0;
                handover_deinit(handover); /* the answer was given all the same */
                return 0;
        }
        handover_deinit(handover);
        return r;
}

HandoverOutcome handover_to_cleanup(Handover *handover, const QueueId *id, QueueFile *file, int fd,
                                    HandoverReply *reply) {
        bool kept = handover->cleanup != NULL;
        HandoverOutcome outcome = HANDOVER_TRY_AGAIN;
        int r;

        r = try_once(handover, id, file, fd, reply, &outcome);
        /* cleanup may close a kept connection at any time: that says nothing about the message */
        if (r == IPC_E_CLOSED && kept)
                r = try_once(handover, id, file, fd, reply, &outcome);
        if (r == 0)
                return outcome;
        if (r == SEND_E_FILE) {
                set_reply(reply, "4.3.0", "cannot read it", queue_file_reason());
                return HANDOVER_UNREADABLE;
        }
        set_reply(reply, "4.3.0", "cleanup", ipc_error_name(r));
        return outcome;
}
