/* common/role/protocol-queue: commands to qmgr. */

#include <errno.h>
#include <sys/socket.h>

#include "common/base/macro.h"
#include "common/role/ipc-address.h"
#include "common/role/ipc-frame.h"
#include "common/role/protocol-queue.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

#define ID "0123456789ABCDEF0123"

START_TEST(datagrams_are_read_strictly) {
        static const struct {
                Str datagram;
                int result;
        } rows[] = {
                { { "I" ID, 21 }, 0 },
                { { "O" ID, 21 }, 0 },
                { { "W", 1 }, 0 },
                { { "F", 1 }, 0 },
                { { "", 0 }, IPC_E_PROTOCOL },
                { { "\0", 1 }, IPC_E_PROTOCOL },
                { { "X", 1 }, IPC_E_PROTOCOL },
                { { "i" ID, 21 }, IPC_E_PROTOCOL },
                { { "W" ID, 21 }, IPC_E_PROTOCOL },
                { { "W\n", 2 }, IPC_E_PROTOCOL },
                { { "F\0", 2 }, IPC_E_PROTOCOL },
                { { "I", 1 }, IPC_E_PROTOCOL },
                { { "I" ID, 20 }, IPC_E_PROTOCOL },
                { { "I" ID "0", 22 }, IPC_E_PROTOCOL },
                { { "I" ID "\0", 22 }, IPC_E_PROTOCOL },
                { { "I0123456789abcdef0123", 21 }, IPC_E_PROTOCOL },
                { { "I../../../etc/passwd0", 21 }, IPC_E_PROTOCOL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                QmgrCommand command;
                QueueId id;

                ck_assert_msg(qmgr_command_parse(rows[i].datagram, &command, &id) == rows[i].result,
                              "row %zu", i);
                if (rows[i].result != 0)
                        continue;
                ck_assert_int_eq(command, rows[i].datagram.data[0]);
                if (rows[i].datagram.len > 1)
                        ck_assert_str_eq(id.text, ID);
        }
}
END_TEST

static int listen_as_qmgr(const TempTree *tree) {
        struct sockaddr_un address;
        int fd;

        ipc_address_set_directory(tree->root);
        ck_assert_int_eq(ipc_address_fill("qmgr", &address), 0);
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
        return fd;
}

START_TEST(what_is_sent_is_what_is_read) {
        TempTree tree;
        QmgrCommand command;
        QueueId id, got;
        char data[100];
        ssize_t n;
        int fd;

        temp_tree_make(&tree);
        fd = listen_as_qmgr(&tree);
        ck_assert(queue_id_parse(STR(ID), &id));
        ck_assert_int_eq(qmgr_send_command(QMGR_INCOMING, &id, 0), 0);
        n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
        ck_assert_int_eq(qmgr_command_parse(str_from(data, (size_t)n), &command, &got), 0);
        ck_assert_int_eq(command, QMGR_INCOMING);
        ck_assert_str_eq(got.text, ID);
        ck_assert_int_eq(qmgr_send_command(QMGR_WAKE, NULL, 0), 0);
        n = recv(fd, data, sizeof(data), MSG_DONTWAIT);
        ck_assert_int_eq(n, 1);
        close(fd);
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(full_socket_is_waited_for_as_long_as_asked) {
        TempTree tree;
        usec_t start;
        int fd, r = 0, n = 0;

        temp_tree_make(&tree);
        fd = listen_as_qmgr(&tree);
        for (; n < 10000 && r == 0; n++)
                r = qmgr_send_command(QMGR_WAKE, NULL, 0);
        ck_assert_int_eq(r, IPC_E_BUSY);
        start = clock_monotonic_usec();
        ck_assert_int_eq(qmgr_send_command(QMGR_WAKE, NULL, 50 * USEC_PER_MSEC), IPC_E_BUSY);
        ck_assert_uint_ge(clock_monotonic_usec() - start, 50 * USEC_PER_MSEC);
        ck_assert_uint_lt(clock_monotonic_usec() - start, USEC_PER_SEC);
        close(fd);
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(missing_socket_is_refused) {
        TempTree tree;
        int fd;

        temp_tree_make(&tree);
        ipc_address_set_directory(tree.root);
        ck_assert_int_eq(qmgr_send_command(QMGR_WAKE, NULL, USEC_PER_SEC), IPC_E_REFUSED);
        fd = listen_as_qmgr(&tree);
        close(fd); /* the name stays, nobody listens */
        ck_assert_int_eq(qmgr_send_command(QMGR_WAKE, NULL, USEC_PER_SEC), IPC_E_REFUSED);
        temp_tree_remove(&tree);
}
END_TEST

int main(void) {
        return unit_main("protocol-queue", datagrams_are_read_strictly,
                         what_is_sent_is_what_is_read, full_socket_is_waited_for_as_long_as_asked,
                         missing_socket_is_refused, NULL);
}
