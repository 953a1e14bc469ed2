/*
 * The agent's side reads the request whole before it does anything, into one bounded buffer, so
 * that a queue manager that dies halfway causes no delivery. Recipients are kept in the form in
 * which they came and decoded again one by one.
 */

#include "common/role/protocol-delivery.h"

#include "common/base/macro.h"
#include "common/role/delivery-log.h"

#define NEXTHOP_MAX 1024
#define HANDLE_MAX  UINT64_MAX
#define KIND_MAX    32

/* Most bytes of one recipient's frame: three addresses and the names around them. */
#define RECIPIENT_MAX_BYTES (IPC_FRAME_HEADER_BYTES + 3 * ENVELOPE_ADDRESS_MAX + 256)

static const IpcField request_fields[] = {
        { "queue-id", IPC_STR, offsetof(DeliveryRequest, queue_id), QUEUE_ID_LEN },
        { "nexthop", IPC_STR, offsetof(DeliveryRequest, nexthop), NEXTHOP_MAX },
        { "sender", IPC_STR, offsetof(DeliveryRequest, sender), ENVELOPE_ADDRESS_MAX },
        { "envid", IPC_STR, offsetof(DeliveryRequest, envid), ENVELOPE_TEXT_MAX },
        { "arrival", IPC_U64, offsetof(DeliveryRequest, arrival_usec), UINT64_MAX },
        { "active", IPC_U64, offsetof(DeliveryRequest, active_usec), UINT64_MAX },
        { "content-offset", IPC_U64, offsetof(DeliveryRequest, content_offset), INT64_MAX },
        { "content-size", IPC_U64, offsetof(DeliveryRequest, content_size), INT64_MAX },
        { "flags", IPC_U32, offsetof(DeliveryRequest, flags), ENVELOPE_FLAGS_ALL },
        { "ret", IPC_U32, offsetof(DeliveryRequest, ret), ENVELOPE_RET_FULL },
};
const IpcSchema delivery_request_schema = IPC_SCHEMA("delivery", request_fields);

static const IpcField recipient_fields[] = {
        { "handle", IPC_U64, offsetof(DeliveryRecipient, handle), HANDLE_MAX },
        { "address", IPC_STR, offsetof(DeliveryRecipient, address), ENVELOPE_ADDRESS_MAX },
        { "original", IPC_STR, offsetof(DeliveryRecipient, original), ENVELOPE_ADDRESS_MAX },
        { "orcpt", IPC_STR, offsetof(DeliveryRecipient, orcpt), ENVELOPE_ADDRESS_MAX },
        { "notify", IPC_U32, offsetof(DeliveryRecipient, notify), RECIPIENT_NOTIFY_ALL },
};
const IpcSchema delivery_recipient_schema = IPC_SCHEMA("delivery-recipient", recipient_fields);

static const IpcField outcome_fields[] = {
        { "handle", IPC_U64, offsetof(DeliveryOutcome, handle), HANDLE_MAX },
        { "status", IPC_U32, offsetof(DeliveryOutcome, status), DSN_BOUNCED },
        { "code", IPC_STR, offsetof(DeliveryOutcome, code), DSN_CODE_MAX },
        { "text", IPC_STR, offsetof(DeliveryOutcome, text), DSN_TEXT_MAX },
        { "relay", IPC_STR, offsetof(DeliveryOutcome, relay), DSN_RELAY_MAX },
};
const IpcSchema delivery_outcome_schema = IPC_SCHEMA("delivery-outcome", outcome_fields);

static const IpcField notice_request_fields[] = {
        { "queue-id", IPC_STR, offsetof(NoticeRequest, queue_id), QUEUE_ID_LEN },
        { "kind", IPC_STR, offsetof(NoticeRequest, kind), KIND_MAX },
        { "code", IPC_STR, offsetof(NoticeRequest, code), DSN_CODE_MAX },
        { "text", IPC_STR, offsetof(NoticeRequest, text), DSN_TEXT_MAX },
        { "recipient", IPC_STR, offsetof(NoticeRequest, recipient), ENVELOPE_ADDRESS_MAX },
        { "original", IPC_STR, offsetof(NoticeRequest, original), ENVELOPE_ADDRESS_MAX },
        { "orcpt", IPC_STR, offsetof(NoticeRequest, orcpt), ENVELOPE_ADDRESS_MAX },
        { "sender", IPC_STR, offsetof(NoticeRequest, sender), ENVELOPE_ADDRESS_MAX },
        { "notify", IPC_U32, offsetof(NoticeRequest, notify), RECIPIENT_NOTIFY_ALL },
};
const IpcSchema notice_request_schema = IPC_SCHEMA("notice", notice_request_fields);

