#include "services/cleanup/message.h"

#include <errno.h>
#include <stdio.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/address.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-queue.h"

#define STOP 1 /* what the sink's functions say when message->result is decided */

void message_init(Message *message, const Config *config, const Queue *queue) {
        *message = (Message){
                .config = config,
                .queue = queue,
                .sender = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .full_name = BUF_INIT(ENVELOPE_TEXT_MAX),
        };
        duplicate_filter_init(&message->duplicates,
                              (size_t)config_int(config, PARAM_duplicate_filter_limit));
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
        return STOP;
}

/* The message's own fault: it will be returned. */
static int refuse(Message *message, const char *dsn, const char *text) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };

        log_event(LOG_NOTICE, LOG_ID_REFUSED, &field, 1, "%s: reject: %s %s; from=<%.*s>",
                  message->id.text, dsn, text, STR_FMT(buf_str(&message->sender)));
        return decide(message, MAIL_REFUSED, dsn, text);
}

/* Our fault, or the disk's: it stays where it is and comes again. R is a negative errno. */
static int fail(Message *message, const char *what, int r) {
        bool full = r == -ENOSPC || r == -EDQUOT;
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };

        (void)snprintf(message->reason, sizeof(message->reason), "%s: %s", what, strerror(-r));
        log_event(LOG_WARNING, full ? LOG_ID_QUEUE_FULL : LOG_ID_QUEUE_ERROR, &field, 1,
                  "warning: %s: %s", message->id.text, message->reason);
        return decide(message, MAIL_TRY_AGAIN, full ? "4.3.1" : "4.3.0", message->reason);
}

static int fail_write(Message *message, int r) {
        if (r == QUEUE_FILE_E_TOO_BIG)
                return refuse(message, "5.3.4", "message or recipient list too big");
        if (r == QUEUE_FILE_E_MALFORMED)
                return refuse(message, "5.6.0", "malformed envelope");
        return fail(message, "cannot write to the queue", r < 0 ? r : -EIO);
}

void message_log_canceled(const Message *message) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(message->id.text) };

        if (message->begun)
                log_event(LOG_INFO, LOG_ID_CANCELED, &field, 1,
                          "%s: canceled: the client went away before the end", message->id.text);
}

/* ---- envelope ---- */

/* ADDRESS, with @$myorigin when it has no domain. False: not to be kept in a queue. */
static bool qualify(const Message *message, Str address, Buf *ret) {
        Str local, domain;

        (void)buf_append_str(ret, address);
        if (!address_split(address, &local, &domain)) {
                (void)buf_append_char(ret, '@');
                (void)buf_append_cstr(ret, config_string(message->config, PARAM_myorigin));
        }
        return ret->error == 0 && local.len > 0 && address_is_sane(buf_str(ret));
}

static int check_free_space(Message *message) {
        uint64_t wanted = (uint64_t)config_int(message->config, PARAM_queue_minfree);
        uint64_t bytes, inodes;
        int r;

        if (wanted == 0)
                return 0;
        r = queue_free_space(message->queue, &bytes, &inodes);
        if (r < 0)
                return fail(message, "cannot look at the file system of the queue", r);
        return bytes < wanted ? fail(message, "less than queue_minfree is left", -ENOSPC) : 0;
}

static int output_content(void *userdata, Str data) {
        Message *message = userdata;
        int r;

        r = queue_file_writer_add_content(message->writer, data);
        return r == 0 ? 0 : fail_write(message, r);
}

static int open_content(Message *message, const Envelope *envelope) {
        const Config *config = message->config;
        bool local = (envelope->flags & ENVELOPE_LOCAL_ORIGIN) != 0;
        bool notice = (envelope->flags & ENVELOPE_NOTICE) != 0; /* has its own Received: */
        ContentOptions options = {
                .queue_id = str_from_cstr(message->id.text),
                .sender = buf_str(&message->sender),
                .full_name = buf_str(&message->full_name),
                .now_usec = clock_realtime_usec(),
                .uid = envelope->uid,
                .add_received = local || envelope->uid != ENVELOPE_NO_UID,
                .add_missing =
                        local || notice || config_bool(config, PARAM_always_add_missing_headers),
                .keep_cr = !config_bool(config, PARAM_cleanup_replace_stray_cr_lf),
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
        r = queue_file_writer_new(queue_dir_fd(message->queue, QUEUE_INCOMING), &stored, &limits,
                                  &message->writer);
        if (r != 0)
                return fail_write(message, r);
        r = open_content(message, envelope);
        return r == 0 ? 0 : fail(message, "cannot take the message", r);
}

static int message_begin(void *userdata, const Envelope *received) {
        Message *message = userdata;
        Envelope envelope = *received;
        int r;

        if (envelope.arrival_usec == 0)
                envelope.arrival_usec = clock_realtime_usec();
        message->id = queue_id_new(envelope.arrival_usec);
        if (envelope.queue_id.len > 0 && !queue_id_parse(envelope.queue_id, &message->id))
                return refuse(message, "5.3.0", "malformed queue ID");
        message->begun = true;
        if (envelope.sender.len > 0 && !qualify(message, envelope.sender, &message->sender))
                return refuse(message, "5.1.7", "malformed sender address");
        (void)buf_append_str(&message->full_name, envelope.full_name);
        if (message->sender.error < 0 || message->full_name.error)
                return fail(message, "cannot take the envelope", -ENOMEM);
        r = check_free_space(message);
        return r == 0 ? open_file(message, &envelope) : r;
}

static int message_recipient(void *userdata, const Recipient *received) {
        Message *message = userdata;
        _cleanup_(buf_deinit) Buf address = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Recipient recipient = *received;
        int r;

        if (!qualify(message, received->address, &address))
                return address.error < 0 ? fail(message, "cannot take a recipient", -ENOMEM)
                                         : refuse(message, "5.1.3", "malformed recipient address");
        recipient.address = buf_str(&address);
        if (recipient.original.len == 0)
                recipient.original = received->address;
        if (duplicate_filter_seen(&message->duplicates, &recipient))
                return 0;
        r = queue_file_writer_add_recipient(message->writer, &recipient);
        return r == 0 ? 0 : fail_write(message, r);
}

/* ---- content ---- */

/* R is what the content engine said; its output callback may have decided already. */
static int take_content_result(Message *message, int r) {
        if (r == 0 || message->result.dsn.len > 0)
                return r;
        switch (r) {
        case CONTENT_E_TOO_BIG:
                return refuse(message, "5.3.4", "message size exceeds limit");
        case CONTENT_E_HOPS:
                return refuse(message, "5.4.0", "too many hops");
        }
        return fail(message, "cannot take the content", r < 0 ? r : -EIO);
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
        if (queue_file_writer_n_recipients(message->writer) == 0)
                return refuse(message, "5.5.4", "no recipients");
        log_message_id(message);
        r = queue_file_writer_commit(message->writer, &message->id);
        if (r == QUEUE_FILE_E_EXISTS)
                return fail(message, "a message of this queue ID is there already", -EEXIST);
        return r == 0 ? 0 : fail_write(message, r);
}

/*
 * The message is on disk. Wake qmgr; when its socket is full, wait as long as in_flow_delay says,
 * so that mail does not come in faster than it goes out. It finds the message in any case:
 * qmgr.path watches incoming/.
 */
static void wake_qmgr(const Message *message) {
        usec_t delay = config_time_usec(message->config, PARAM_in_flow_delay);
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
