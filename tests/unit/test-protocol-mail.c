/* common/role/protocol-mail: handing over one message, with a sink that refuses at each step. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "common/base/macro.h"
#include "common/role/protocol-mail.h"
#include "tests/unit/unit.h"

enum {
        REFUSE_AT_BEGIN = 1,
        REFUSE_AT_RECIPIENT = 2,
        REFUSE_AT_CONTENT = 3
};

/* Writes down what it is told; refuses at one step. */
typedef struct Recorder {
        int refuse_at; /* REFUSE_AT_*, 0: never */
        size_t refuse_after;
        Buf story;
        size_t n_content_bytes;
        size_t n_calls_after_refusal;
        bool has_refused;
        bool is_finished;
} Recorder;

static int answer_of(Recorder *recorder, int step) {
        recorder->n_calls_after_refusal += recorder->has_refused;
        if (recorder->refuse_at != step || recorder->refuse_after-- > 0)
                return 0;
        recorder->has_refused = true;
        return 100 + step;
}

static int record_begin(void *userdata, const Envelope *envelope) {
        Recorder *recorder = userdata;

        (void)buf_printf(&recorder->story, "from=%.*s id=%.*s name=%.*s uid=%u flags=%u ret=%d;",
                         STR_FMT(envelope->sender), STR_FMT(envelope->queue_id),
                         STR_FMT(envelope->full_name), envelope->uid, envelope->flags,
                         (int)envelope->ret);
        return answer_of(recorder, REFUSE_AT_BEGIN);
}

static int record_recipient(void *userdata, const Recipient *recipient) {
        Recorder *recorder = userdata;

        (void)buf_printf(&recorder->story, "to=%.*s,%.*s,%.*s,%u;", STR_FMT(recipient->address),
                         STR_FMT(recipient->original), STR_FMT(recipient->orcpt),
                         recipient->notify);
        return answer_of(recorder, REFUSE_AT_RECIPIENT);
}

static int record_content(void *userdata, Str data) {
        Recorder *recorder = userdata;

        recorder->n_content_bytes += data.len;
        return answer_of(recorder, REFUSE_AT_CONTENT);
}

static void record_finish(void *userdata, int code, MailResult *result) {
        Recorder *recorder = userdata;

        (void)buf_printf(&recorder->story, "end=%d", code);
        recorder->is_finished = true;
        *result = code == 0 ? (MailResult){ .status = MAIL_ACCEPTED, .queue_id = STR("0123ABC") }
                            : (MailResult){ .status = MAIL_REFUSED,
                                            .dsn = STR("5.7.1"),
                                            .text = STR("not today") };
}

static const MailSink recorder_sink = {
        .begin = record_begin,
        .recipient = record_recipient,
        .content = record_content,
        .finish = record_finish,
};

static const Envelope envelope = {
        .arrival_usec = 1,
        .queue_id = { "00000000000000000001", 20 },
        .sender = { "a@b", 3 },
        .full_name = { "A B", 3 },
        .uid = 7,
        .flags = ENVELOPE_LOCAL_ORIGIN,
        .ret = ENVELOPE_RET_FULL,
};
static const Recipient recipients[] = {
        { .address = { "c@d", 3 }, .original = { "c", 1 } },
        { .address = { "e@f", 3 }, .orcpt = { "rfc822;e", 8 }, .notify = 3 },
};

static void conn_pair(IpcConn **ret_client, IpcConn **ret_server) {
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(ipc_conn_new(fds[0], ret_client), 0);
        ck_assert_int_eq(ipc_conn_new(fds[1], ret_server), 0);
        ipc_conn_set_timeout(*ret_client, 10 * USEC_PER_SEC);
        ipc_conn_set_timeout(*ret_server, 10 * USEC_PER_SEC);
}

/* A whole client: exits with the result's status, or 99 for anything unexpected. */
static pid_t start_client(IpcConn *client, size_t content_bytes) {
        char *content = calloc(1, content_bytes + 1);
        MailResult result = { .status = 99 };
        pid_t pid = fork();

        if (pid == 0) {
                int r = mail_client_begin(client, &envelope);

                for (size_t i = 0; r == 0 && i < ARRAY_LEN(recipients); i++)
                        r = mail_client_add_recipient(client, &recipients[i]);
                if (r == 0)
                        r = mail_client_add_content(client, str_from(content, content_bytes));
                if (r == 0)
                        r = mail_client_finish(client, &result);
                _exit(r == 0 && ipc_conn_receive_end(client) == 0 ? (int)result.status : 99);
        }
        free(content);
        return pid;
}

static int wait_status(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert(WIFEXITED(status));
        return WEXITSTATUS(status);
}

/* One message to RECORDER; what the client was told. */
static int hand_over(Recorder *recorder, size_t content_bytes) {
        IpcConn *client, *server;
        pid_t pid;

        recorder->story = BUF_INIT(10000);
        conn_pair(&client, &server);
        pid = start_client(client, content_bytes);
        ck_assert_int_eq(mail_server_receive(server, &recorder_sink, recorder), 0);
        ck_assert(recorder->is_finished);
        ipc_conn_free(client);
        ipc_conn_free(server);
        return wait_status(pid);
}

START_TEST(message_arrives_as_it_was_sent) {
        Recorder recorder = { 0 };

        ck_assert_int_eq(hand_over(&recorder, 300000), MAIL_ACCEPTED);
        ck_assert_str_eq(buf_cstr(&recorder.story),
                         "from=a@b id=00000000000000000001 name=A B uid=7 flags=4 ret=2;"
                         "to=c@d,c,,0;to=e@f,,rfc822;e,3;end=0");
        ck_assert_uint_eq(recorder.n_content_bytes, 300000);
        buf_deinit(&recorder.story);
}
END_TEST

