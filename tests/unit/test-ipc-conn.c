/* common/role/ipc-conn: the blocking connection, over a socketpair. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/macro.h"
#include "common/role/ipc-address.h"
#include "common/role/ipc-conn.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

typedef struct Number {
        uint32_t value;
} Number;

static const IpcField number_fields[] = {
        { "value", IPC_U32, offsetof(Number, value), UINT32_MAX },
};
static const IpcSchema number_schema = IPC_SCHEMA("number", number_fields);

/* A connection and the raw socket at its other end. */
static IpcConn *conn_with_peer(int *ret_peer) {
        IpcConn *conn;
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        ck_assert_int_eq(ipc_conn_new(fds[0], &conn), 0);
        *ret_peer = fds[1];
        return conn;
}

/* Two connections, facing each other. */
static void conn_pair(IpcConn **ret_a, IpcConn **ret_b) {
        int peer;

        *ret_a = conn_with_peer(&peer);
        ck_assert_int_eq(ipc_conn_new(peer, ret_b), 0);
}

static void send_raw(int fd, const void *data, size_t len, const int *fds, size_t n_fds) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(64 * sizeof(int))];
        } control = { 0 };
        struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > 0) {
                message.msg_control = control.bytes;
                message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
                CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
                CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
                CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
                memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, n_fds * sizeof(int));
        }
        ck_assert_int_eq(sendmsg(fd, &message, 0), (ssize_t)len);
}

static int count_fds(void) {
        int n = 0;

        for (int fd = 0; fd < 256; fd++)
                n += fcntl(fd, F_GETFD) >= 0;
        return n;
}

static usec_t elapsed_usec(usec_t since) {
        return usec_sub(clock_monotonic_usec(), since);
}

START_TEST(request_and_answer_pass) {
        IpcConn *client, *server;
        Number number = { .value = 42 };

        conn_pair(&client, &server);
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(ipc_conn_send_message(client, &number_schema, &number), 0);
                ck_assert_int_eq(ipc_conn_send_end(client), 0);
                number.value = 0;
                ck_assert_int_eq(ipc_conn_receive_message(server, &number_schema, &number), 0);
                ck_assert_uint_eq(number.value, 42);
                ck_assert_int_eq(ipc_conn_receive_end(server), 0);
                ck_assert(!ipc_conn_has_input(server));
        }
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

