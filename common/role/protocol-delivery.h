#pragma once

/*
 * qmgr -> delivery agent, one message and some of its recipients; and whoever has to tell a
 * sender -> bounce.
 *
 *   qmgr    MESSAGE delivery (+ descriptor of the queue file, read-only), MESSAGE
 *           delivery-recipient ..., END
 *   agent   MESSAGE delivery-outcome ... (one per recipient, any order, each as soon as it is
 *           known), END
 *
 *   qmgr, pickup, local
 *           MESSAGE notice (+ descriptor of the queue file), END
 *   bounce  MESSAGE notice-result, END
 *
 * End of connection before END: unanswered recipients are deferred, no notice was made.
 */

#include "common/mail/dsn.h"
#include "common/mail/envelope.h"
#include "common/mail/queue-id.h"
#include "common/role/ipc-conn.h"

typedef struct DeliveryRequest {
        Str queue_id;
        Str nexthop;
        Str sender;
        Str envid; /* RFC 3461 ENVID, xtext, for agents that hand the message on; or empty */
        uint64_t arrival_usec;
        uint64_t active_usec; /* wall clock, when it entered active/ */
        uint64_t content_offset;
        uint64_t content_size;
        uint32_t flags; /* ENVELOPE_* */
        uint32_t ret;   /* EnvelopeRet */
} DeliveryRequest;

typedef struct DeliveryRecipient {
        uint64_t handle; /* qmgr's, to be given back */
        Str address;
        Str original;
        Str orcpt;
        uint32_t notify;
} DeliveryRecipient;

typedef struct DeliveryOutcome {
        uint64_t handle;
        uint32_t status; /* DsnStatus */
        Str code;
        Str text;
        Str relay;
} DeliveryOutcome;

/*
 * What a notice is about, by its kind:
 *
 *   failure   recipients that are RECIPIENT_FAILED in the queue file, each with its own diagnosis
 *   refused   all recipients, with CODE and TEXT (pickup, when cleanup will not have a message that
 *             postdrop has acknowledged)
 *   one       RECIPIENT, with CODE and TEXT, whatever the queue file says of its recipients: where
 *             an alias led, and who answers for that is not who sent the message (local)
 *   delay     recipients that are RECIPIENT_TODO, each with its own diagnosis
 *
 * It goes to the sender of the message; "one" to SENDER where that is not empty. That replaces a
 * person only: of a message from the null sender, or from $double_bounce_sender, SENDER hears no
 * more than anybody else (services/bounce/bounce.h).
 */
typedef struct NoticeRequest {
        Str queue_id;
        Str kind;
        Str code; /* 5.x.x; as TEXT of no meaning where recipients have their own */
        Str text;
        Str recipient; /* this and what follows: "one" only */
        Str original;
        Str orcpt;
        Str sender;
        uint32_t notify; /* RECIPIENT_NOTIFY_* of RECIPIENT; 0: not given */
} NoticeRequest;

typedef struct NoticeResult {
        uint32_t ok;   /* 1: the notice is on disk, or none is due; 0: try again */
        Str notice_id; /* of the notice's own queue file; empty when none was due */
        Str text;      /* why not */
} NoticeResult;

extern const IpcSchema delivery_request_schema;
extern const IpcSchema delivery_recipient_schema;
extern const IpcSchema delivery_outcome_schema;
extern const IpcSchema notice_request_schema;
extern const IpcSchema notice_result_schema;

/* ---- agents (workers): read a request, call back per recipient, answer ---- */

typedef struct Delivery {
        DeliveryRequest request; /* slices valid during the callback */
        int message_fd;          /* read with pread only */
        uint64_t serial;         /* of all deliveries of this process, from 1; 0: not counted */
} Delivery;

/*
 * Deliver to RECIPIENT and fill *DSN. False: delivery_serve() is to log the outcome. True: that was
 * done already, by an agent that has more to say than one line (an alias: one for each of its
 * destinations).
 */
typedef bool (*DeliverRecipient)(void *context, const Delivery *delivery,
                                 const DeliveryRecipient *recipient, Dsn *dsn);

/*
 * Serve one delivery on CONN: the request is read whole, DELIVER is called once per recipient and
 * its outcome is logged (delivery_log()) and sent at once. At most RECIPIENTS_MAX recipients, else,
 * as for anything malformed and for a request without a descriptor, IPC_E_PROTOCOL before the first
 * delivery. 0, or an error of the connection: outcomes that could not be sent any more will be
 * repeated by qmgr.
 */
int delivery_serve(IpcConn *conn, size_t recipients_max, DeliverRecipient deliver, void *context);
