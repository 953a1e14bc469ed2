#include "tools/sendmail/submit.h"

#include <errno.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/mail/queue-file.h"
#include "common/mail/queue.h"
#include "common/role/protocol-mail.h"

/* Half a minute for a role that is started for us (DESIGN 5), a minute to take the message. */
#define HELLO_TIMEOUT_USEC   (30 * USEC_PER_SEC)
#define REQUEST_TIMEOUT_USEC (60 * USEC_PER_SEC)

/*
 * A service that is busy, restarting or crashed is tried again for a little: 0.1, 0.2 ... 3.2 s.
 * When it broke off in the answer we do not know whether it has the message; to send it again may
 * make two of it, which is better than none.
 */
#define N_TRIES          7
#define FIRST_PAUSE_USEC (100 * USEC_PER_MSEC)

typedef int (*RecipientFunction)(void *userdata, const Recipient *recipient);

static int each_recipient(const Letter *letter, RecipientFunction function, void *userdata) {
        const RecipientList *const lists[] = { letter->recipients, letter->more };
        Str rest, address;
        int r = 0;

        for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
                rest = lists[i] ? buf_str(&lists[i]->text) : STR_NULL;
                while (r == 0 && str_next_part(&rest, '\n', &address)) {
                        Recipient recipient = { .address = address, .notify = letter->notify };

                        if (address.len > 0)
                                r = function(userdata, &recipient);
                }
        }
        return r;
}

/* ---- to postdrop ---- */

static int send_recipient(void *userdata, const Recipient *recipient) {
        return mail_client_add_recipient(userdata, recipient);
}

static int send_content(void *userdata, Str data) {
        return mail_client_add_content(userdata, data);
}

static int status_of(const MailResult *result, Buf *message) {
        if (result->status == MAIL_ACCEPTED)
                return EX_OK;
        (void)buf_append_clipped(message, result->text);
        if (result->status == MAIL_TRY_AGAIN)
                return EX_TEMPFAIL;
        return str_has_prefix(result->dsn, STR("5.1.")) ? EX_DATAERR : EX_UNAVAILABLE;
}

/* 0 and an exit status, or what was wrong with the connection. */
static int try_postdrop(const Letter *letter, Buf *message, int *ret_status) {
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        MailResult result;
        int r;

        r = ipc_conn_connect("postdrop", "postdrop", HELLO_TIMEOUT_USEC, &conn);
        if (r != 0)
                return r;
        ipc_conn_set_timeout(conn, REQUEST_TIMEOUT_USEC);
        r = mail_client_begin(conn, &letter->envelope);
        if (r == 0)
                r = each_recipient(letter, send_recipient, conn);
        if (r == 0)
                r = input_replay(letter->input, send_content, conn);
        if (r == 0)
                r = mail_client_finish(conn, &result);
        if (r == 0)
                *ret_status = status_of(&result, message);
        return r;
}

static void pause_for(usec_t usec) {
        struct timespec time = {
                .tv_sec = (time_t)(usec / USEC_PER_SEC),
                .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000,
        };

        (void)nanosleep(&time, NULL);
}

static int submit_to_postdrop(const Letter *letter, Buf *message, int *ret_status) {
        usec_t pause = FIRST_PAUSE_USEC;
        int r;

        for (int i = 1;; i++) {
                r = try_postdrop(letter, message, ret_status);
                if ((r != IPC_E_BUSY && r != IPC_E_CLOSED) || i == N_TRIES)
                        return r;
                pause_for(pause);
                pause *= 2;
        }
}

/* ---- into maildrop/ ---- */

static int write_recipient(void *userdata, const Recipient *received) {
        Recipient recipient = *received;

        recipient.original = recipient.address;
        return queue_file_writer_add_recipient(userdata, &recipient);
}

static int write_content(void *userdata, Str data) {
        return queue_file_writer_add_content(userdata, data);
}

static int write_maildrop(const Letter *letter, const char *directory) {
        _cleanup_(queue_freep) Queue *queue = NULL;
        _cleanup_(queue_file_writer_freep) QueueFileWriter *writer = NULL;
        Envelope envelope = letter->envelope;
        QueueId id;
        int r;

        envelope.arrival_usec = clock_realtime_usec();
        envelope.uid = getuid();
        r = queue_open(directory, 1U << QUEUE_MAILDROP, &queue);
        if (r == 0)
                r = queue_file_writer_new(queue_dir_fd(queue, QUEUE_MAILDROP), &envelope, NULL,
                                          &writer);
        if (r == 0)
                r = each_recipient(letter, write_recipient, writer);
        if (r == 0)
                r = input_replay(letter->input, write_content, writer);
        if (r != 0)
                return r;
        do {
                id = queue_id_new(envelope.arrival_usec);
                r = queue_file_writer_commit(writer, &id);
        } while (r == QUEUE_FILE_E_EXISTS);
        return r;
}

static int submit_to_maildrop(const Letter *letter, const Config *config, Buf *message) {
        const char *directory = config_string(config, PARAM_queue_directory);
        int r;

        r = write_maildrop(letter, directory);
        if (r == 0)
                return EX_OK;
        (void)buf_printf(message, "unitpost is not running, and %s/maildrop cannot be written: %s",
                         directory, r < 0 ? strerror(-r) : "malformed message");
        return r < 0 ? EX_TEMPFAIL : EX_DATAERR;
}

int submit(const Letter *letter, const Config *config, Buf *message) {
        int status = EX_TEMPFAIL;
        int r;

        r = submit_to_postdrop(letter, message, &status);
        if (r == 0)
                return status;
        if (getuid() == 0)
                return submit_to_maildrop(letter, config, message);
        (void)buf_printf(message, "mail not sent, try again later: /run/unitpost/postdrop: %s",
                         ipc_error_name(r));
        return EX_TEMPFAIL;
}
