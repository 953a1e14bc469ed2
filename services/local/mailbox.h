#pragma once

/*
 * Put one message into one user's mailbox, a file or a Maildir, or leave it as it was. "delivered"
 * is said only after fdatasync(2): qmgr forgets the recipient on that word. Whatever fails
 * half-way, the file is cut back to its old size; where a killed deliverer could not do that, the
 * next one does (mailbox-lock.h).
 */

#include "common/base/buf.h"
#include "common/mail/dsn.h"
#include "common/role/config.h"
#include "common/role/protocol-delivery.h"
#include "services/local/biff.h"
#include "services/local/copy.h"
#include "services/local/identity.h"
#include "services/local/mailbox-lock.h"

/* What is the same for all deliveries of a worker. */
typedef struct Mailboxes {
        const char *spool_directory; /* borrowed; ends in '/': each mailbox in it is a Maildir */
        const char *home_mailbox;    /* borrowed; relative to a home; "": the spool is used */
        const char *hostname;        /* borrowed; last part of names in a Maildir */
        uint64_t size_limit_bytes;   /* of an mbox, or of one message in a Maildir; 0: none */
        unsigned delivered_to_kinds; /* COPY_KIND_*: prepend_delivered_header */
        bool strict_ownership;
        MailboxLockRules lock;
        Biff biff;

        /* Memory that is used again. */
        Copy copy;
        Buf out;
} Mailboxes;

typedef enum MailboxKind {
        /*
         * The user's in mail_spool_directory. Made and locked in the group of that directory, where
         * a group may write to it. The lock file is a must. biff is told.
         */
        MAILBOX_SPOOL,
        /* The user's home_mailbox: as above, all with the user's own ids. */
        MAILBOX_HOME,
        /*
         * A destination "/file" of an alias, .forward or :include:. Whoever may write to it may
         * deliver to it (strict_mailbox_ownership is not asked); goes without the lock file where
         * the directory may not be written. /dev/null, and no other device, is a destination.
         */
        MAILBOX_FILE,
} MailboxKind;

typedef struct MailboxTarget {
        MailboxKind kind;
        const char *path;          /* absolute; ends in '/': a Maildir */
        const LocalRights *rights; /* whose ids; its name stands in texts, and is told to biff */
} MailboxTarget;

/*
 * Read the settings into a zeroed MAILBOXES. CONFIG must outlive it. 0, or -EINVAL (logged): a word
 * in a list is none of its words.
 */
int mailboxes_init(Mailboxes *mailboxes, const Config *config);
void mailboxes_deinit(Mailboxes *mailboxes);

/*
 * Append the path of USER's mailbox in the spool, or of the home_mailbox in HOME (absolute), as a
 * target wants it. 0, BUF_E_FULL, -ENOMEM.
 */
int mailbox_append_spool_path(const Mailboxes *mailboxes, const char *user, Buf *out);
int mailbox_append_home_path(const Mailboxes *mailboxes, const char *home, Buf *out);

/*
 * Deliver DELIVERY's message to TARGET. ENVELOPE says what stands in front; its flags are set here
 * (a From_ line for a file, Delivered-To as prepend_delivered_header has it). As root (identity.h);
 * the ids are root's again afterwards. The outcome is DSN, always set:
 *
 *   2.0.0 sent       delivered to mailbox | delivered to maildir | delivered to file: PATH
 *   4.2.0 deferred   locked by somebody else, wrong owner, any other trouble with the file
 *   4.2.2 deferred   disk quota of the user
 *   4.3.0 deferred   disk full, spool directory or queue file unreadable
 *   5.2.0 bounced    the mailbox is no regular file with one name
 *                    MAILBOX_FILE may not be written there, and no home is away
 *   5.2.2 bounced    mailbox_size_limit
 *   5.7.1 bounced    MAILBOX_FILE is executable
 *
 * Loops (Delivered-To) are the caller's to stop: copy_list_delivered_to().
 */
void mailbox_deliver(Mailboxes *mailboxes, const MailboxTarget *target, const Delivery *delivery,
                     const CopyEnvelope *envelope, Dsn *dsn);
