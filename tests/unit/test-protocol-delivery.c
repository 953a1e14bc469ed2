/* common/role/protocol-delivery: the agent's side. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/base/log.h"
#include "common/base/macro.h"
#include "common/role/protocol-delivery.h"
#include "tests/unit/unit.h"

typedef struct Deliveries {
        size_t n;
        int message_fd;
        uint64_t serial;
        char first_address[64];
        char envid[64];
        uint32_t ret;
        bool logs;             /* by itself */
        IpcConn *to_be_closed; /* after the first delivery: qmgr dies */
        IpcConn *to_be_read;   /* before the second delivery: is the first one's outcome there? */
} Deliveries;

static bool deliver(void *context, const Delivery *delivery, const DeliveryRecipient *recipient,
                    Dsn *dsn) {
        Deliveries *deliveries = context;

        if (deliveries->n++ == 0)
                (void)snprintf(deliveries->first_address, sizeof(deliveries->first_address), "%.*s",
                               STR_FMT(recipient->address));
        if (deliveries->n == 2 && deliveries->to_be_read) {
                DeliveryOutcome outcome;

                ck_assert_int_eq(ipc_conn_receive_message(deliveries->to_be_read,
                                                          &delivery_outcome_schema, &outcome),
                                 0);
                ck_assert_uint_eq(outcome.handle, 10);
        }
        (void)snprintf(deliveries->envid, sizeof(deliveries->envid), "%.*s",
                       STR_FMT(delivery->request.envid));
        deliveries->ret = delivery->request.ret;
        deliveries->message_fd = delivery->message_fd;
        deliveries->serial = delivery->serial;
        dsn_set(dsn, DSN_SENT, "2.0.0", "delivered %llu", (unsigned long long)recipient->handle);
        deliveries->to_be_closed = ipc_conn_free(deliveries->to_be_closed);
        return deliveries->logs;
}

static const DeliveryRequest request = {
        .queue_id = { "00000000000000000001", 20 },
        .nexthop = { "here", 4 },
        .sender = { "a@b", 3 },
        .envid = { "QQ+3D314", 8 },
        .ret = ENVELOPE_RET_HDRS,
        .content_offset = 64,
        .content_size = 100,
};

/* STEPS: Q request, R recipient, X a malformed message, D data, . end */
static void append_steps(Buf *frames, const char *steps) {
        DeliveryRecipient recipient = { .handle = 10, .address = STR("c@d") };

        for (; *steps; steps++)
                switch (*steps) {
                case 'Q':
                        (void)ipc_message_append(frames, &delivery_request_schema, &request);
                        break;
                case 'R':
                        (void)ipc_message_append(frames, &delivery_recipient_schema, &recipient);
                        recipient.handle++;
                        break;
                case 'X':
                        (void)ipc_frame_append(frames, IPC_FRAME_MESSAGE, STR("\7messageXXXX"));
                        break;
                case 'D':
                        (void)ipc_frame_append(frames, IPC_FRAME_DATA, STR("data"));
                        break;
                default:
                        (void)ipc_frame_append(frames, IPC_FRAME_END, STR_NULL);
                }
        ck_assert_int_eq(frames->error, 0);
}

static void conn_pair(IpcConn **ret_client, IpcConn **ret_server) {
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(ipc_conn_new(fds[0], ret_client), 0);
        ck_assert_int_eq(ipc_conn_new(fds[1], ret_server), 0);
        ipc_conn_set_timeout(*ret_client, USEC_PER_SEC);
        ipc_conn_set_timeout(*ret_server, 50 * USEC_PER_MSEC);
}

static void send_steps(IpcConn *client, const char *steps) {
        Buf frames _cleanup_(buf_deinit) = BUF_INIT(1 << 20);

        append_steps(&frames, steps);
        ck_assert_int_eq(send(ipc_conn_fd(client), frames.data, frames.len, 0),
                         (ssize_t)frames.len);
}