START_TEST(peer_is_named_by_the_kernel) {
        IpcConn *client, *server;

        conn_pair(&client, &server);
        ck_assert_uint_eq(ipc_conn_peer(server)->uid, getuid());
        ck_assert_int_eq(ipc_conn_peer(server)->pid, getpid());
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

START_TEST(nothing_is_sent_before_a_flush_and_then_all_at_once) {
        int peer;
        IpcConn *conn = conn_with_peer(&peer);
        Number number = { .value = 1 };
        char data[1000];
        ssize_t first;

        ck_assert_int_eq(ipc_conn_send_message(conn, &number_schema, &number), 0);
        ck_assert_int_eq(ipc_conn_send_data(conn, STR("body")), 0);
        ck_assert_int_eq(recv(peer, data, sizeof(data), MSG_DONTWAIT), -1);
        ck_assert_int_eq(ipc_conn_send_end(conn), 0);
        first = recv(peer, data, sizeof(data), MSG_DONTWAIT);
        ck_assert_int_gt(first, 20);
        ck_assert_int_eq(data[first - 5], 'E');
        ipc_conn_free(conn);
        close(peer);
}
END_TEST

START_TEST(data_of_any_length_passes_and_is_bounded_in_frames) {
        enum {
                SIZE = 1000000
        };
        IpcConn *client, *server;
        char *data = malloc(SIZE);
        size_t got = 0;
        IpcFrame frame;
        pid_t pid;
        int status;

        ck_assert_ptr_nonnull(data);
        for (size_t i = 0; i < SIZE; i++)
                data[i] = (char)(i * 7 + i / 256);
        conn_pair(&client, &server);
        pid = fork();
        if (pid == 0) {
                ipc_conn_free(server);
                _exit(ipc_conn_send_data(client, str_from(data, SIZE)) == 0 &&
                                      ipc_conn_send_end(client) == 0
                              ? 0
                              : 1);
        }
        ipc_conn_set_timeout(server, 10 * USEC_PER_SEC);
        for (;;) {
                ck_assert_int_eq(ipc_conn_receive(server, &frame), 0);
                if (frame.type == IPC_FRAME_END)
                        break;
                ck_assert_int_eq(frame.type, IPC_FRAME_DATA);
                ck_assert_uint_le(got + frame.payload.len, SIZE);
                ck_assert_mem_eq(frame.payload.data, data + got, frame.payload.len);
                got += frame.payload.len;
        }
        ck_assert_uint_eq(got, SIZE);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ipc_conn_free(client);
        ipc_conn_free(server);
        free(data);
}
END_TEST

START_TEST(frames_arrive_whole_whatever_the_pieces) {
        static const char bytes[] = "D\0\0\0\3abcE\0\0\0\0D\0\0\0\1x";

        for (size_t cut = 1; cut < sizeof(bytes) - 1; cut++) {
                int peer;
                IpcConn *conn = conn_with_peer(&peer);
                IpcFrame frame;

                ipc_conn_set_timeout(conn, 20 * USEC_PER_MSEC);
                send_raw(peer, bytes, cut, NULL, 0);
                if (cut < 8)
                        ck_assert_int_eq(ipc_conn_receive(conn, &frame), IPC_E_TIMEOUT);
                send_raw(peer, bytes + cut, sizeof(bytes) - 1 - cut, NULL, 0);
                ipc_conn_set_timeout(conn, USEC_PER_SEC);
                ck_assert_int_eq(ipc_conn_receive(conn, &frame), 0);
                ck_assert(str_equal(frame.payload, STR("abc")));
                ck_assert_int_eq(ipc_conn_receive_end(conn), 0);
                ck_assert_int_eq(ipc_conn_receive(conn, &frame), 0);
                ck_assert(str_equal(frame.payload, STR("x")));
                ipc_conn_free(conn);
                close(peer);
        }
}
END_TEST

START_TEST(deadline_is_total_not_per_read) {
        int peer;
        IpcConn *conn = conn_with_peer(&peer);
        IpcFrame frame;
        usec_t start;
        pid_t pid;

        pid = fork();
        if (pid == 0) { /* a byte each 10 ms: never silent, never done */
                static const char bytes[100] = "D\0\0\xff\xff";

                for (size_t i = 0; i < sizeof(bytes); i++) {
                        struct timespec pause = { .tv_nsec = 10000000 };

                        if (send(peer, &bytes[i], 1, MSG_NOSIGNAL) < 0)
                                break;
                        (void)nanosleep(&pause, NULL);
                }
                _exit(0);
        }
        close(peer);
        start = clock_monotonic_usec();
        ipc_conn_set_timeout(conn, 100 * USEC_PER_MSEC);
        ck_assert_int_eq(ipc_conn_receive(conn, &frame), IPC_E_TIMEOUT);
        ck_assert_uint_lt(elapsed_usec(start), 500 * USEC_PER_MSEC);
        ipc_conn_free(conn);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(silent_peer_times_out) {
        int peer;
        IpcConn *conn = conn_with_peer(&peer);
        usec_t start = clock_monotonic_usec();
        IpcFrame frame;

        send_raw(peer, "M\0\0", 3, NULL, 0);
        ipc_conn_set_timeout(conn, 50 * USEC_PER_MSEC);
        ck_assert_int_eq(ipc_conn_receive(conn, &frame), IPC_E_TIMEOUT);
        ck_assert_uint_ge(elapsed_usec(start), 50 * USEC_PER_MSEC);
        ck_assert_uint_lt(elapsed_usec(start), 500 * USEC_PER_MSEC);
        ck_assert_int_eq(ipc_conn_wait_input(conn), 0);
        ipc_conn_free(conn);
        close(peer);
}
END_TEST

START_TEST(peer_that_does_not_read_times_out) {
        int peer;
        IpcConn *conn = conn_with_peer(&peer);
        char *data = calloc(1, 4 << 20);
        usec_t start = clock_monotonic_usec();

        ck_assert_ptr_nonnull(data);
        ipc_conn_set_timeout(conn, 50 * USEC_PER_MSEC);
        ck_assert_int_eq(ipc_conn_send_data(conn, str_from(data, 4 << 20)), IPC_E_TIMEOUT);
        ck_assert_uint_lt(elapsed_usec(start), USEC_PER_SEC);
        ipc_conn_free(conn);
        close(peer);
        free(data);
}
END_TEST

START_TEST(end_of_file_is_told_at_any_place) {
        static const char bytes[] = "D\0\0\0\3abc";

        for (size_t n = 0; n <= sizeof(bytes) - 1; n++) {
                int peer;
                IpcConn *conn = conn_with_peer(&peer);
                IpcFrame frame;

                if (n > 0)
                        send_raw(peer, bytes, n, NULL, 0);
                close(peer);
                if (n == sizeof(bytes) - 1)
                        ck_assert_int_eq(ipc_conn_receive(conn, &frame), 0);
                ck_assert_int_eq(ipc_conn_receive(conn, &frame), IPC_E_CLOSED);
                ck_assert_int_eq(ipc_conn_send_end(conn), IPC_E_CLOSED);
                ipc_conn_free(conn);
        }
}
END_TEST

START_TEST(descriptor_rides_on_the_first_byte_and_is_close_on_exec) {
        IpcConn *client, *server;
        Number number = { .value = 1 };
        struct stat sent, got;
        int fd;

        conn_pair(&client, &server);
        ck_assert_int_eq(fstat(STDIN_FILENO, &sent), 0);
        for (int i = 0; i < 3; i++) {
                ck_assert_int_eq(ipc_conn_send_fd(client, STDIN_FILENO), 0);
                ck_assert_int_eq(ipc_conn_send_message(client, &number_schema, &number), 0);
                ck_assert_int_eq(ipc_conn_send_end(client), 0);
                ck_assert_int_eq(ipc_conn_receive_message(server, &number_schema, &number), 0);
                ck_assert_int_eq(ipc_conn_receive_end(server), 0);
                fd = ipc_conn_take_fd(server);
                ck_assert_int_ge(fd, 0);
                ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
                ck_assert_int_eq(fstat(fd, &got), 0);
                ck_assert_uint_eq(got.st_ino, sent.st_ino);
                ck_assert_int_eq(ipc_conn_take_fd(server), -1);
                close(fd);
        }
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

START_TEST(descriptor_that_nobody_took_is_closed_with_its_request) {
        int before = count_fds();
        IpcConn *client, *server;

        conn_pair(&client, &server);
        for (int i = 0; i < 10; i++) {
                ck_assert_int_eq(ipc_conn_send_fd(client, STDIN_FILENO), 0);
                ck_assert_int_eq(ipc_conn_send_end(client), 0);
                ck_assert_int_eq(ipc_conn_receive_end(server), 0);
                ck_assert_int_le(count_fds(), before + 3);
        }
        ipc_conn_free(client);
        ipc_conn_free(server);
        ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(second_descriptor_in_a_request_is_refused_and_closed) {
        static const int three[] = { 0, 0, 0 };
        static const struct {
                size_t first, second; /* descriptors on the first and on a later byte */
        } rows[] = { { 2, 0 }, { 3, 0 }, { 1, 1 }, { 0, 2 }, { 1, 3 } };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                int before = count_fds(), peer;
                IpcConn *conn = conn_with_peer(&peer);
                IpcFrame frame;
                int r;

                send_raw(peer, "D\0\0\0\3", 5, three, rows[i].first);
                send_raw(peer, "abc", 3, three, rows[i].second);
                do
                        r = ipc_conn_receive(conn, &frame);
                while (r == 0);
                ck_assert_msg(r == IPC_E_PROTOCOL, "row %zu: %d", i, r);
                ipc_conn_free(conn);
                close(peer);
                ck_assert_int_eq(count_fds(), before);
        }
}
END_TEST

START_TEST(descriptors_cut_off_by_the_kernel_are_refused) {
        static const int many[40] = { 0 };
        int before = count_fds(), peer;
        IpcConn *conn = conn_with_peer(&peer);
        IpcFrame frame;

        send_raw(peer, "E\0\0\0\0", 5, many, ARRAY_LEN(many));
        ck_assert_int_eq(ipc_conn_receive(conn, &frame), IPC_E_PROTOCOL);
        ck_assert_int_eq(ipc_conn_take_fd(conn), -1);
        ipc_conn_free(conn);
        close(peer);
        ck_assert_int_eq(count_fds(), before);
}
END_TEST

START_TEST(descriptor_that_finds_no_room_is_not_passed_over) {
        struct rlimit limit, none;
        IpcConn *client, *server;
        IpcFrame frame;

        conn_pair(&client, &server);
        ck_assert_int_eq(ipc_conn_send_fd(client, STDIN_FILENO), 0);
        ck_assert_int_eq(ipc_conn_send_end(client), 0);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        none = (struct rlimit){ .rlim_cur = 3, .rlim_max = limit.rlim_max };
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
        ck_assert_int_eq(ipc_conn_receive(server, &frame), IPC_E_PROTOCOL);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

START_TEST(wrong_frames_are_protocol_errors) {
        IpcConn *client, *server;
        Number number;

        conn_pair(&client, &server);
        ck_assert_int_eq(ipc_conn_send_data(client, STR("x")), 0);
        ck_assert_int_eq(ipc_conn_send_end(client), 0);
        ck_assert_int_eq(ipc_conn_receive_message(server, &number_schema, &number), IPC_E_PROTOCOL);
        ck_assert_int_eq(ipc_conn_send_data(client, STR("x")), 0);
        ck_assert_int_eq(ipc_conn_flush(client), 0);
        ck_assert_int_eq(ipc_conn_receive_end(server), 0);
        ck_assert_int_eq(ipc_conn_receive_end(server), IPC_E_PROTOCOL);
        ipc_conn_free(client);
        ipc_conn_free(server);
}
END_TEST

/* ---- connecting ---- */

/* Listen as SERVICE in TREE; a child accepts once, sends BYTES and waits for the end. */
static pid_t fake_server(const char *service, const char *bytes, size_t len) {
        struct sockaddr_un address;
        int listener, fd;
        pid_t pid;
        char end;

        ck_assert_int_eq(ipc_address_fill(service, &address), 0);
        listener = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 1), 0);
        pid = fork();
        if (pid == 0) {
                fd = accept(listener, NULL, NULL);
                (void)send(fd, bytes, len, MSG_NOSIGNAL);
                if (len > 0)
                        (void)recv(fd, &end, 1, 0);
                else
                        (void)shutdown(fd, SHUT_RDWR);
                _exit(0);
        }
        close(listener);
        return pid;
}

START_TEST(connect_needs_the_hello_of_the_right_role) {
        TempTree tree;
        Buf hello _cleanup_(buf_deinit) = BUF_INIT(1000);
        const struct {
                const char *service;
                Str bytes;
                int result;
        } rows[] = {
                { "right", { NULL, 1 }, 0 },
                { "wrong", { NULL, 2 }, IPC_E_PROTOCOL },
                { "garbage", STR("HTTP/1.1 200 OK"), IPC_E_PROTOCOL },
                { "other-frame", STR("E\0\0\0\0"), IPC_E_PROTOCOL },
                { "slow", STR("H\0\0"), IPC_E_TIMEOUT },
                { "gone", STR_NULL, IPC_E_CLOSED },
        };

        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Str bytes = rows[i].bytes;
                IpcConn *conn = NULL;
                pid_t pid;

                if (!bytes.data && bytes.len > 0) {
                        buf_reset(&hello);
                        (void)ipc_hello_append(&hello, bytes.len == 1 ? STR("probe") : STR("prob"));
                        bytes = buf_str(&hello);
                }
                pid = fake_server(rows[i].service, bytes.data, bytes.len);
                ck_assert_msg(ipc_conn_connect(rows[i].service, "probe", 100 * USEC_PER_MSEC,
                                               &conn) == rows[i].result,
                              "%s", rows[i].service);
                ipc_conn_free(conn);
                ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        }
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(connect_to_nobody_is_refused) {
        TempTree tree;
        IpcConn *conn;

        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        ck_assert_int_eq(ipc_conn_connect("absent", "probe", USEC_PER_SEC, &conn), IPC_E_REFUSED);
        ck_assert_int_eq(waitpid(fake_server("left", "x", 1), NULL, WNOHANG), 0);
        ck_assert_int_eq(ipc_conn_connect("absent/below", "probe", USEC_PER_SEC, &conn),
                         IPC_E_REFUSED);
        ck_assert_int_eq(ipc_conn_connect("left/below", "probe", USEC_PER_SEC, &conn),
                         IPC_E_REFUSED);
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(connect_to_a_full_backlog_is_busy_in_time) {
        TempTree tree;
        struct sockaddr_un address;
        usec_t start = clock_monotonic_usec();
        int listener, r = 0;

        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        ck_assert_int_eq(ipc_address_fill("full", &address), 0);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 0), 0);
        for (int i = 0; i < 5 && r != IPC_E_BUSY; i++) {
                IpcConn *conn = NULL;

                r = ipc_conn_connect("full", "probe", 50 * USEC_PER_MSEC, &conn);
                ck_assert(r == IPC_E_BUSY || r == IPC_E_TIMEOUT);
                if (r == IPC_E_TIMEOUT) { /* keep a place in the backlog */
                        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

                        (void)!connect(fd, (struct sockaddr *)&address, sizeof(address));
                }
        }
        ck_assert_int_eq(r, IPC_E_BUSY);
        ck_assert_uint_lt(elapsed_usec(start), 2 * USEC_PER_SEC);
        close(listener);
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(service_names_do_not_lead_out_of_the_directory) {
        static const char *const bad[] = { "",      ".",    "..",  "../x", "/x",        "x/",
                                           "x/y/z", "x//y", "a b", "a.b",  "x/../../y", "a\n" };
        char long_name[200];
        struct sockaddr_un address;

        for (size_t i = 0; i < ARRAY_LEN(bad); i++)
                ck_assert_msg(ipc_address_fill(bad[i], &address) == -EINVAL, "%s", bad[i]);
        memset(long_name, 'a', sizeof(long_name) - 1);
        long_name[sizeof(long_name) - 1] = '\0';
        ck_assert_int_eq(ipc_address_fill(long_name, &address), -EINVAL);
        ipc_address_set_directory(NULL);
        ck_assert_int_eq(ipc_address_fill("transport/my-smtp_2", &address), 0);
        ck_assert_str_eq(address.sun_path, "/run/unitpost/transport/my-smtp_2");
}
END_TEST

int main(void) {
        return unit_main("ipc-conn", request_and_answer_pass, peer_is_named_by_the_kernel,
                         nothing_is_sent_before_a_flush_and_then_all_at_once,
                         data_of_any_length_passes_and_is_bounded_in_frames,
                         frames_arrive_whole_whatever_the_pieces, deadline_is_total_not_per_read,
                         silent_peer_times_out, peer_that_does_not_read_times_out,
                         end_of_file_is_told_at_any_place,
                         descriptor_rides_on_the_first_byte_and_is_close_on_exec,
                         descriptor_that_nobody_took_is_closed_with_its_request,
                         second_descriptor_in_a_request_is_refused_and_closed,
                         descriptors_cut_off_by_the_kernel_are_refused,
                         descriptor_that_finds_no_room_is_not_passed_over,
                         wrong_frames_are_protocol_errors,
                         connect_needs_the_hello_of_the_right_role, connect_to_nobody_is_refused,
                         connect_to_a_full_backlog_is_busy_in_time,
                         service_names_do_not_lead_out_of_the_directory, NULL);
}
