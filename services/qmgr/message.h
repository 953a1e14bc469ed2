#pragma once

/*
 * A message in active/, as qmgr holds it: what the queue file says, and where each recipient
 * stands. Recipients come into memory in batches; the file is the only truth.
 *
 *   message_new -> message_fetch -> (entries are out) -> message_entry_done ... -> settled()
 *               -> message_fetch of the next batch, or: notice, then defer or remove
 *
 * Knows no transports: entries are given to the owner (MessageHandler), outcomes come back.
 */

#include <stdbool.h>

#include "common/base/hash.h"
#include "common/mail/dsn.h"
#include "common/mail/queue-file.h"
#include "common/mail/queue.h"
#include "common/role/protocol-delivery.h"

typedef struct Message Message;
typedef struct Entry Entry;

/* One recipient that is in memory. Owned by whoever has it: a destination, then a delivery. */
struct Entry {
        Message *message;
        DeliveryRecipient recipient; /* slices into text and resolved */
        char *resolved;              /* its address where that is not the queue file's; or NULL */
        void *destination;           /* the owner's */
        Entry *prev, *next;          /* the owner's list */
        char text[];
};

/* NULL is fine. */
Entry *entry_free(Entry *entry);

/* It goes to ADDRESS (copied), a shorter way to say the same. 0, -ENOMEM. */
int entry_set_address(Entry *entry, Str address);

typedef struct MessageHandler {
        /* A recipient to be delivered; the callee owns ENTRY until message_entry_done(). */
        void (*entry_ready)(void *userdata, Entry *entry);
        /*
         * No entry is out: look at error, fetched_all and the counts, and decide. May come from
         * inside message_fetch() and message_entry_done(), more than once: only take a note.
         */
        void (*settled)(void *userdata, Message *message);
} MessageHandler;

/* What bounce is to tell the sender. */
typedef enum MessageNotice {
        MESSAGE_NOTICE_FAILURE, /* recipients that are RECIPIENT_FAILED */
        MESSAGE_NOTICE_DELAY,   /* those that are still RECIPIENT_TODO */
} MessageNotice;

struct Message {
        QueueId id;
        const Queue *queue;
        const MessageHandler *handler;
        void *userdata;
        DeliveryRequest request; /* what agents are told; slices into text and id */
        int spare_fd;            /* open for reading, for the first delivery; -1 when used */
        int mark_fd;             /* open for writing once a mark was needed; -1 */
        QueueFile *file;         /* NULL when all recipients were read */
        uint64_t cursor;
        bool fetched_all;
        bool expired;
        bool delay_noticed;   /* the sender knows that it is late, or does not want to */
        MessageNotice notice; /* while it waits for bounce */
        bool settled_queued;
        int error;         /* fetch failed: QUEUE_FILE_E_CORRUPT or negative errno */
        unsigned n_out;    /* entries in memory */
        unsigned n_failed; /* recipients in RECIPIENT_FAILED */
        unsigned n_deferred;
        Message *prev, *next; /* the owner's: a settled message is in one list */
        UT_hash_handle hh;
        char text[];
};

/* Take over FILE and FD (open read-only) of active/ID. */
int message_new(const Queue *queue, const QueueId *id, QueueFile *file, int fd,
                const MessageHandler *handler, void *userdata, Message **ret);
Message *message_free(Message *message);
DEFINE_CLEANUP(Message, message_free)

/*
 * Bring at most LIMIT more recipients into memory and hand them out; or be settled at once, with
 * fetched_all or error set.
 */
void message_fetch(Message *message, unsigned limit);

/*
 * The outcome for one recipient, which is freed. Writes it into the queue file, except where the
 * file is about to be removed for being done with. EXPIRED: a deferral is the end. Errors of the
 * file are returned; the outcome counts all the same, but a failure that could not be written
 * counts as a deferral, because nobody would be told of it.
 */
int message_entry_done(Entry *entry, const Dsn *dsn, bool expired);

/* A descriptor for one delivery, open for reading; caller owns it. QUEUE_FILE_E_CORRUPT, -errno. */
int message_open(Message *message, int *ret_fd);

/* It will be a while until the first delivery: keep no file open for it. */
void message_close_spare(Message *message);

/*
 * Every recipient in state FROM gets state TO: FAILED ones are RETURNED when the notice is on disk.
 * 0, QUEUE_FILE_E_CORRUPT, -errno.
 */
int message_mark_all(Message *message, RecipientState from, RecipientState to);

/* The notice of the delay is on disk, or none is due: keep that in the file. Results as above. */
int message_mark_delay_noticed(Message *message);
