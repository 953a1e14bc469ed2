#include "services/cleanup/message.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-queue.h"

void message_init(Message *message, const Settings *settings) {
        *message = (Message){
                .settings = settings,
                .sender = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .full_name = BUF_INIT(ENVELOPE_TEXT_MAX),
        };
        duplicate_filter_init(&message->duplicates,
                              (size_t)config_int(settings->config, PARAM_duplicate_filter_limit));
}

void message_deinit(Message *message) {
        message->content = content_free(message->content);
        message->writer = queue_file_writer_free(message->writer);
        duplicate_filter_deinit(&message->duplicates);
        buf_deinit(&message->sender);
        buf_deinit(&message->full_name);
}

/* ---- decisions against a message ---- */

static int decide(Message *message, MailStatus status, const char *dsn, const char *text) {
        message->result = (MailResult){
                .status = status,
                .dsn = str_from_cstr(dsn),
                .text = str_from_cstr(text),
        };
        return MESSAGE_STOP;
}

int message_refuse(Message *message, const char *dsn, const char *text) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };

        log_event(LOG_NOTICE, LOG_ID_REFUSED, &field, 1, "%s: reject: %s %s; from=<%.*s>",
                  message->id.text, dsn, text, STR_FMT(buf_str(&message->sender)));
        return decide(message, MAIL_REFUSED, dsn, text);
}

int message_fail(Message *message, const char *what, int r) {
        bool full = r == -ENOSPC || r == -EDQUOT;
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };

        (void)snprintf(message->reason, sizeof(message->reason), "%s: %s", what, strerror(-r));
        log_event(LOG_WARNING, full ? LOG_ID_QUEUE_FULL : LOG_ID_QUEUE_ERROR, &field, 1,
                  "warning: %s: %s", message->id.text, message->reason);
        return decide(message, MAIL_TRY_AGAIN, full ? "4.3.1" : "4.3.0", message->reason);
}

int message_fail_lookup(Message *message, const char *log_id, Str why, const char *dsn,
                        const char *text) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };

        log_event(LOG_WARNING, log_id, &field, 1,
                  "warning: %s: %.*s -- message not accepted, try again later", message->id.text,
                  STR_FMT(why));
        return decide(message, MAIL_TRY_AGAIN, dsn, text);
}

int message_fail_write(Message *message, int r) {
        if (r == QUEUE_FILE_E_TOO_BIG)
                return message_refuse(message, "5.3.4", "message or recipient list too big");
        if (r == QUEUE_FILE_E_MALFORMED)
                return message_refuse(message, "5.6.0", "malformed envelope");
        return message_fail(message, "cannot write to the queue", r < 0 ? r : -EIO);
}

void message_log_canceled(const Message *message) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };

        if (message->begun)
                log_event(LOG_INFO, LOG_ID_CANCELED, &field, 1,
                          "%s: canceled: the client went away before the end", message->id.text);
}

/* ---- envelope ---- */

static int check_free_space(Message *message) {
        uint64_t wanted = (uint64_t)config_int(message->settings->config, PARAM_queue_minfree);
        uint64_t bytes, inodes;
        int r;

        if (wanted == 0)
                return 0;
        r = queue_free_space(message->settings->queue, &bytes, &inodes);
        if (r < 0)
                return message_fail(message, "cannot look at the file system of the queue", r);
        return bytes < wanted ? message_fail(message, "less than queue_minfree is left", -ENOSPC)
                              : 0;
}

static int output_content(void *userdata, Str data) {
        Message *message = userdata;
        int r;

        r = queue_file_writer_add_content(message->writer, data);
        return r == 0 ? 0 : message_fail_write(message, r);
}

/*
 * Header addresses of our own mail are completed like those of the envelope; mail from elsewhere
 * says what it says, unless a domain is set for it.
 */
static const RewriteRules *header_rules(const Message *message) {
        const AddressRules *addresses = &message->settings->addresses;

        if (message->flags & (ENVELOPE_LOCAL_ORIGIN | ENVELOPE_NOTICE))
                return &addresses->resolve.rewrite;
        return addresses->rewrites_remote ? &addresses->remote : NULL;
}

static int open_content(Message *message, const Envelope *envelope) {
        const Config *config = message->settings->config;
        bool local = (envelope->flags & ENVELOPE_LOCAL_ORIGIN) != 0;
        bool notice = (envelope->flags & ENVELOPE_NOTICE) != 0;
        bool traced = notice || (envelope->flags & ENVELOPE_FORWARDED); /* has its Received: */
        ContentOptions options = {
                .queue_id = str_from_cstr(message->id.text),
                .sender = buf_str(&message->sender),
                .full_name = buf_str(&message->full_name),
                .now_usec = clock_realtime_usec(),
                .uid = envelope->uid,
                .add_received = !traced && (local || envelope->uid != ENVELOPE_NO_UID),
                .add_missing =
                        local || notice || config_bool(config, PARAM_always_add_missing_headers),
                .keep_cr = !config_bool(config, PARAM_cleanup_replace_stray_cr_lf),
                .obsolete_from = message->settings->obsolete_from,
                .rewrite = header_rules(message),
                .tokens_max = (size_t)config_int(config, PARAM_header_address_token_limit),
                .hostname = config_string(config, PARAM_myhostname),
                .origin = config_string(config, PARAM_myorigin),
                .mail_name = config_string(config, PARAM_mail_name),
                .drop_headers = config_string(config, PARAM_message_drop_headers),
                .undisclosed = config_string(config, PARAM_undisclosed_recipients_header),
                .header_max_bytes = (size_t)config_int(config, PARAM_header_size_limit),
                .line_max_bytes = (size_t)config_int(config, PARAM_line_length_limit),
                .message_max_bytes = (uint64_t)config_int(config, PARAM_message_size_limit),
                .hops_max = (uint64_t)config_int(config, PARAM_hopcount_limit),
        };

        return content_new(&options, output_content, message, &message->content);
}

