#include "common/role/protocol-showq.h"

#define NAME_MAX_BYTES 32

static const IpcField request_fields[] = {
        { "verb", IPC_STR, offsetof(ShowqRequest, verb), NAME_MAX_BYTES },
        { "queue-id", IPC_STR, offsetof(ShowqRequest, queue_id), QUEUE_ID_LEN },
};
const IpcSchema showq_request_schema = IPC_SCHEMA("showq-request", request_fields);

static const IpcField message_fields[] = {
        { "queue", IPC_STR, offsetof(ShowqMessage, queue_name), NAME_MAX_BYTES },
        { "queue-id", IPC_STR, offsetof(ShowqMessage, queue_id), SHOWQ_NAME_MAX },
        { "arrival", IPC_U64, offsetof(ShowqMessage, arrival_usec), UINT64_MAX },
        { "size", IPC_U64, offsetof(ShowqMessage, size), UINT64_MAX },
        { "sender", IPC_STR, offsetof(ShowqMessage, sender), ENVELOPE_ADDRESS_MAX },
};
const IpcSchema showq_message_schema = IPC_SCHEMA("showq-message", message_fields);

static const IpcField recipient_fields[] = {
        { "address", IPC_STR, offsetof(ShowqRecipient, address), ENVELOPE_ADDRESS_MAX },
        { "reason", IPC_STR, offsetof(ShowqRecipient, reason), DSN_TEXT_MAX },
};
const IpcSchema showq_recipient_schema = IPC_SCHEMA("showq-recipient", recipient_fields);

static const IpcField result_fields[] = {
        { "ok", IPC_U32, offsetof(ShowqResult, ok), 1 },
        { "text", IPC_STR, offsetof(ShowqResult, text), DSN_TEXT_MAX },
};
const IpcSchema showq_result_schema = IPC_SCHEMA("showq-result", result_fields);
