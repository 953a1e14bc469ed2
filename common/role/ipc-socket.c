#include "common/role/ipc-socket.h"

#include <errno.h>
#include <sys/socket.h>

#include "common/base/macro.h"

#define CONTROL_FDS_MAX 16 /* more than one is refused; room for these, so that we close them */

int ipc_socket_send(int socket_fd, Str data, int fd, size_t *ret_sent) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct iovec iov = { .iov_base = (void *)data.data, .iov_len = data.len };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };
        ssize_t n;

        if (fd >= 0) {
                struct cmsghdr *cmsg;

                message.msg_control = control.bytes;
                message.msg_controllen = sizeof(control.bytes);
                cmsg = CMSG_FIRSTHDR(&message);
                cmsg->cmsg_level = SOL_SOCKET;
                cmsg->cmsg_type = SCM_RIGHTS;
                cmsg->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
        }
        do
                n = sendmsg(socket_fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0) {
                if (errno == EAGAIN)
                        return IPC_E_AGAIN;
                return errno == EPIPE || errno == ECONNRESET ? IPC_E_CLOSED : -errno;
        }
        *ret_sent = (size_t)n;
        return 0;
}

/* Keep the first descriptor in *RET_FD, close all others. How many came? */
static size_t take_descriptors(struct msghdr *message, int *ret_fd) {
        size_t n_fds = 0;

        for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg;
             cmsg = CMSG_NXTHDR(message, cmsg)) {
                size_t n;

                if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
                        continue;
                n = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < n; i++, n_fds++) {
                        int received;

                        memcpy(&received, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
                        if (n_fds == 0)
                                *ret_fd = received;
                        else
                                (void)close(received);
                }
        }
        return n_fds;
}

int ipc_socket_receive(int socket_fd, Buf *in, int *ret_fd) {
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(CONTROL_FDS_MAX * sizeof(int))];
        } control;
        size_t room_bytes = in->max - in->len, n_fds;
        struct iovec iov;
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof(control.bytes) };
        char *room;
        ssize_t n;
        int r;

        *ret_fd = -1;
        r = buf_reserve(in, room_bytes, &room);
        if (r != 0)
                return r < 0 ? r : -ENOBUFS;
        iov = (struct iovec){ .iov_base = room, .iov_len = room_bytes };
        do
                n = recvmsg(socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? IPC_E_AGAIN : errno == ECONNRESET ? IPC_E_CLOSED : -errno;
        n_fds = take_descriptors(&message, ret_fd);
        if ((message.msg_flags & MSG_CTRUNC) || n_fds > 1) {
                fd_closep(ret_fd);
                return IPC_E_PROTOCOL;
        }
        if (n == 0)
                return IPC_E_CLOSED;
        buf_commit(in, (size_t)n);
        return 0;
}
