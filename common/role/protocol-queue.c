#include "common/role/protocol-queue.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "common/base/macro.h"
#include "common/role/ipc-address.h"
#include "common/role/ipc-frame.h"

#define DATAGRAM_MAX_BYTES 64

int qmgr_command_parse(Str datagram, QmgrCommand *ret_command, QueueId *ret_id) {
        Str argument = str_skip(datagram, 1);

        if (datagram.len == 0)
                return IPC_E_PROTOCOL;
        switch (datagram.data[0]) {
        case QMGR_WAKE:
        case QMGR_FLUSH:
                if (argument.len > 0)
                        return IPC_E_PROTOCOL;
                break;
        case QMGR_INCOMING:
        case QMGR_FLUSH_ONE:
                if (!queue_id_parse(argument, ret_id))
                        return IPC_E_PROTOCOL;
                break;
        default:
                return IPC_E_PROTOCOL;
        }
        *ret_command = (QmgrCommand)datagram.data[0];
        return 0;
}

/*
 * An unconnected datagram socket is never told that the receiver has room again, so that the
 * socket is connected: then the kernel wakes poll(2) when the receiver's queue shrinks.
 */
static int qmgr_connect(int *ret) {
        _cleanup_(fd_closep) int fd = -1;
        struct sockaddr_un address;
        int r;

        r = ipc_address_fill("qmgr", &address);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
                if (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED ||
                    errno == EACCES || errno == EPERM)
                        return IPC_E_REFUSED;
                return -errno;
        }
        *ret = TAKE_FD(fd);
        return 0;
}

static int send_within(int fd, Str datagram, usec_t max_wait_usec) {
        usec_t deadline = usec_add(clock_monotonic_usec(), max_wait_usec);

        for (;;) {
                struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
                usec_t left;

                if (send(fd, datagram.data, datagram.len, MSG_NOSIGNAL) >= 0)
                        return 0;
                if (errno == EINTR)
                        continue;
                if (errno == ECONNREFUSED || errno == ECONNRESET)
                        return IPC_E_REFUSED;
                if (errno != EAGAIN && errno != ENOBUFS)
                        return -errno;
                left = usec_sub(deadline, clock_monotonic_usec());
                if (left == 0)
                        return IPC_E_BUSY;
                (void)poll(&pollfd, 1, (int)size_min(left / USEC_PER_MSEC + 1, 1000));
        }
}

int qmgr_send_command(QmgrCommand command, const QueueId *id, usec_t max_wait_usec) {
        _cleanup_(buf_deinit) Buf datagram = BUF_INIT(DATAGRAM_MAX_BYTES);
        _cleanup_(fd_closep) int fd = -1;
        int r;

        (void)buf_append_char(&datagram, (char)command);
        r = id ? buf_append(&datagram, id->text, QUEUE_ID_LEN) : datagram.error;
        if (r != 0)
                return -ENOMEM;
        r = qmgr_connect(&fd);
        if (r != 0)
                return r;
        return send_within(fd, buf_str(&datagram), max_wait_usec);
}
