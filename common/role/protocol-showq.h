#pragma once

/*
 * postqueue, mailq -> showq.
 *
 *   client  MESSAGE showq-request, END
 *   showq   for "list":  MESSAGE showq-message, MESSAGE showq-recipient ..., ... , END
 *           for "flush": MESSAGE showq-result, END
 */

#include "common/mail/dsn.h"
#include "common/mail/envelope.h"
#include "common/mail/queue-id.h"
#include "common/role/ipc-conn.h"

#define SHOWQ_NAME_MAX 255 /* bytes of a file's name: in corrupt/ they are not always IDs */

typedef struct ShowqRequest {
        Str verb;     /* "list", "flush", "flush-one" */
        Str queue_id; /* for flush-one */
} ShowqRequest;

typedef struct ShowqMessage {
        Str queue_name; /* maildrop, incoming, active, deferred, hold, corrupt */
        Str queue_id;
        uint64_t arrival_usec;
        uint64_t size;
        Str sender;
} ShowqMessage;

/* Recipients still to be served; belongs to the message before. */
typedef struct ShowqRecipient {
        Str address;
        Str reason; /* last diagnosis, or empty */
} ShowqRecipient;

typedef struct ShowqResult {
        uint32_t ok;
        Str text; /* why not */
} ShowqResult;

extern const IpcSchema showq_request_schema;
extern const IpcSchema showq_message_schema;
extern const IpcSchema showq_recipient_schema;
extern const IpcSchema showq_result_schema;
