#pragma once

/*
 * One message on its way through cleanup, as a MailSink: what becomes of it is decided here, and
 * said to the client by finish().
 */

#include "common/mail/queue-file.h"
#include "common/mail/queue.h"
#include "common/role/config.h"
#include "common/role/protocol-mail.h"
#include "services/cleanup/content.h"
#include "services/cleanup/duplicate.h"

typedef struct Message {
        const Config *config; /* of the worker; outlives the message */
        const Queue *queue;

        bool begun;
        QueueId id;
        Buf sender; /* qualified */
        Buf full_name;
        Content *content;
        QueueFileWriter *writer;
        DuplicateFilter duplicates;

        MailResult result; /* once something is decided against it */
        char reason[128];  /* what result.text may point to */
} Message;

#define MESSAGE_RECIPIENTS_MAX 1000000 /* in one message; they are in no memory of ours */

extern const MailSink message_sink; /* userdata: Message */

/* An empty one; CONFIG and QUEUE are borrowed. Allocates nothing, cannot fail. */
void message_init(Message *message, const Config *config, const Queue *queue);

/* Free it; a file that was not committed is gone. */
void message_deinit(Message *message);

/* Log that the client went away before the end, when there was a beginning. */
void message_log_canceled(const Message *message);
