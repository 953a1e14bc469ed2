#pragma once

/* One message from a local user on its way into maildrop/, as a MailSink. */

#include "common/mail/queue-file.h"
#include "common/mail/queue.h"
#include "common/role/config.h"
#include "common/role/protocol-mail.h"

typedef struct Submission {
        const Config *config; /* of the worker; outlives the submission */
        const Queue *queue;
        uid_t uid; /* of the peer, from the kernel */

        bool begun;
        QueueId id;
        QueueFileWriter *writer;
        uint64_t n_bytes; /* of recipients and content, against message_size_limit */

        MailResult result; /* once something is decided against it */
        char reason[128];  /* what result.text may point to */
} Submission;

extern const MailSink submission_sink; /* userdata: Submission */

/* An empty one; CONFIG and QUEUE are borrowed. Allocates nothing, cannot fail. */
void submission_init(Submission *submission, const Config *config, const Queue *queue, uid_t uid);

/* Free it; a file that was not committed is gone. */
void submission_deinit(Submission *submission);

/* Log that the client went away before the end, when there was a beginning. */
void submission_log_canceled(const Submission *submission);
