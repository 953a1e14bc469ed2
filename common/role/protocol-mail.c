/*
 * The server side never stops reading before END, whatever the sink says: so a client that writes
 * without looking gets its answer instead of a broken connection. How much that can be is bounded
 * by the deadline of the connection; nothing is kept.
 */

#include "common/role/protocol-mail.h"

#include "common/mail/dsn.h"
#include "common/mail/queue-id.h"

static const IpcField envelope_fields[] = {
        { "arrival", IPC_U64, offsetof(Envelope, arrival_usec), UINT64_MAX },
        { "queue-id", IPC_STR, offsetof(Envelope, queue_id), QUEUE_ID_LEN },
        { "sender", IPC_STR, offsetof(Envelope, sender), ENVELOPE_ADDRESS_MAX },
        { "full-name", IPC_STR, offsetof(Envelope, full_name), ENVELOPE_TEXT_MAX },
        { "envid", IPC_STR, offsetof(Envelope, envid), ENVELOPE_TEXT_MAX },
        { "uid", IPC_U32, offsetof(Envelope, uid), UINT32_MAX },
        { "flags", IPC_U32, offsetof(Envelope, flags), ENVELOPE_FLAGS_ALL },
        { "ret", IPC_U32, offsetof(Envelope, ret), ENVELOPE_RET_FULL },
};
const IpcSchema mail_envelope_schema = IPC_SCHEMA("envelope", envelope_fields);

static const IpcField recipient_fields[] = {
        { "address", IPC_STR, offsetof(Recipient, address), ENVELOPE_ADDRESS_MAX },
        { "original", IPC_STR, offsetof(Recipient, original), ENVELOPE_ADDRESS_MAX },
        { "orcpt", IPC_STR, offsetof(Recipient, orcpt), ENVELOPE_ADDRESS_MAX },
        { "notify", IPC_U32, offsetof(Recipient, notify), RECIPIENT_NOTIFY_ALL },
};
const IpcSchema mail_recipient_schema = IPC_SCHEMA("recipient", recipient_fields);

static const IpcField result_fields[] = {
        { "status", IPC_U64, offsetof(MailResult, status), MAIL_REFUSED },
        { "queue-id", IPC_STR, offsetof(MailResult, queue_id), QUEUE_ID_LEN },
        { "dsn", IPC_STR, offsetof(MailResult, dsn), DSN_CODE_MAX },
        { "text", IPC_STR, offsetof(MailResult, text), DSN_TEXT_MAX },
};
const IpcSchema mail_result_schema = IPC_SCHEMA("mail-result", result_fields);

/* An enum member is read and written as a uint32_t. */
_Static_assert(sizeof(EnvelopeRet) == sizeof(uint32_t), "EnvelopeRet travels as IPC_U32");

/* ---- client ---- */

int mail_client_begin(IpcConn *conn, const Envelope *envelope) {
        return ipc_conn_send_message(conn, &mail_envelope_schema, envelope);
}

int mail_client_add_recipient(IpcConn *conn, const Recipient *recipient) {
        return ipc_conn_send_message(conn, &mail_recipient_schema, recipient);
}

int mail_client_add_content(IpcConn *conn, Str data) {
        return ipc_conn_send_data(conn, data);
}

int mail_client_finish(IpcConn *conn, MailResult *ret_result) {
        IpcFrame frame;
        int r;

        r = ipc_conn_send_end(conn);
        if (r != 0)
                return r;
        r = ipc_conn_receive(conn, &frame);
        if (r != 0)
                return r;
        if (frame.type != IPC_FRAME_MESSAGE)
                return IPC_E_PROTOCOL;
        return ipc_message_parse(frame.payload, &mail_result_schema, ret_result);
}

/* ---- server ---- */

typedef enum MailStage {
        MAIL_STAGE_ENVELOPE,
        MAIL_STAGE_RECIPIENTS,
        MAIL_STAGE_CONTENT,
} MailStage;

typedef struct MailServer {
        const MailSink *sink;
        void *userdata;
        MailStage stage;
        int code; /* the sink's first refusal */
} MailServer;

static int server_take_envelope(MailServer *server, Str payload) {
        Envelope envelope;
        int r;

        r = ipc_message_parse(payload, &mail_envelope_schema, &envelope);
        if (r != 0)
                return r;
        server->stage = MAIL_STAGE_RECIPIENTS;
        server->code = server->sink->begin(server->userdata, &envelope);
        return 0;
}

static int server_take_recipient(MailServer *server, Str payload) {
        Recipient recipient;
        int r;

        r = ipc_message_parse(payload, &mail_recipient_schema, &recipient);
        if (r == 0 && server->code == 0)
                server->code = server->sink->recipient(server->userdata, &recipient);
        return r;
}

static int server_take_message(MailServer *server, Str payload) {
        switch (server->stage) {
        case MAIL_STAGE_ENVELOPE:
                return server_take_envelope(server, payload);
        case MAIL_STAGE_RECIPIENTS:
                return server_take_recipient(server, payload);
        case MAIL_STAGE_CONTENT:
                break;
        }
        return IPC_E_PROTOCOL;
}

static int server_take_content(MailServer *server, Str data) {
        if (server->stage == MAIL_STAGE_ENVELOPE)
                return IPC_E_PROTOCOL;
        server->stage = MAIL_STAGE_CONTENT;
        if (server->code == 0)
                server->code = server->sink->content(server->userdata, data);
        return 0;
}

/* Read up to END. */
static int server_take_request(MailServer *server, IpcConn *conn) {
        for (;;) {
                IpcFrame frame;
                int r;

                r = ipc_conn_receive(conn, &frame);
                if (r != 0)
                        return r;
                switch (frame.type) {
                case IPC_FRAME_MESSAGE:
                        r = server_take_message(server, frame.payload);
                        break;
                case IPC_FRAME_DATA:
                        r = server_take_content(server, frame.payload);
                        break;
                case IPC_FRAME_END:
                        return server->stage == MAIL_STAGE_ENVELOPE ? IPC_E_PROTOCOL : 0;
                case IPC_FRAME_HELLO:
                        r = IPC_E_PROTOCOL;
                        break;
                }
                if (r != 0)
                        return r;
        }
}

int mail_server_receive(IpcConn *conn, const MailSink *sink, void *userdata) {
        MailServer server = { .sink = sink, .userdata = userdata };
        MailResult result = { .status = MAIL_TRY_AGAIN };
        int r;

        r = server_take_request(&server, conn);
        if (r != 0)
                return r;
        sink->finish(userdata, server.code, &result);
        result.text = str_first(result.text, DSN_TEXT_MAX);
        r = ipc_conn_send_message(conn, &mail_result_schema, &result);
        return r != 0 ? r : ipc_conn_send_end(conn);
}
