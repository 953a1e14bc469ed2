/* common/role/ipc-channel: the non-blocking connection, against a scripted peer in a child. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/macro.h"
#include "common/role/ipc-address.h"
#include "common/role/ipc-channel.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

/* What the peer does after accept, one letter each:
 * h hello, w hello of another role, r read the request, m one message, e END, x garbage,
 * l a message without its end, s sleep 5 s, d shut the receiving side, c close */
typedef struct Client {
        sd_event *event;
        IpcChannel *channel;
        size_t n_requests; /* to be made */
        size_t request_bytes;
        size_t n_ready, n_messages, n_closed;
        int reason;
        bool free_in_message;
        bool free_in_ready;
} Client;

static TempTree tree;

static void sleep_msec(long msec) {
        struct timespec pause = { .tv_sec = msec / 1000, .tv_nsec = msec % 1000 * 1000000 };

        (void)nanosleep(&pause, NULL);
}

static void send_buf(int fd, const Buf *buf) {
        if (send(fd, buf->data, buf->len, MSG_NOSIGNAL) < 0)
                _exit(0);
}

static void read_request(int fd) {
        static char data[1 << 20];
        size_t len = 0;

        for (;;) {
                ssize_t n = recv(fd, data + len, sizeof(data) - len, 0);

                if (n <= 0)
                        _exit(0);
                len += (size_t)n;
                if (len >= 5 && memcmp(data + len - 5, "E\0\0\0\0", 5) == 0)
                        return;
        }
}

static void act(int fd, char step) {
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(1000);

        switch (step) {
        case 'h':
                (void)ipc_hello_append(&buf, STR("probe"));
                break;
        case 'w':
                (void)ipc_hello_append(&buf, STR("other"));
                break;
        case 'r':
                read_request(fd);
                return;
        case 'm':
                (void)ipc_frame_append(&buf, IPC_FRAME_MESSAGE, STR("payload"));
                break;
        case 'e':
                (void)ipc_frame_append(&buf, IPC_FRAME_END, STR_NULL);
                break;
        case 'x':
                (void)buf_append_cstr(&buf, "garbage");
                break;
        case 'l':
                (void)buf_append(&buf, "M\0\0\0\7pay", 8);
                break;
        case 'd':
                (void)shutdown(fd, SHUT_RD);
                return;
        case 's':
                sleep_msec(5000);
                return;
        default:
                return;
        }
        send_buf(fd, &buf);
}

/* One letter per send, so that each is an event of its own, 10 ms apart where SLOW. */
static pid_t start_peer(const char *script, bool is_slow) {
        struct sockaddr_un address;
        int listener;
        pid_t pid;

        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        ck_assert_int_eq(ipc_address_fill("probe", &address), 0);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 5), 0);
        pid = fork();
        if (pid == 0) {
                int fd = accept(listener, NULL, NULL);

                for (; *script; script++) {
                        act(fd, *script);
                        if (is_slow)
                                sleep_msec(10);
                }
                _exit(0);
        }
        close(listener);
        return pid;
}

static void on_ready(void *userdata) {
        Client *client = userdata;
        Buf request = BUF_INIT(1 << 20);
        char *room;

        client->n_ready++;
        if (client->free_in_ready) {
                client->channel = ipc_channel_free(client->channel);
                (void)sd_event_exit(client->event, 0);
                return;
        }
        if (client->n_requests == 0) {
                (void)sd_event_exit(client->event, 0);
                return;
        }
        client->n_requests--;
        for (size_t left = client->request_bytes; left > 0;) {
                size_t n = size_min(left, IPC_FRAME_MAX_BYTES);

                ck_assert_int_eq(buf_reserve(&request, IPC_FRAME_HEADER_BYTES + n, &room), 0);
                memset(room, 0, IPC_FRAME_HEADER_BYTES + n);
                ipc_frame_write_header(room, IPC_FRAME_DATA, n);
                buf_commit(&request, IPC_FRAME_HEADER_BYTES + n);
                left -= n;
        }
        ck_assert_int_eq(ipc_frame_append(&request, IPC_FRAME_END, STR_NULL), 0);
        ck_assert_int_eq(ipc_channel_request(client->channel, &request,
                                             fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3),
                                             200 * USEC_PER_MSEC),
                         0);
        ck_assert_ptr_null(request.data);
}

static void on_message(void *userdata, Str payload) {
        Client *client = userdata;

        ck_assert(str_equal(payload, STR("payload")));
        client->n_messages++;
        if (client->free_in_message) {
                client->channel = ipc_channel_free(client->channel);
                (void)sd_event_exit(client->event, 0);
        }
}

static void on_close(void *userdata, int reason) {
        Client *client = userdata;

        client->n_closed++;
        client->reason = reason;
        client->channel = ipc_channel_free(client->channel);
        (void)sd_event_exit(client->event, 0);
}

static const IpcChannelHandler handler = {
        .on_ready = on_ready,
        .on_message = on_message,
        .on_close = on_close,
};

/* Run CLIENT against a peer with SCRIPT until it closes or has made its requests. */
static void run(Client *client, const char *script, bool is_slow) {
        pid_t pid = script ? start_peer(script, is_slow) : 0;
        int n_fds = 0;

        if (!script) {
                temp_tree_make(&tree);
                ipc_address_set_directory(tree.root);
        }
        for (int fd = 0; fd < 100; fd++)
                n_fds += fcntl(fd, F_GETFD) >= 0;
        ck_assert_int_ge(sd_event_new(&client->event), 0);
        ck_assert_int_eq(ipc_channel_new(client->event, "probe", "probe", 200 * USEC_PER_MSEC,
                                         &handler, client, &client->channel),
                         0);
        ck_assert_uint_eq(client->n_closed, 0); /* never from inside a call */
        ck_assert_int_eq(sd_event_loop(client->event), 0);
        ipc_channel_free(client->channel);
        client->channel = NULL;
        sd_event_unref(client->event);
        for (int fd = 0; fd < 100; fd++)
                n_fds -= fcntl(fd, F_GETFD) >= 0;
        ck_assert_int_eq(n_fds, 0);
        if (pid > 0) {
                (void)kill(pid, SIGKILL);
                ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        }
        temp_tree_remove(&tree);
}

