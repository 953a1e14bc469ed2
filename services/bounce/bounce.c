#include "services/bounce/bounce.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/base/macro.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-delivery.h"
#include "services/bounce/audience.h"
#include "services/bounce/notice.h"
#include "services/bounce/send.h"

/* One request while it is served. */
typedef struct Bounce {
        RoleEnv *env;
        Buf payload; /* of the request, into which it has slices */
        NoticeRequest request;
        QueueId queue_id; /* of the message */
        Dsn outcome;
        Recipient one;
        NoticeSpec spec;
        Buf text; /* why not */
} Bounce;

static const struct {
        const char *name;
        NoticeKind kind;
        bool has_outcome;
} kinds[] = {
        { "failure", NOTICE_FAILURE, false },
        { "refused", NOTICE_REFUSED, true },
        { "one", NOTICE_ONE, true },
        { "delay", NOTICE_DELAY, false },
};

/* Everything is checked: the peer may be broken. */
static bool understand_request(Bounce *bounce) {
        const NoticeRequest *request = &bounce->request;
        NoticeSpec *spec = &bounce->spec;
        size_t i = 0;

        while (i < ARRAY_LEN(kinds) && !str_equal(request->kind, str_from_cstr(kinds[i].name)))
                i++;
        if (i == ARRAY_LEN(kinds) || !queue_id_parse(request->queue_id, &bounce->queue_id))
                return false;
        spec->kind = kinds[i].kind;
        spec->queue_id = str_from_cstr(bounce->queue_id.text);
        if (!kinds[i].has_outcome)
                return true;
        spec->outcome = &bounce->outcome;
        spec->one = &bounce->one;
        bounce->one = (Recipient){
                .address = request->recipient,
                .original = request->original,
                .orcpt = request->orcpt,
                .notify = request->notify,
        };
        return (spec->kind != NOTICE_ONE || !str_is_empty(request->recipient)) &&
               dsn_parse(&bounce->outcome, DSN_BOUNCED, request->code, request->text, STR("none"));
}

/* Take the request off the wire, with its descriptor. */
static int receive_request(Bounce *bounce, IpcConn *conn, int *ret_fd) {
        IpcFrame frame;
        int r;

        r = ipc_conn_receive(conn, &frame);
        if (r != 0)
                return r;
        if (frame.type != IPC_FRAME_MESSAGE)
                return IPC_E_PROTOCOL;
        r = buf_append_str(&bounce->payload, frame.payload);
        if (r != 0)
                return r;
        r = ipc_message_parse(buf_str(&bounce->payload), &notice_request_schema, &bounce->request);
        if (r != 0)
                return r;
        if (!understand_request(bounce))
                return IPC_E_PROTOCOL;
        r = ipc_conn_receive_end(conn);
        if (r != 0)
                return r;
        *ret_fd = ipc_conn_take_fd(conn);
        return *ret_fd < 0 ? IPC_E_PROTOCOL : 0;
}

static void log_about(const Bounce *bounce, int priority, const char *message_id, const char *text,
                      Str detail) {
        LogField field = { "UNITPOST_QUEUE_ID", bounce->spec.queue_id };

        log_event(priority, message_id, &field, 1, "%s%.*s: %s%.*s",
                  priority <= LOG_WARNING ? "warning: " : "", STR_FMT(bounce->spec.queue_id), text,
                  STR_FMT(detail));
}

static void fill_spec(Bounce *bounce) {
        const Config *config = bounce->env->config;
        const Envelope *envelope = queue_file_envelope(bounce->spec.file);
        ConfigParam lifetime = str_is_empty(envelope->sender) ? PARAM_bounce_queue_lifetime
                                                              : PARAM_maximal_queue_lifetime;

        bounce->spec.hostname = str_from_cstr(config_string(config, PARAM_myhostname));
        bounce->spec.origin = str_from_cstr(config_string(config, PARAM_myorigin));
        bounce->spec.mail_name = str_from_cstr(config_string(config, PARAM_mail_name));
        bounce->spec.now_usec = clock_realtime_usec();
        bounce->spec.retry_until_usec =
                usec_add(envelope->arrival_usec, config_time_usec(config, lifetime));
        bounce->spec.original_max_bytes = (uint64_t)config_int(config, PARAM_bounce_size_limit);
        bounce->spec.total_max_bytes = (uint64_t)config_int(config, PARAM_message_size_limit);
        bounce->spec.is_threaded = config_bool(config, PARAM_enable_threaded_bounces);
}

