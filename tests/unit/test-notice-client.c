/* common/role/notice-client, with a bounce that is played by a child. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/role/ipc-address.h"
#include "common/role/notice-client.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;

static const NoticeRequest request = {
        .queue_id = { "0123456789ABCDEF0123", 20 },
        .kind = { "one", 3 },
        .code = { "5.3.0", 5 },
        .text = { "Command died", 12 },
        .recipient = { "|false", 6 },
        .sender = { "owner@x", 7 },
        .notify = RECIPIENT_NOTIFY_FAILURE,
};

/* What the child does with the request. */
typedef enum Behaviour {
        SAY_YES,
        SAY_NO,
        SAY_NOTHING,
        SAY_NONSENSE,
} Behaviour;

static bool is_as_sent(const NoticeRequest *got, int fd) {
        char text[8] = "";

        return str_equal(got->queue_id, request.queue_id) && str_equal(got->kind, request.kind) &&
               str_equal(got->recipient, request.recipient) &&
               str_equal(got->sender, request.sender) && got->notify == request.notify && fd >= 0 &&
               pread(fd, text, 5, 0) == 5 && memcmp(text, "queue", 5) == 0;
}

static void answer(IpcConn *conn, Behaviour behaviour) {
        NoticeResult result = { .ok = behaviour == SAY_YES, .text = STR("no room") };
        NoticeRequest got;
        bool as_sent;

        if (ipc_conn_receive_message(conn, &notice_request_schema, &got) != 0)
                return;
        as_sent = is_as_sent(&got, ipc_conn_take_fd(conn));
        if (ipc_conn_receive_end(conn) != 0 || !as_sent || behaviour == SAY_NOTHING)
                return;
        if (behaviour == SAY_YES)
                result.notice_id = STR("9876543210ABCDEF0123");
        if (behaviour == SAY_NONSENSE)
                (void)ipc_conn_send_message(conn, &notice_request_schema, &request);
        else
                (void)ipc_conn_send_message(conn, &notice_result_schema, &result);
        (void)ipc_conn_send_end(conn);
}

static pid_t start_bounce(Behaviour behaviour) {
        struct sockaddr_un address;
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        ck_assert_int_eq(ipc_address_fill("bounce", &address), 0);
        (void)unlink(address.sun_path);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 1), 0);
        pid = fork();
        if (pid == 0) {
                IpcConn *conn;

                if (ipc_conn_new(accept(listener, NULL, NULL), &conn) != 0)
                        _exit(1);
                ipc_conn_set_timeout(conn, 10 * USEC_PER_SEC);
                (void)ipc_conn_send_hello(conn, "bounce");
                (void)ipc_conn_flush(conn);
                answer(conn, behaviour);
                _exit(0);
        }
        (void)close(listener);
        return pid;
}

START_TEST(the_answer_is_what_bounce_says) {
        static const struct {
                Behaviour behaviour;
                bool ok;
                const char *notice_id, *text;
        } rows[] = {
                { SAY_YES, true, "9876543210ABCDEF0123", "bounce: no room" },
                { SAY_NO, false, "", "bounce: no room" },
                { SAY_NOTHING, false, "", "bounce: connection closed" },
                { SAY_NONSENSE, false, "", "bounce: protocol error" },
        };
        NoticeReply reply;
        int fd;

        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        temp_tree_write_text(&tree, "message", "queue file");
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                char path[128];
                pid_t bounce = start_bounce(rows[i].behaviour);

                fd = open(temp_tree_path(&tree, "message", path, sizeof(path)),
                          O_RDONLY | O_CLOEXEC);
                ck_assert(notice_client_ask(&request, fd, &reply) == rows[i].ok);
                ck_assert_str_eq(reply.notice_id, rows[i].notice_id);
                ck_assert_str_eq(reply.text, rows[i].text);
                ck_assert_int_eq(waitpid(bounce, NULL, 0), bounce);
                ck_assert_int_eq(close(fd), 0);
        }
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(without_bounce_the_answer_is_no) {
        NoticeReply reply;

        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        ck_assert(!notice_client_ask(&request, STDIN_FILENO, &reply));
        ck_assert_str_eq(reply.notice_id, "");
        ck_assert_int_eq(memcmp(reply.text, "bounce: ", 8), 0);
        temp_tree_remove(&tree);
}
END_TEST

int main(void) {
        return unit_main("notice-client", the_answer_is_what_bounce_says,
                         without_bounce_the_answer_is_no, NULL);
}