static const IpcField notice_result_fields[] = {
        { "ok", IPC_U32, offsetof(NoticeResult, ok), 1 },
        { "notice-id", IPC_STR, offsetof(NoticeResult, notice_id), QUEUE_ID_LEN },
        { "text", IPC_STR, offsetof(NoticeResult, text), DSN_TEXT_MAX },
};
const IpcSchema notice_result_schema = IPC_SCHEMA("notice-result", notice_result_fields);

/* ---- the agent's side ---- */

/* Receive the next frame of the request and append it whole. *RET_END: it was END. */
static int receive_into(IpcConn *conn, Buf *frames, bool *ret_end) {
        IpcFrame frame;
        int r;

        r = ipc_conn_receive(conn, &frame);
        if (r != 0)
                return r;
        *ret_end = frame.type == IPC_FRAME_END;
        if (*ret_end)
                return 0;
        if (frame.type != IPC_FRAME_MESSAGE)
                return IPC_E_PROTOCOL;
        r = ipc_frame_append(frames, frame.type, frame.payload);
        return r == BUF_E_FULL ? IPC_E_PROTOCOL : r;
}

/* Split the first message off *FRAMES and decode it. */
static int next_message(Str *frames, const IpcSchema *schema, void *data) {
        IpcFrame frame;
        size_t size;
        int r;

        r = ipc_frame_parse(*frames, &frame, &size);
        if (r != 0)
                return IPC_E_PROTOCOL;
        *frames = str_skip(*frames, size);
        return ipc_message_parse(frame.payload, schema, data);
}

/* Check every recipient before the first is delivered. */
static int check_recipients(Str frames, size_t recipients_max) {
        size_t n = 0;

        while (frames.len > 0) {
                DeliveryRecipient recipient;
                int r;

                r = next_message(&frames, &delivery_recipient_schema, &recipient);
                if (r != 0)
                        return r;
                if (++n > recipients_max)
                        return IPC_E_PROTOCOL;
        }
        return n > 0 ? 0 : IPC_E_PROTOCOL;
}

static int send_outcome(IpcConn *conn, uint64_t handle, const Dsn *dsn, bool is_last) {
        DeliveryOutcome outcome = {
                .handle = handle,
                .status = dsn->status,
                .code = str_from_cstr(dsn->code),
                .text = str_from_cstr(dsn->text),
                .relay = str_from_cstr(dsn->relay),
        };
        int r;

        r = ipc_conn_send_message(conn, &delivery_outcome_schema, &outcome);
        if (r != 0)
                return r;
        return is_last ? ipc_conn_send_end(conn) : ipc_conn_flush(conn);
}

/* Bytes of the frames of a request. The clamp keeps a caller's "no limit" from wrapping around. */
static size_t request_max_bytes(size_t recipients_max) {
        return IPC_FRAME_MAX_BYTES + size_min(recipients_max, 100000) * RECIPIENT_MAX_BYTES;
}

int delivery_serve(IpcConn *conn, size_t recipients_max, DeliverRecipient deliver, void *context) {
        _cleanup_(buf_deinit) Buf frames = BUF_INIT(request_max_bytes(recipients_max));
        _cleanup_(fd_closep) int fd = -1;
        static uint64_t n_deliveries;
        Delivery delivery;
        bool end = false;
        Str rest;
        int r;

        while (!end) {
                r = receive_into(conn, &frames, &end);
                if (r != 0)
                        return r;
        }
        fd = ipc_conn_take_fd(conn);
        rest = buf_str(&frames);
        r = next_message(&rest, &delivery_request_schema, &delivery.request);
        if (r != 0)
                return r;
        r = check_recipients(rest, recipients_max);
        if (r != 0)
                return r;
        if (fd < 0)
                return IPC_E_PROTOCOL;
        delivery.message_fd = fd;
        delivery.serial = ++n_deliveries;
        while (rest.len > 0) {
                DeliveryTimes times = { .started_usec = clock_realtime_usec() };
                DeliveryRecipient recipient;
                Dsn dsn = { .status = DSN_DEFERRED };
                bool logged;

                (void)next_message(&rest, &delivery_recipient_schema, &recipient);
                logged = deliver(context, &delivery, &recipient, &dsn);
                times.ended_usec = clock_realtime_usec();
                if (!logged)
                        delivery_log(&delivery.request, &recipient, &dsn, &times);
                r = send_outcome(conn, recipient.handle, &dsn, rest.len == 0);
                if (r != 0)
                        return r;
        }
        return 0;
}