static void log_notice(const Bounce *bounce, const QueueId *notice_id) {
        bool is_delay = bounce->spec.kind == NOTICE_DELAY;
        bool is_for_sender =
                bounce->spec.reader == NOTICE_TO_SENDER || bounce->spec.reader == NOTICE_TO_OWNER;
        char text[64];

        (void)snprintf(text, sizeof(text),
                       "%s %s notification: ", is_for_sender ? "sender" : "postmaster",
                       is_delay ? "delay" : "non-delivery");
        log_about(bounce, LOG_INFO, is_delay ? LOG_ID_LATE : LOG_ID_NOTICE, text,
                  str_from_cstr(notice_id->text));
}

/* The notice is due: 1 when it is on disk, or can never be. */
static uint32_t send_notice(Bounce *bounce, QueueId *notice_id) {
        int r;

        r = send_notice_to_cleanup(bounce->env->config, &bounce->spec, notice_id, &bounce->text);
        if (r == 0) {
                log_notice(bounce, notice_id);
                return 1;
        }
        notice_id->text[0] = '\0';
        if (bounce->spec.reader == NOTICE_COPY) {
                /* The sender would be told once more with it. */
                log_about(bounce, LOG_WARNING, LOG_ID_LOST,
                          "postmaster copy discarded: ", buf_str(&bounce->text));
                return 1;
        }
        if (r == SEND_E_REFUSED) {
                /* Asking again would not help, and the message would never leave the queue. */
                log_about(bounce, LOG_WARNING, LOG_ID_LOST,
                          "notification refused and discarded: ", buf_str(&bounce->text));
                return 1;
        }
        log_about(bounce, LOG_WARNING, NULL, "notification delayed: ", buf_str(&bounce->text));
        return 0;
}

/* To whom the spec says, if any recipient is to be reported there. */
static uint32_t tell(Bounce *bounce, QueueId *notice_id) {
        uint64_t n_recipients;
        int r;

        r = notice_count(&bounce->spec, &n_recipients);
        if (r != 0) {
                (void)buf_append_cstr(&bounce->text, "queue file cannot be read");
                return 0;
        }
        return n_recipients == 0 ? 1 : send_notice(bounce, notice_id);
}

static uint32_t serve_file(Bounce *bounce, QueueId *notice_id) {
        const Config *config = bounce->env->config;
        bool is_about_one = bounce->spec.kind == NOTICE_ONE;
        QueueId copy_id;
        uint32_t ok = 1;

        fill_spec(bounce);
        switch (audience_choose(config, is_about_one ? bounce->request.sender : STR_NULL,
                                &bounce->spec)) {
        case AUDIENCE_SOMEBODY:
                ok = tell(bounce, notice_id);
                break;
        case AUDIENCE_CHAIN_ENDS:
                log_about(bounce, LOG_WARNING, LOG_ID_LOST,
                          "undeliverable postmaster notification discarded", STR_NULL);
                return 1;
        case AUDIENCE_NOBODY:
                return 1;
        }
        if (ok == 1 && audience_add_copy(config, &bounce->spec)) {
                buf_reset(&bounce->text);
                (void)tell(bounce, &copy_id);
        }
        return ok;
}

static int serve_request(Bounce *bounce, IpcConn *conn) {
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        QueueId notice_id = { 0 };
        NoticeResult result = { 0 };
        int fd _cleanup_(fd_closep) = -1;
        int r;

        r = receive_request(bounce, conn, &fd);
        if (r != 0)
                return r;
        r = queue_file_open(fd, &file);
        if (r == 0) {
                bounce->spec.file = file;
                bounce->spec.fd = fd;
                result.ok = serve_file(bounce, &notice_id);
        } else {
                (void)buf_printf(&bounce->text, "queue file: %s",
                                 r < 0 ? strerror(-r) : queue_file_reason());
        }
        result.notice_id = str_from_cstr(notice_id.text);
        result.text = buf_str(&bounce->text);
        r = ipc_conn_send_message(conn, &notice_result_schema, &result);
        return r == 0 ? ipc_conn_send_end(conn) : r;
}

int bounce_serve(RoleEnv *env, IpcConn *conn) {
        Bounce bounce = {
                .env = env,
                .payload = BUF_INIT(IPC_FRAME_MAX_BYTES),
                .text = BUF_INIT(DSN_TEXT_MAX),
        };
        int r;

        r = serve_request(&bounce, conn);
        buf_deinit(&bounce.payload);
        buf_deinit(&bounce.text);
        return r;
}