START_TEST(refusal_at_each_step_reaches_the_client_after_all_was_read) {
        static const struct {
                int refuse_at;
                size_t after;
        } rows[] = {
                { REFUSE_AT_BEGIN, 0 },   { REFUSE_AT_RECIPIENT, 0 }, { REFUSE_AT_RECIPIENT, 1 },
                { REFUSE_AT_CONTENT, 0 }, { REFUSE_AT_CONTENT, 3 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Recorder recorder = { .refuse_at = rows[i].refuse_at,
                                      .refuse_after = rows[i].after };
                char end[16];

                /* more than the socket holds: who stopped reading would be seen */
                ck_assert_int_eq(hand_over(&recorder, 2000000), MAIL_REFUSED);
                ck_assert_uint_eq(recorder.n_calls_after_refusal, 0);
                (void)snprintf(end, sizeof(end), "end=%d", 100 + rows[i].refuse_at);
                ck_assert_ptr_nonnull(strstr(buf_cstr(&recorder.story), end));
                buf_deinit(&recorder.story);
        }
}
END_TEST

START_TEST(several_messages_go_over_one_connection) {
        IpcConn *client, *server;

        conn_pair(&client, &server);
        for (int i = 0; i < 3; i++) {
                Recorder recorder = { .story = BUF_INIT(10000) };
                pid_t pid = start_client(client, 10);

                ck_assert_int_eq(mail_server_receive(server, &recorder_sink, &recorder), 0);
                ck_assert_int_eq(wait_status(pid), MAIL_ACCEPTED);
                buf_deinit(&recorder.story);
        }
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

/* STEPS: E envelope, R recipient, D data, H hello, . end */
static void send_steps(IpcConn *client, const char *steps) {
        Buf frames _cleanup_(buf_deinit) = BUF_INIT(100000);

        for (; *steps; steps++)
                switch (*steps) {
                case 'E':
                        (void)ipc_message_append(&frames, &mail_envelope_schema, &envelope);
                        break;
                case 'R':
                        (void)ipc_message_append(&frames, &mail_recipient_schema, recipients);
                        break;
                case 'D':
                        (void)ipc_frame_append(&frames, IPC_FRAME_DATA, STR("data"));
                        break;
                case 'H':
                        (void)ipc_hello_append(&frames, STR("cleanup"));
                        break;
                default:
                        (void)ipc_frame_append(&frames, IPC_FRAME_END, STR_NULL);
                }
        ck_assert_int_eq(frames.error, 0);
        ck_assert_int_eq(send(ipc_conn_fd(client), frames.data, frames.len, 0),
                         (ssize_t)frames.len);
}

START_TEST(frames_come_in_their_order_or_not_at_all) {
        static const struct {
                const char *steps;
                int result;
        } rows[] = {
                { "ERRDD.", 0 },
                { "E.", 0 }, /* no recipient, no content: the sink's to judge */
                { "ER.", 0 },
                { ".", IPC_E_PROTOCOL },
                { "R", IPC_E_PROTOCOL },
                { "D", IPC_E_PROTOCOL },
                { "H", IPC_E_PROTOCOL },
                { "EE", IPC_E_PROTOCOL },
                { "ERE", IPC_E_PROTOCOL },
                { "ERDR", IPC_E_PROTOCOL },
                { "ERDE", IPC_E_PROTOCOL },
                { "ERH", IPC_E_PROTOCOL },
                { "", IPC_E_CLOSED },
                { "ERD", IPC_E_CLOSED },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Recorder recorder = { .story = BUF_INIT(10000) };
                IpcConn *client, *server;

                conn_pair(&client, &server);
                send_steps(client, rows[i].steps);
                (void)shutdown(ipc_conn_fd(client), SHUT_WR);
                ck_assert_msg(mail_server_receive(server, &recorder_sink, &recorder) ==
                                      rows[i].result,
                              "%s", rows[i].steps);
                ck_assert(recorder.is_finished == (rows[i].result == 0));
                ipc_conn_free(client);
                ipc_conn_free(server);
                buf_deinit(&recorder.story);
        }
}
END_TEST

START_TEST(client_refuses_what_the_server_would) {
        static char large[ENVELOPE_ADDRESS_MAX + 1];
        Envelope oversize = envelope;
        Recipient unknown_flag = { .notify = 1 << 4 };
        IpcConn *client, *server;

        conn_pair(&client, &server);
        oversize.sender = str_from(large, sizeof(large));
        ck_assert_int_eq(mail_client_begin(client, &oversize), -EMSGSIZE);
        ck_assert_int_eq(mail_client_add_recipient(client, &unknown_flag), -EMSGSIZE);
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

START_TEST(client_whose_server_goes_away_is_not_told_a_success) {
        for (int is_halfway = 0; is_halfway < 2; is_halfway++) {
                MailResult result;
                IpcConn *client, *server;
                char some[5];

                conn_pair(&client, &server);
                ck_assert_int_eq(mail_client_begin(client, &envelope), 0);
                if (is_halfway) {
                        ck_assert_int_eq(ipc_conn_flush(client), 0);
                        ck_assert_int_eq(recv(ipc_conn_fd(server), some, sizeof(some), 0), 5);
                }
                ipc_conn_free(server);
                ck_assert_int_eq(mail_client_finish(client, &result), IPC_E_CLOSED);
                ipc_conn_free(client);
        }
}
END_TEST

int main(void) {
        return unit_main("protocol-mail", message_arrives_as_it_was_sent,
                         refusal_at_each_step_reaches_the_client_after_all_was_read,
                         several_messages_go_over_one_connection,
                         frames_come_in_their_order_or_not_at_all,
                         client_refuses_what_the_server_would,
                         client_whose_server_goes_away_is_not_told_a_success, NULL);
}
