#include "services/local/forward.h"

#include <errno.h>
#include <stdlib.h>

#include "common/mail/header.h"
#include "common/role/ipc-conn.h"
#include "common/role/protocol-mail.h"

#define HELLO_TIMEOUT_USEC   (30 * USEC_PER_SEC)
#define MESSAGE_TIMEOUT_USEC (300 * USEC_PER_SEC)

/* What a forwarded message keeps of the one it comes from. */
#define FLAGS_KEPT (ENVELOPE_8BITMIME | ENVELOPE_SMTPUTF8 | ENVELOPE_LOCAL_ORIGIN)

/* ---- collecting ---- */

static ForwardMessage *find(const Forwards *forwards, const ForwardFrom *from) {
        for (size_t i = 0; i < forwards->n_messages; i++) {
                ForwardMessage *message = &forwards->messages[i];

                if (!message->is_closed && message->is_list == from->is_list &&
                    str_equal(buf_str(&message->sender), from->sender) &&
                    str_equal(buf_str(&message->delivered), from->delivered))
                        return message;
        }
        return NULL;
}

static int add_message(Forwards *forwards, const ForwardFrom *from, ForwardMessage **ret) {
        ForwardMessage *messages, *message;

        if (forwards->n_messages >= FORWARD_MESSAGES_MAX)
                return BUF_E_FULL;
        messages = reallocarray(forwards->messages, forwards->n_messages + 1, sizeof(*messages));
        if (!messages)
                return -ENOMEM;
        forwards->messages = messages;
        message = &messages[forwards->n_messages++];
        *message = (ForwardMessage){
                .is_list = from->is_list,
                .sender = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .delivered = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .recipients = BUF_INIT(FORWARD_MAX_BYTES),
        };
        (void)buf_append_str(&message->sender, from->sender);
        *ret = message;
        return buf_append_str(&message->delivered, from->delivered);
}

int forwards_add(Forwards *forwards, const ForwardFrom *from, Str address) {
        ForwardMessage *message = find(forwards, from);
        size_t before;
        int r = 0;

        if (!message)
                r = add_message(forwards, from, &message);
        if (r != 0)
                return r;
        before = message->recipients.len;
        r = buf_append_str(&message->recipients, address);
        if (r == 0)
                r = buf_append_char(&message->recipients, '\n');
        if (r != 0)
                buf_truncate(&message->recipients, before);
        return r;
}

void forwards_deinit(Forwards *forwards) {
        for (size_t i = 0; i < forwards->n_messages; i++) {
                buf_deinit(&forwards->messages[i].sender);
                buf_deinit(&forwards->messages[i].delivered);
                buf_deinit(&forwards->messages[i].recipients);
        }
        free(forwards->messages);
        *forwards = (Forwards){ 0 };
}

/* ---- sending ---- */

/* One message on its way to cleanup. */
typedef struct Sending {
        const ForwardSource *source;
        const ForwardMessage *message;
        IpcConn *conn;
        QueueId id; /* of the new message */
        usec_t now_usec;
} Sending;

static int send_envelope(const Sending *sending) {
        const DeliveryRequest *request = &sending->source->delivery->request;
        bool is_list = sending->message->is_list;
        const Envelope envelope = {
                .arrival_usec = sending->now_usec,
                .queue_id = str_from_cstr(sending->id.text),
                .sender = buf_str(&sending->message->sender),
                .envid = is_list ? STR_NULL : request->envid,
                .uid = ENVELOPE_NO_UID,
                .flags = (request->flags & FLAGS_KEPT) | ENVELOPE_FORWARDED,
                .ret = is_list ? ENVELOPE_RET_NONE : (EnvelopeRet)request->ret,
        };

        return mail_client_begin(sending->conn, &envelope);
}

static int send_recipients(const Sending *sending) {
        const DeliveryRecipient *from = sending->source->recipient;
        Str rest = buf_str(&sending->message->recipients);
        Recipient recipient = { 0 };
        int r = 0;

        if (!sending->message->is_list)
                recipient = (Recipient){
                        .original = from->original,
                        .orcpt = from->orcpt,
                        .notify = from->notify,
                };
        while (r == 0 && str_next_part(&rest, '\n', &recipient.address))
                if (!str_is_empty(recipient.address))
                        r = mail_client_add_recipient(sending->conn, &recipient);
        return r;
}

