#pragma once

/*
 * One message on its way through cleanup, as a MailSink: what becomes of it is decided here, and
 * said to the client by finish().
 */

#include "common/mail/queue-file.h"
#include "common/mail/queue.h"
#include "common/role/protocol-mail.h"
#include "services/cleanup/content.h"
#include "services/cleanup/duplicate.h"
#include "services/cleanup/settings.h"

typedef struct Message {
        const Settings *settings; /* of the worker; outlives the message */

        bool begun;
        QueueId id;
        uint32_t flags; /* ENVELOPE_* */
        Buf sender;     /* canonical */
        Buf full_name;
        Content *content;
        QueueFileWriter *writer;
        DuplicateFilter duplicates;
        uint64_t n_named; /* recipients that the client named, aliases not expanded */

        MailResult result; /* once something is decided against it */
        char reason[256];  /* what result.text may point to */
} Message;

#define MESSAGE_RECIPIENTS_MAX 1000000 /* in one message; they are in no memory of ours */

extern const MailSink message_sink; /* userdata: Message */

/* An empty one; SETTINGS are borrowed. Allocates nothing, cannot fail. */
void message_init(Message *message, const Settings *settings);

/* Free it; a file that was not committed is gone. */
void message_deinit(Message *message);

/*
 * Decide against it, for the steps of message*.c. Each logs, sets message->result, and returns
 * what a step returns to end the message: MESSAGE_STOP.
 */
enum {
        MESSAGE_STOP = 1
};
/* The message's own fault: it will be returned. */
int message_refuse(Message *message, const char *dsn, const char *text);
/* Our fault, or the disk's: it stays where it is and comes again. R is a negative errno. */
int message_fail(Message *message, const char *what, int r);
/* Likewise, for something that is wrong with tables: WHY is for the log, TEXT for the client. */
int message_fail_lookup(Message *message, const char *log_id, Str why, const char *dsn,
                        const char *text);
/* R is what a function of the queue file's writer said. */
int message_fail_write(Message *message, int r);

/* ---- message-address.c ---- */

/* The sender, in canonical form; message->sender is set. 0, MESSAGE_STOP. */
int message_set_sender(Message *message, Str address);

/* What automatic copies the sender asks for: once the file is open. 0, MESSAGE_STOP. */
int message_add_sender_copies(Message *message);

/* One recipient: canonical, aliases expanded, no duplicates, with its copies. 0, MESSAGE_STOP. */
int message_add_recipient(Message *message, const Recipient *received);

/* $always_bcc, after all recipients. 0, MESSAGE_STOP. */
int message_add_always_bcc(Message *message);

/* Log that the client went away before the end, when there was a beginning. */
void message_log_canceled(const Message *message);
