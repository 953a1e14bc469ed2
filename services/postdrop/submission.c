#include "services/postdrop/submission.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/address.h"
#include "common/mail/log-id.h"

#define STOP 1 /* what the sink's functions say when submission->result is decided */

/* What a user may say of his message; that it is a notice is for bounce to say. */
#define FLAGS_ALLOWED (ENVELOPE_8BITMIME | ENVELOPE_SMTPUTF8 | ENVELOPE_LOCAL_ORIGIN)

/* What a recipient takes in the file besides its texts: without it a million short ones would pass
 * as one megabyte and be thirty, and a thousand more once each has its diagnosis. */
#define RECIPIENT_BYTES 25

#define RECIPIENTS_MAX 1000000 /* in one message; message_size_limit usually comes first */

void submission_init(Submission *submission, const Config *config, const Queue *queue, uid_t uid) {
        *submission = (Submission){ .config = config, .queue = queue, .uid = uid };
}

void submission_deinit(Submission *submission) {
        submission->writer = queue_file_writer_free(submission->writer);
}

/* ---- decisions against a submission ---- */

static int decide(Submission *submission, MailStatus status, const char *dsn, const char *text) {
        submission->result = (MailResult){
                .status = status,
                .dsn = str_from_cstr(dsn),
                .text = str_from_cstr(text),
        };
        return STOP;
}

/* Not logged as trouble: the user is told at once, and can repeat it as often as he likes. */
static int refuse(Submission *submission, const char *dsn, const char *text) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(submission->id.text) };

        log_event(LOG_INFO, LOG_ID_REFUSED, &field, 1, "%s: reject: uid=%u: %s %s",
                  submission->id.text, submission->uid, dsn, text);
        return decide(submission, MAIL_REFUSED, dsn, text);
}

static int fail(Submission *submission, const char *what, int r) {
        bool full = r == -ENOSPC || r == -EDQUOT;
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(submission->id.text) };

        (void)snprintf(submission->reason, sizeof(submission->reason), "%s: %s", what,
                       strerror(-r));
        log_event(LOG_WARNING, full ? LOG_ID_QUEUE_FULL : LOG_ID_QUEUE_ERROR, &field, 1,
                  "warning: %s: %s", submission->id.text, submission->reason);
        return decide(submission, MAIL_TRY_AGAIN, full ? "4.3.1" : "4.3.0", submission->reason);
}

static int fail_write(Submission *submission, int r) {
        if (r == QUEUE_FILE_E_TOO_BIG)
                return refuse(submission, "5.3.4", "message or recipient list too big");
        if (r == QUEUE_FILE_E_MALFORMED)
                return refuse(submission, "5.6.0", "malformed envelope");
        return fail(submission, "cannot write to the mail drop", r < 0 ? r : -EIO);
}

void submission_log_canceled(const Submission *submission) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(submission->id.text) };

        if (submission->begun)
                log_event(LOG_INFO, LOG_ID_CANCELED, &field, 1, "%s: canceled: uid=%u went away",
                          submission->id.text, submission->uid);
}

/* ---- steps ---- */

static int check_free_space(Submission *submission) {
        uint64_t wanted = (uint64_t)config_int(submission->config, PARAM_queue_minfree);
        uint64_t bytes, inodes;
        int r;

        if (wanted == 0)
                return 0;
        r = queue_free_space(submission->queue, &bytes, &inodes);
        if (r < 0)
                return fail(submission, "cannot look at the file system of the mail drop", r);
        return bytes < wanted ? fail(submission, "less than queue_minfree is left", -ENOSPC) : 0;
}

/* Count N more bytes; as in Postfix recipients count, so that no list of them fills the disk. */
static int check_size(Submission *submission, size_t n) {
        uint64_t limit = (uint64_t)config_int(submission->config, PARAM_message_size_limit);

        submission->n_bytes += n;
        if (limit > 0 && submission->n_bytes > limit)
                return refuse(submission, "5.3.4", "message size exceeds limit");
        return 0;
}

static int submission_begin(void *userdata, const Envelope *received) {
        Submission *submission = userdata;
        QueueFileLimits limits = { .recipients_max = RECIPIENTS_MAX };
        Envelope envelope = *received;
        int r;

        envelope.arrival_usec = clock_realtime_usec();
        envelope.uid = submission->uid;
        envelope.flags &= FLAGS_ALLOWED;
        envelope.queue_id = STR_NULL;
        submission->id = queue_id_new(envelope.arrival_usec);
        submission->begun = true;
        if (envelope.sender.len > 0 && !address_is_sane(envelope.sender))
                return refuse(submission, "5.1.7", "malformed sender address");
        r = check_free_space(submission);
        if (r != 0)
                return r;
        r = queue_file_writer_new(queue_dir_fd(submission->queue, QUEUE_MAILDROP), &envelope,
                                  &limits, &submission->writer);
        return r == 0 ? 0 : fail_write(submission, r);
}

static int submission_recipient(void *userdata, const Recipient *received) {
        Submission *submission = userdata;
        Recipient recipient = *received;
        int r;

        if (!address_is_sane(recipient.address))
                return refuse(submission, "5.1.3", "malformed recipient address");
        if ((recipient.notify & RECIPIENT_NOTIFY_NEVER) &&
            recipient.notify != RECIPIENT_NOTIFY_NEVER)
                return refuse(submission, "5.5.4", "malformed notify option");
        recipient.original = recipient.address;
        r = check_size(submission, RECIPIENT_BYTES + recipient.address.len + recipient.orcpt.len);
        if (r != 0)
                return r;
        r = queue_file_writer_add_recipient(submission->writer, &recipient);
        return r == 0 ? 0 : fail_write(submission, r);
}

static int submission_content(void *userdata, Str data) {
        Submission *submission = userdata;
        int r;

        r = check_size(submission, data.len);
        if (r != 0)
                return r;
        r = queue_file_writer_add_content(submission->writer, data);
        return r == 0 ? 0 : fail_write(submission, r);
}

static int commit(Submission *submission) {
        int r;

        if (queue_file_writer_n_recipients(submission->writer) == 0)
                return refuse(submission, "5.5.4", "no recipients");
        while ((r = queue_file_writer_commit(submission->writer, &submission->id)) ==
               QUEUE_FILE_E_EXISTS)
                submission->id = queue_id_new(clock_realtime_usec());
        return r == 0 ? 0 : fail_write(submission, r);
}

static void submission_finish(void *userdata, int code, MailResult *result) {
        Submission *submission = userdata;
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(submission->id.text) };

        if (code != 0 || commit(submission) != 0) {
                *result = submission->result;
                return;
        }
        log_event(LOG_INFO, LOG_ID_SUBMITTED, &field, 1, "%s: submitted by uid=%u",
                  submission->id.text, submission->uid);
        *result = (MailResult){
                .status = MAIL_ACCEPTED,
                .queue_id = str_from_cstr(submission->id.text),
        };
}

const MailSink submission_sink = {
        .begin = submission_begin,
        .recipient = submission_recipient,
        .content = submission_content,
        .finish = submission_finish,
};
