#include "services/bounce/send.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/macro.h"
#include "common/mail/envelope.h"
#include "common/role/protocol-mail.h"
#include "services/bounce/notice-writer.h"

#define HELLO_TIMEOUT_USEC  (30 * USEC_PER_SEC)
#define ANSWER_TIMEOUT_USEC (300 * USEC_PER_SEC)

/* 128 bits that the sender of the message could not know, so that it cannot hold the boundary. */
static int make_boundary(const QueueId *id, char *ret, size_t size) {
        unsigned char random[16];
        int n;

        if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return errno ? -errno : -EIO;
        n = snprintf(ret, size, "%s.", id->text);
        for (size_t i = 0; i < sizeof(random); i++)
                n += snprintf(ret + n, size - (size_t)n, "%02X", random[i]);
        return 0;
}

typedef struct Sending {
        IpcConn *conn;
        int error; /* of the connection */
} Sending;

static int output(void *userdata, Str data) {
        Sending *sending = userdata;

        sending->error = mail_client_add_content(sending->conn, data);
        return sending->error;
}

static int say_later(Buf *why, const char *what, int r) {
        (void)buf_printf(why, "%s: %s", what, r < 0 ? strerror(-r) : ipc_error_name(r));
        return SEND_E_LATER;
}

static int begin(IpcConn *conn, const Config *config, const NoticeSpec *spec) {
        Buf sender _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Recipient recipient = { .address = spec->recipient };
        Envelope envelope = {
                .arrival_usec = spec->now_usec,
                .queue_id = spec->notice_id,
                .uid = ENVELOPE_NO_UID,
                .flags = ENVELOPE_NOTICE,
        };
        bool is_8bit = false;
        int r;

        r = notice_is_8bit(spec, &is_8bit);
        if (r != 0)
                return r < 0 ? r : -EIO;
        if (is_8bit)
                envelope.flags |= ENVELOPE_8BITMIME;
        envelope.flags |= queue_file_envelope(spec->file)->flags & ENVELOPE_SMTPUTF8;
        if (notice_is_for_postmaster(spec))
                r = buf_printf(&sender, "%s@%s", config_string(config, PARAM_double_bounce_sender),
                               config_string(config, PARAM_myorigin));
        if (r != 0)
                return r < 0 ? r : -EMSGSIZE;
        envelope.sender = buf_str(&sender);
        r = mail_client_begin(conn, &envelope);
        return r == 0 ? mail_client_add_recipient(conn, &recipient) : r;
}

static int finish(IpcConn *conn, QueueId *ret_id, Buf *why) {
        MailResult result;
        int r;

        r = mail_client_finish(conn, &result);
        if (r != 0)
                return say_later(why, "cleanup", r);
        if (result.status == MAIL_ACCEPTED && queue_id_parse(result.queue_id, ret_id))
                return 0;
        (void)buf_append_clipped(why, result.text);
        return result.status == MAIL_REFUSED ? SEND_E_REFUSED : SEND_E_LATER;
}

int send_notice_to_cleanup(const Config *config, NoticeSpec *spec, QueueId *ret_id, Buf *why) {
        IpcConn *conn _cleanup_(ipc_conn_freep) = NULL;
        char boundary[64]; /* ID, dot, 32 digits */
        Sending sending = { 0 };
        int r;

        *ret_id = queue_id_new(spec->now_usec);
        r = make_boundary(ret_id, boundary, sizeof(boundary));
        if (r != 0)
                return say_later(why, "random numbers", r);
        spec->notice_id = str_from_cstr(ret_id->text);
        spec->boundary = str_from_cstr(boundary);
        r = ipc_conn_connect("cleanup", "cleanup", HELLO_TIMEOUT_USEC, &conn);
        if (r != 0)
                return say_later(why, "cleanup", r);
        ipc_conn_set_timeout(conn, ANSWER_TIMEOUT_USEC);
        r = begin(conn, config, spec);
        if (r != 0)
                return say_later(why, "notice", r);
        sending.conn = conn;
        r = notice_build(spec, output, &sending);
        if (r == NOTICE_E_OUTPUT)
                return say_later(why, "cleanup", sending.error);
        if (r != 0) {
                (void)buf_append_cstr(why, "queue file cannot be read");
                return SEND_E_LATER;
        }
        return finish(conn, ret_id, why);
}
