#pragma once

/*
 * Mailing on: destinations of a .forward, of an alias with an owner, of an :include:, and addresses
 * of other machines get the message as a new one, through cleanup, so that each has its own state
 * in the queue. It begins with "Received:" and "Delivered-To:", by which a loop is found.
 */

#include "common/base/buf.h"
#include "common/mail/queue-id.h"
#include "services/local/copy.h"
#include "services/local/settings.h"

/* Bytes of addresses that one attempt collects. An :include: may hold a large list. */
#define FORWARD_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* Messages from one attempt: one for each pair of sender and Delivered-To. */
#define FORWARD_MESSAGES_MAX 100

typedef struct ForwardMessage {
        bool is_closed; /* was sent: gets no further recipient */
        bool is_list;   /* RFC 3461 5.2.7.3: members get none of the submitter's DSN parameters */
        Buf sender;
        Buf delivered;
        Buf recipients; /* addresses, each with a line end behind it */
} ForwardMessage;

typedef struct Forwards {
        ForwardMessage *messages;
        size_t n_messages;
} Forwards;

/* Where one recipient's mail comes from. */
typedef struct ForwardFrom {
        Str sender;
        Str delivered;
        bool is_list;
} ForwardFrom;

/* Collect one recipient. 0, BUF_E_FULL (too many), -ENOMEM. */
int forwards_add(Forwards *forwards, const ForwardFrom *from, Str address);
void forwards_deinit(Forwards *forwards);

/* Where the messages of one attempt come from. All borrowed. */
typedef struct ForwardSource {
        const Settings *settings;
        const Delivery *delivery;           /* whose content is mailed on */
        const DeliveryRecipient *recipient; /* whose DSN parameters go with it */
        Copy *memory;                       /* not in use */
        bool prepend_delivered;             /* prepend_delivered_header has "forward" */
} ForwardSource;

/*
 * Queue MESSAGE. The outcome is DSN: "sent" once it is on disk (the text has its queue ID),
 * "deferred" for all faults of this machine, "bounced" when cleanup will never take it.
 */
void forward_send(const ForwardSource *source, ForwardMessage *message, Dsn *dsn);