static int open_file(Message *message, const Envelope *envelope) {
        QueueFileLimits limits = { .recipients_max = MESSAGE_RECIPIENTS_MAX };
        Envelope stored = *envelope;
        int r;

        stored.sender = buf_str(&message->sender);
        r = queue_file_writer_new(queue_dir_fd(message->settings->queue, QUEUE_INCOMING), &stored,
                                  &limits, &message->writer);
        if (r != 0)
                return message_fail_write(message, r);
        r = open_content(message, envelope);
        return r == 0 ? 0 : message_fail(message, "cannot take the message", r);
}

static int message_begin(void *userdata, const Envelope *received) {
        Message *message = userdata;
        Envelope envelope = *received;
        int r;

        if (envelope.arrival_usec == 0)
                envelope.arrival_usec = clock_realtime_usec();
        message->id = queue_id_new(envelope.arrival_usec);
        if (envelope.queue_id.len > 0 && !queue_id_parse(envelope.queue_id, &message->id))
                return message_refuse(message, "5.3.0", "malformed queue ID");
        message->begun = true;
        message->flags = envelope.flags;
        r = message_set_sender(message, envelope.sender);
        if (r != 0)
                return r;
        (void)buf_append_str(&message->full_name, envelope.full_name);
        if (message->full_name.error)
                return message_fail(message, "cannot take the envelope", -ENOMEM);
        r = check_free_space(message);
        if (r == 0)
                r = open_file(message, &envelope);
        return r == 0 ? message_add_sender_copies(message) : r;
}

static int message_recipient(void *userdata, const Recipient *received) {
        return message_add_recipient(userdata, received);
}

/* ---- content ---- */

/* R is what the content engine said; its output callback may have decided already. */
static int take_content_result(Message *message, int r) {
        if (r == 0 || message->result.dsn.len > 0)
                return r;
        switch (r) {
        case CONTENT_E_TOO_BIG:
                return message_refuse(message, "5.3.4", "message size exceeds limit");
        case CONTENT_E_HOPS:
                return message_refuse(message, "5.4.0", "too many hops");
        }
        return message_fail(message, "cannot take the content", r < 0 ? r : -EIO);
}

static int message_content(void *userdata, Str data) {
        Message *message = userdata;

        return take_content_result(message, content_feed(message->content, data));
}

/* ---- the end ---- */

static void log_message_id(const Message *message) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };
        Str id = content_message_id(message->content);
        Str resent = content_resent_message_id(message->content);

        if (content_n_fields_cut(message->content) > 0)
                log_event(LOG_WARNING, NULL, &field, 1,
                          "warning: %s: %zu header field(s) cut at header_size_limit",
                          message->id.text, content_n_fields_cut(message->content));
        if (id.len > 0 || resent.len == 0)
                log_event(LOG_INFO, LOG_ID_MESSAGE_ID, &field, 1, "%s: message-id=%.*s",
                          message->id.text, STR_FMT(id.len > 0 ? id : STR("<>")));
        if (resent.len > 0)
                log_event(LOG_INFO, LOG_ID_MESSAGE_ID, &field, 1, "%s: resent-message-id=%.*s",
                          message->id.text, STR_FMT(resent));
}

static int commit(Message *message) {
        int r;

        r = take_content_result(message, content_finish(message->content));
        if (r != 0)
                return r;
        if (message->n_named == 0)
                return message_refuse(message, "5.5.4", "no recipients");
        r = message_add_always_bcc(message);
        if (r != 0)
                return r;
        log_message_id(message);
        r = queue_file_writer_commit(message->writer, &message->id);
        if (r == QUEUE_FILE_E_EXISTS)
                return message_fail(message, "a message of this queue ID is there already",
                                    -EEXIST);
        return r == 0 ? 0 : message_fail_write(message, r);
}

/*
 * The message is on disk. Wake qmgr; when its socket is full, wait as long as in_flow_delay says,
 * so that mail does not come in faster than it goes out. It finds the message in any case:
 * qmgr.path watches incoming/.
 */
static void wake_qmgr(const Message *message) {
        usec_t delay = config_time_usec(message->settings->config, PARAM_in_flow_delay);
        int r;

        r = qmgr_send_command(QMGR_INCOMING, &message->id, delay);
        if (r != 0)
                log_debug("%s: cannot wake qmgr: %s", message->id.text, ipc_error_name(r));
}

static void message_finish(void *userdata, int code, MailResult *result) {
        Message *message = userdata;

        if (code != 0 || commit(message) != 0) {
                *result = message->result;
                return;
        }
        wake_qmgr(message);
        *result = (MailResult){
                .status = MAIL_ACCEPTED,
                .queue_id = str_from_cstr(message->id.text),
        };
}

const MailSink message_sink = {
        .begin = message_begin,
        .recipient = message_recipient,
        .content = message_content,
        .finish = message_finish,
};
