#pragma once

/*
 * Append one message to one user's mailbox, or leave the mailbox as it was. "delivered" is said
 * only after fdatasync(2): qmgr forgets the recipient on that word. Whatever fails half-way, the
 * mailbox is cut back to its old size.
 */

#include "common/base/buf.h"
#include "common/mail/dsn.h"
#include "common/role/protocol-delivery.h"
#include "services/local/mailbox-lock.h"
#include "services/local/user.h"

#define MAILBOX_BLOCK_BYTES (64 * 1024)

typedef struct Mailboxes {
        const char *spool_directory; /* borrowed */
        uint64_t size_limit_bytes;   /* 0: none */
        MailboxLockRules lock;

        /* Memory of a worker, used again for every delivery. */
        char block[MAILBOX_BLOCK_BYTES]; /* message content as read */
        Buf out;                         /* what is to be written; BUF_INIT(MAILBOX_BLOCK_BYTES) */
} Mailboxes;

/*
 * Deliver to spool_directory/USER->name with USER's ids. The outcome is DSN, always set:
 *
 *   2.0.0 sent       delivered to mailbox
 *   4.2.0 deferred   locked by somebody else, wrong owner, any other trouble with the file
 *   4.2.2 deferred   disk quota of the user
 *   4.3.0 deferred   disk full, spool directory or queue file unreadable
 *   5.2.0 bounced    the mailbox is no regular file with one name
 *   5.2.2 bounced    mailbox_size_limit
 *   5.4.6 bounced    the message has been delivered to this address before
 */
void mailbox_deliver(Mailboxes *mailboxes, const LocalUser *user, const Delivery *delivery,
                     const DeliveryRecipient *recipient, Dsn *dsn);
