/*
 * Any bytes as the payload of each message there is: what the reader takes is within the bounds of
 * its table, and the writer writes it again so that it reads back the same.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/base/macro.h"
#include "common/role/ipc-message.h"
#include "common/role/protocol-delivery.h"
#include "common/role/protocol-mail.h"
#include "common/role/protocol-queue.h"
#include "common/role/protocol-showq.h"
#include "common/role/protocol-tables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef union Any {
        Envelope envelope;
        Recipient recipient;
        MailResult mail_result;
        DeliveryRequest delivery_request;
        DeliveryRecipient delivery_recipient;
        DeliveryOutcome delivery_outcome;
        NoticeRequest notice_request;
        NoticeResult notice_result;
        ShowqRequest showq_request;
        ShowqMessage showq_message;
        ShowqRecipient showq_recipient;
        ShowqResult showq_result;
        TablesRequest tables_request;
        TablesResult tables_result;
} Any;

static void check_fields(const IpcSchema *schema, const Any *a, const Any *b) {
        for (size_t i = 0; i < schema->n_fields; i++) {
                const IpcField *field = &schema->fields[i];
                const void *x = (const char *)a + field->offset;
                const void *y = (const char *)b + field->offset;

                switch (field->type) {
                case IPC_STR:
                        if (((const Str *)x)->len > field->max ||
                            !str_equal(*(const Str *)x, *(const Str *)y))
                                abort();
                        break;
                case IPC_U64:
                        if (*(const uint64_t *)x > field->max ||
                            *(const uint64_t *)x != *(const uint64_t *)y)
                                abort();
                        break;
                case IPC_U32:
                        if (*(const uint32_t *)x > field->max ||
                            *(const uint32_t *)x != *(const uint32_t *)y)
                                abort();
                        break;
                }
        }
}

static void try_schema(Str payload, const IpcSchema *schema) {
        _cleanup_(buf_deinit) Buf again = BUF_INIT(1 << 20);
        Any first, second;

        if (ipc_message_parse(payload, schema, &first) != 0)
                return;
        if (!str_equal(ipc_message_name(payload), str_from_cstr(schema->name)))
                abort();
        if (ipc_message_append(&again, schema, &first) != 0 ||
            ipc_message_parse(str_skip(buf_str(&again), IPC_FRAME_HEADER_BYTES), schema, &second) !=
                    0)
                abort();
        check_fields(schema, &first, &second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static const IpcSchema *const schemas[] = {
                &mail_envelope_schema,    &mail_recipient_schema,     &mail_result_schema,
                &delivery_request_schema, &delivery_recipient_schema, &delivery_outcome_schema,
                &notice_request_schema,   &notice_result_schema,      &showq_request_schema,
                &showq_message_schema,    &showq_recipient_schema,    &showq_result_schema,
                &tables_request_schema,   &tables_result_schema,
        };
        Str payload = str_from((const char *)data, size);
        QmgrCommand command;
        QueueId id;

        if (size > IPC_FRAME_MAX_BYTES)
                return 0;
        for (size_t i = 0; i < ARRAY_LEN(schemas); i++)
                try_schema(payload, schemas[i]);
        (void)ipc_hello_parse(payload, STR("cleanup"));
        (void)qmgr_command_parse(payload, &command, &id);
        return 0;
}