START_TEST(requests_go_one_after_the_other_and_answers_come_message_by_message) {
        for (int is_slow = 0; is_slow < 2; is_slow++) {
                Client client = { .n_requests = 3 };

                run(&client, "hrmmererme", is_slow);
                ck_assert_uint_eq(client.n_ready, 4);
                ck_assert_uint_eq(client.n_messages, 3);
                ck_assert_uint_eq(client.n_closed, 0);
        }
}
END_TEST

START_TEST(each_end_is_told_exactly_once_with_its_reason) {
        static const struct {
                const char *script; /* NULL: no socket */
                size_t n_messages;
                int reason;
        } rows[] = {
                { NULL, 0, IPC_E_REFUSED },   { "s", 0, IPC_E_TIMEOUT }, /* no hello */
                { "", 0, IPC_E_CLOSED },                                 /* gone before the hello */
                { "w", 0, IPC_E_PROTOCOL },   /* the hello of another role */
                { "x", 0, IPC_E_PROTOCOL },   /* no hello at all */
                { "m", 0, IPC_E_PROTOCOL },   /* an answer before the hello */
                { "hrs", 0, IPC_E_TIMEOUT },  /* no answer */
                { "hrms", 1, IPC_E_TIMEOUT }, /* an answer without its end */
                { "hrm", 1, IPC_E_CLOSED },   /* gone in the middle */
                { "hrml", 1, IPC_E_CLOSED },  /* gone in the middle of a message */
                { "hr", 0, IPC_E_CLOSED },    { "hrx", 0, IPC_E_PROTOCOL },
                { "hrh", 0, IPC_E_PROTOCOL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Client client = { .n_requests = 1 };

                run(&client, rows[i].script, false);
                ck_assert_msg(client.n_closed == 1 && client.reason == rows[i].reason &&
                                      client.n_messages == rows[i].n_messages,
                              "%s: %d, %zu messages", rows[i].script ? rows[i].script : "absent",
                              client.reason, client.n_messages);
        }
}
END_TEST

START_TEST(answer_without_a_question_is_a_protocol_error) {
        Client client = { .n_requests = 1 };

        /* the second END comes when nothing was asked: seen by the next request at the latest */
        run(&client, "hreme", true);
        ck_assert_uint_eq(client.n_ready, 2);
}
END_TEST

START_TEST(request_that_the_server_did_not_take_is_told_from_one_that_it_did) {
        Client whole = { .n_requests = 2 };
        Client half = { .n_requests = 1, .request_bytes = 900000 };

        /* The receiving side is shut before the answer to the first is complete, as a worker does
         * that closes a kept connection: the second cannot be sent. */
        run(&whole, "hrdes", false);
        ck_assert_uint_eq(whole.n_closed, 1);
        ck_assert_int_eq(whole.reason, IPC_E_NOT_TAKEN);
        /* More than the socket takes, and the server goes away: its END was never read. */
        run(&half, "h", true);
        ck_assert_uint_eq(half.n_closed, 1);
        ck_assert_int_eq(half.reason, IPC_E_NOT_TAKEN);
}
END_TEST

START_TEST(large_request_is_sent_in_pieces) {
        Client client = { .n_requests = 2, .request_bytes = 900000 };

        run(&client, "hrerme", true);
        ck_assert_uint_eq(client.n_ready, 3);
        ck_assert_uint_eq(client.n_messages, 1);
}
END_TEST

START_TEST(owner_may_free_it_inside_any_callback) {
        Client in_ready = { .free_in_ready = true };
        Client in_message = { .n_requests = 1, .free_in_message = true };

        run(&in_ready, "h", false);
        ck_assert_uint_eq(in_ready.n_ready, 1);
        run(&in_message, "hrmme", false);
        ck_assert_uint_eq(in_message.n_messages, 1);
        ck_assert_uint_eq(in_message.n_closed, 0);
}
END_TEST

START_TEST(request_while_not_ready_is_refused_and_its_descriptor_closed) {
        Client client = { 0 };
        Buf request _cleanup_(buf_deinit) = BUF_INIT(100);
        pid_t pid = start_peer("s", false);
        int fd;

        ck_assert_int_ge(sd_event_new(&client.event), 0);
        ck_assert_int_eq(ipc_channel_new(client.event, "probe", "probe", USEC_PER_SEC, &handler,
                                         &client, &client.channel),
                         0);
        fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        ck_assert_int_eq(ipc_channel_request(client.channel, &request, fd, USEC_PER_SEC), -EBUSY);
        ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
        ipc_channel_free(client.channel);
        sd_event_unref(client.event);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        temp_tree_remove(&tree);
}
END_TEST

int main(void) {
        return unit_main("ipc-channel",
                         requests_go_one_after_the_other_and_answers_come_message_by_message,
                         each_end_is_told_exactly_once_with_its_reason,
                         answer_without_a_question_is_a_protocol_error,
                         request_that_the_server_did_not_take_is_told_from_one_that_it_did,
                         large_request_is_sent_in_pieces, owner_may_free_it_inside_any_callback,
                         request_while_not_ready_is_refused_and_its_descriptor_closed, NULL);
}