static int append_trace(const Sending *sending, Buf *text) {
        const Config *config = sending->source->settings->config;

        (void)buf_printf(text, "Received: by %s (%s)\n\tid %s; ",
                         config_string(config, PARAM_myhostname),
                         config_string(config, PARAM_mail_name), sending->id.text);
        (void)header_append_date(text, sending->now_usec);
        (void)buf_append_char(text, '\n');
        return text->error;
}

/* In lower case, as Postfix has it here and nowhere else. */
static int append_delivered_to(const Sending *sending, Buf *text) {
        Buf folded _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Str delivered = buf_str(&sending->message->delivered);

        for (size_t i = 0; i < delivered.len; i++)
                (void)buf_append_char(&folded, ascii_to_lower(delivered.data[i]));
        return folded.error ? folded.error : copy_append_delivered_to(buf_str(&folded), text);
}

static int send_content(const Sending *sending) {
        Buf trace _cleanup_(buf_deinit) = BUF_INIT(COPY_HEADER_MAX);
        const CopyEnvelope nothing = { 0 };
        Str piece;
        int r;

        r = append_trace(sending, &trace);
        if (r == 0 && sending->source->prepend_delivered)
                r = append_delivered_to(sending, &trace);
        if (r == 0)
                r = mail_client_add_content(sending->conn, buf_str(&trace));
        if (r == 0)
                r = copy_begin(sending->source->memory, sending->source->delivery, &nothing);
        if (r == 0)
                r = copy_next(sending->source->memory,
                              &piece); /* the lines in front: not for a queue */
        while (r == 0) {
                r = copy_next(sending->source->memory, &piece);
                if (r != 0 || str_is_empty(piece))
                        break;
                r = mail_client_add_content(sending->conn, piece);
        }
        return r;
}

static void set_later(Dsn *dsn, const char *why) {
        dsn_set(dsn, DSN_DEFERRED, "4.3.0", "cannot forward: %s", why);
}

static void set_result(const MailResult *result, Dsn *dsn) {
        Buf code _cleanup_(buf_deinit) = BUF_INIT(DSN_CODE_MAX + 1);

        if (result->status == MAIL_ACCEPTED) {
                dsn_set(dsn, DSN_SENT, "2.0.0", "forwarded as %.*s", STR_FMT(result->queue_id));
                return;
        }
        if (dsn_code_is_valid(result->dsn))
                (void)buf_append_str(&code, result->dsn);
        dsn_set(dsn, result->status == MAIL_REFUSED ? DSN_BOUNCED : DSN_DEFERRED,
                code.len > 0                     ? buf_cstr(&code)
                : result->status == MAIL_REFUSED ? "5.3.0"
                                                 : "4.3.0",
                "cannot forward: %.*s", STR_FMT(result->text));
}

static int send_message(Sending *sending, MailResult *ret) {
        int r;

        ipc_conn_set_timeout(sending->conn, MESSAGE_TIMEOUT_USEC);
        r = send_envelope(sending);
        if (r == 0)
                r = send_recipients(sending);
        if (r == 0)
                r = send_content(sending);
        return r == 0 ? mail_client_finish(sending->conn, ret) : r;
}

void forward_send(const ForwardSource *source, ForwardMessage *message, Dsn *dsn) {
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        Sending sending = {
                .source = source,
                .message = message,
                .now_usec = clock_realtime_usec(),
        };
        MailResult result;
        int r;

        message->is_closed = true;
        sending.id = queue_id_new(sending.now_usec);
        r = ipc_conn_connect("cleanup", "cleanup", HELLO_TIMEOUT_USEC, &conn);
        sending.conn = conn;
        if (r == 0)
                r = send_message(&sending, &result);
        if (r == 0)
                set_result(&result, dsn);
        else
                set_later(dsn,
                          r == COPY_E_SOURCE ? "queue file cannot be read" : ipc_error_name(r));
}
