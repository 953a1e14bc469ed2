#pragma once

/*
 * Handing over one message: sendmail -> postdrop, pickup, bounce (later smtpd, local) -> cleanup.
 *
 *   client   MESSAGE envelope, MESSAGE recipient ..., DATA ..., END
 *   server   MESSAGE mail-result, END
 *
 * The message is accepted when, and only when, the result says MAIL_ACCEPTED: then it is on disk.
 * A connection that ends before END leaves nothing behind.
 */

#include "common/base/buf.h"
#include "common/mail/envelope.h"
#include "common/role/ipc-conn.h"

/* mail-result.status; sent over IPC, numbers never change. */
typedef enum MailStatus {
        MAIL_ACCEPTED = 0,
        MAIL_TRY_AGAIN = 1, /* 4.x.x: disk full, I/O error, no queue */
        MAIL_REFUSED = 2,   /* 5.x.x: too big, too many hops, malformed */
} MailStatus;

typedef struct MailResult {
        uint64_t status; /* MailStatus */
        Str queue_id;    /* when accepted */
        Str dsn;         /* RFC 3463 code when not */
        Str text;        /* one line for people */
} MailResult;

extern const IpcSchema mail_envelope_schema;  /* Envelope */
extern const IpcSchema mail_recipient_schema; /* Recipient */
extern const IpcSchema mail_result_schema;    /* MailResult */

/* ---- client ---- */

/* Queue the envelope, a recipient, content. Results as ipc_conn_send_message(). */
int mail_client_begin(IpcConn *conn, const Envelope *envelope);
int mail_client_add_recipient(IpcConn *conn, const Recipient *recipient);
int mail_client_add_content(IpcConn *conn, Str data);

/*
 * Send END, wait for the result. 0 and *RESULT (slices valid until the next receive), or an error
 * of ipc_conn_receive(): then nobody has taken responsibility. The END of the answer is still to be
 * read (ipc_conn_receive_end()) by who keeps the connection for another message.
 */
int mail_client_finish(IpcConn *conn, MailResult *ret_result);

/* ---- server ---- */

/*
 * Where a message goes while it comes in. Each returns 0, or anything else to refuse the rest:
 * the server then reads on to END without calling the sink again, and finish() is called with
 * that value as RESULT_CODE, so that a client always gets its answer.
 */
typedef struct MailSink {
        int (*begin)(void *userdata, const Envelope *envelope);
        int (*recipient)(void *userdata, const Recipient *recipient);
        int (*content)(void *userdata, Str data);
        /* All is here (CODE 0), or CODE as above. Fill RESULT; its slices must outlive the call. */
        void (*finish)(void *userdata, int code, MailResult *result);
} MailSink;

/*
 * Serve one message on CONN. 0 when an answer was given, IPC_E_CLOSED when the client went away
 * before END (nothing to clean up in the sink but its memory), or another error of the connection.
 */
int mail_server_receive(IpcConn *conn, const MailSink *sink, void *userdata);