/* A right request by way of the connection, its descriptor with it. */
static void send_right(IpcConn *client, size_t n_recipients) {
        DeliveryRecipient recipient = { .handle = 10, .address = STR("c@d") };

        ck_assert_int_eq(ipc_conn_send_fd(client, STDIN_FILENO), 0);
        ck_assert_int_eq(ipc_conn_send_message(client, &delivery_request_schema, &request), 0);
        for (size_t i = 0; i < n_recipients; i++, recipient.handle++)
                ck_assert_int_eq(
                        ipc_conn_send_message(client, &delivery_recipient_schema, &recipient), 0);
        ck_assert_int_eq(ipc_conn_send_end(client), 0);
}

START_TEST(each_recipient_is_delivered_and_answered_with_its_handle) {
        IpcConn *client, *server;
        Deliveries deliveries = { 0 };
        DeliveryOutcome outcome;

        conn_pair(&client, &server);
        for (int round = 0; round < 2; round++) { /* the connection is kept */
                uint64_t serial = deliveries.serial;

                send_right(client, 3);
                ck_assert_int_eq(delivery_serve(server, 50, deliver, &deliveries), 0);
                ck_assert_uint_gt(deliveries.serial, serial);
                for (uint64_t handle = 10; handle < 13; handle++) {
                        ck_assert_int_eq(ipc_conn_receive_message(client, &delivery_outcome_schema,
                                                                  &outcome),
                                         0);
                        ck_assert_uint_eq(outcome.handle, handle);
                        ck_assert_uint_eq(outcome.status, DSN_SENT);
                        ck_assert(str_equal(outcome.code, STR("2.0.0")));
                        ck_assert(str_has_prefix(outcome.text, STR("delivered 1")));
                }
                ck_assert_int_eq(ipc_conn_receive_end(client), 0);
        }
        ck_assert_uint_eq(deliveries.n, 6);
        ck_assert_str_eq(deliveries.first_address, "c@d");
        ck_assert_str_eq(deliveries.envid, "QQ+3D314");
        ck_assert_uint_eq(deliveries.ret, ENVELOPE_RET_HDRS);
        /* the descriptor was closed with the request */
        ck_assert_int_eq(fcntl(deliveries.message_fd, F_GETFD), -1);
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

START_TEST(nothing_is_delivered_of_a_request_that_is_not_right) {
        static const struct {
                const char *steps;
                int result;
        } rows[] = {
                { ".", IPC_E_PROTOCOL },
                { "Q.", IPC_E_PROTOCOL },
                { "R.", IPC_E_PROTOCOL },
                { "RQ.", IPC_E_PROTOCOL },
                { "QQR.", IPC_E_PROTOCOL },
                { "QRQ.", IPC_E_PROTOCOL },
                { "QRX.", IPC_E_PROTOCOL },
                { "XR.", IPC_E_PROTOCOL },
                { "QRD.", IPC_E_PROTOCOL },
                { "QRRRR.", IPC_E_PROTOCOL }, /* more than the maximum */
                { "QR.", IPC_E_PROTOCOL },    /* no descriptor */
                { "QR", IPC_E_TIMEOUT },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                IpcConn *client, *server;
                Deliveries deliveries = { 0 };

                conn_pair(&client, &server);
                send_steps(client, rows[i].steps);
                ck_assert_msg(delivery_serve(server, 3, deliver, &deliveries) == rows[i].result,
                              "%s", rows[i].steps);
                ck_assert_uint_eq(deliveries.n, 0);
                ipc_conn_free(client);
                ipc_conn_free(server);
        }
}
END_TEST

START_TEST(a_dead_queue_manager_gets_no_request_begun_and_no_second_delivery) {
        IpcConn *client, *server;
        Deliveries deliveries = { 0 };

        conn_pair(&client, &server);
        send_steps(client, "QRR");
        ipc_conn_free(client);
        ck_assert_int_eq(delivery_serve(server, 50, deliver, &deliveries), IPC_E_CLOSED);
        ck_assert_uint_eq(deliveries.n, 0);
        ipc_conn_free(server);

        conn_pair(&client, &server);
        send_right(client, 3);
        deliveries.to_be_closed = client;
        ck_assert_int_eq(delivery_serve(server, 50, deliver, &deliveries), IPC_E_CLOSED);
        ck_assert_uint_eq(deliveries.n, 1);
        ipc_conn_free(server);
}
END_TEST

START_TEST(answer_of_the_first_recipient_does_not_wait_for_the_last) {
        IpcConn *client, *server;
        Deliveries deliveries = { 0 };

        conn_pair(&client, &server);
        send_right(client, 2);
        deliveries.to_be_read = client;
        ck_assert_int_eq(delivery_serve(server, 50, deliver, &deliveries), 0);
        ck_assert_uint_eq(deliveries.n, 2);
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

START_TEST(recipients_up_to_the_maximum_fit_whatever_their_size) {
        static char long_address[ENVELOPE_ADDRESS_MAX];
        IpcConn *client, *server;
        Deliveries deliveries = { 0 };
        DeliveryRecipient recipient = {
                .handle = UINT64_MAX,
                .address = { long_address, sizeof(long_address) },
                .original = { long_address, sizeof(long_address) },
                .orcpt = { long_address, sizeof(long_address) },
                .notify = RECIPIENT_NOTIFY_ALL,
        };

        memset(long_address, 'a', sizeof(long_address));
        conn_pair(&client, &server);
        ck_assert_int_eq(ipc_conn_send_fd(client, STDIN_FILENO), 0);
        ck_assert_int_eq(ipc_conn_send_message(client, &delivery_request_schema, &request), 0);
        for (int i = 0; i < 20; i++)
                ck_assert_int_eq(
                        ipc_conn_send_message(client, &delivery_recipient_schema, &recipient), 0);
        ck_assert_int_eq(ipc_conn_send_end(client), 0);
        ck_assert_int_eq(delivery_serve(server, 20, deliver, &deliveries), 0);
        ck_assert_uint_eq(deliveries.n, 20);
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

/* Lines that come to a journal while three recipients are delivered. */
static unsigned count_log_lines(bool agent_logs) {
        static const struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "journal" };
        Deliveries deliveries = { .logs = agent_logs };
        char dir[] = "/tmp/unitpost-test-delivery-XXXXXX", line[4096];
        int journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        IpcConn *client, *server;
        unsigned n = 0;

        ck_assert_ptr_nonnull(mkdtemp(dir));
        ck_assert_int_eq(chdir(dir), 0);
        ck_assert_int_eq(bind(journal, (const struct sockaddr *)&address, sizeof(address)), 0);
        log_set_socket_path("journal");
        conn_pair(&client, &server);
        send_right(client, 3);
        ck_assert_int_eq(delivery_serve(server, 50, deliver, &deliveries), 0);
        ipc_conn_free(client);
        ipc_conn_free(server);
        while (recv(journal, line, sizeof(line), 0) > 0)
                n++;
        ck_assert_int_eq(unlink("journal"), 0);
        ck_assert_int_eq(rmdir(dir), 0);
        (void)close(journal);
        return n;
}

START_TEST(an_outcome_is_logged_unless_the_agent_did_it) {
        ck_assert_uint_eq(count_log_lines(false), 3);
        ck_assert_uint_eq(count_log_lines(true), 0);
}
END_TEST

int main(void) {
        log_set_socket_path("/nonexistent");
        return unit_main("protocol-delivery",
                         each_recipient_is_delivered_and_answered_with_its_handle,
                         nothing_is_delivered_of_a_request_that_is_not_right,
                         a_dead_queue_manager_gets_no_request_begun_and_no_second_delivery,
                         answer_of_the_first_recipient_does_not_wait_for_the_last,
                         recipients_up_to_the_maximum_fit_whatever_their_size,
                         an_outcome_is_logged_unless_the_agent_did_it, NULL);
}
