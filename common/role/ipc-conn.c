/*
 * Blocking in form, never in a system call: sends and receives are tried with MSG_DONTWAIT and
 * only then waited for with ppoll(2) up to the deadline. In the common case a request costs one
 * receive and its answer one send.
 *
 * Who closes, and what it means: IPC_E_CLOSED from a send says that the peer has not read the end
 * of what we were sending, so nobody has taken the request and it may be repeated elsewhere. From
 * a receive it says that we do not know.
 */

#include "common/role/ipc-conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/role/ipc-address.h"
#include "common/role/ipc-socket.h"

#define FRAME_MAX_BYTES (IPC_FRAME_HEADER_BYTES + IPC_FRAME_MAX_BYTES)

struct IpcConn {
        int fd;
        IpcPeer peer;
        usec_t deadline_usec; /* monotonic */

        Buf out;
        int out_fd; /* rides on the first byte of OUT */

        Buf in;
        size_t in_used; /* bytes of IN that were handed out as frames */
        int in_fd;
        bool in_request;        /* a frame was handed out, its END was not */
        bool in_request_had_fd; /* ... and a descriptor came with it */
};

static int peer_of(int fd, IpcPeer *ret) {
        struct ucred ucred;
        socklen_t size = sizeof(ucred);

        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &size) < 0)
                return -errno;
        *ret = (IpcPeer){ .uid = ucred.uid, .gid = ucred.gid, .pid = ucred.pid };
        return 0;
}

int ipc_conn_new(int fd, IpcConn **ret) {
        _cleanup_(fd_closep) int owned_fd = fd;
        _cleanup_(ipc_conn_freep) IpcConn *conn = calloc(1, sizeof(*conn));
        int r;

        if (!conn)
                return -ENOMEM;
        *conn = (IpcConn){
                .fd = -1,
                .deadline_usec = USEC_INFINITY,
                .out = BUF_INIT(FRAME_MAX_BYTES),
                .out_fd = -1,
                .in = BUF_INIT(FRAME_MAX_BYTES),
                .in_fd = -1,
        };
        r = peer_of(owned_fd, &conn->peer);
        if (r < 0)
                return r;
        conn->fd = TAKE_FD(owned_fd);
        *ret = TAKE_PTR(conn);
        return 0;
}

IpcConn *ipc_conn_free(IpcConn *conn) {
        if (!conn)
                return NULL;
        fd_closep(&conn->fd);
        fd_closep(&conn->in_fd);
        fd_closep(&conn->out_fd);
        buf_deinit(&conn->in);
        buf_deinit(&conn->out);
        free(conn);
        return NULL;
}

const IpcPeer *ipc_conn_peer(const IpcConn *conn) {
        return &conn->peer;
}

int ipc_conn_fd(const IpcConn *conn) {
        return conn->fd;
}

void ipc_conn_set_timeout(IpcConn *conn, usec_t timeout_usec) {
        conn->deadline_usec = timeout_usec == USEC_INFINITY
                                      ? USEC_INFINITY
                                      : usec_add(clock_monotonic_usec(), timeout_usec);
}

/* Wait for EVENTS (or an error, which the next call on the socket reports) until the deadline. */
static int conn_wait(const IpcConn *conn, short events) {
        for (;;) {
                struct pollfd pollfd = { .fd = conn->fd, .events = events };
                struct timespec timeout;
                usec_t left = usec_sub(conn->deadline_usec, clock_monotonic_usec());
                int n;

                if (left == 0)
                        return IPC_E_TIMEOUT;
                timeout = (struct timespec){
                        .tv_sec = (time_t)(left / USEC_PER_SEC),
                        .tv_nsec = (long)(left % USEC_PER_SEC) * 1000,
                };
                n = ppoll(&pollfd, 1, conn->deadline_usec == USEC_INFINITY ? NULL : &timeout, NULL);
                if (n > 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return -errno;
        }
}

/* ---- output ---- */

int ipc_conn_flush(IpcConn *conn) {
        size_t done = 0;
        int r = 0;

        while (done < conn->out.len) {
                size_t n;

                r = ipc_socket_send(conn->fd, str_skip(buf_str(&conn->out), done), conn->out_fd,
                                    &n);
                if (r == 0) {
                        fd_closep(&conn->out_fd);
                        done += n;
                        continue;
                }
                if (r == IPC_E_AGAIN)
                        r = conn_wait(conn, POLLOUT);
                if (r != 0)
                        break;
        }
        buf_reset(&conn->out);
        return r;
}

int ipc_conn_send_message(IpcConn *conn, const IpcSchema *schema, const void *data) {
        int r;

        r = ipc_message_append(&conn->out, schema, data);
        if (r != BUF_E_FULL)
                return r;
        conn->out.error = 0;
        r = ipc_conn_flush(conn);
        return r != 0 ? r : ipc_message_append(&conn->out, schema, data);
}

/* Room for the payload of one more frame; flushes when there is none. */
static int conn_room(IpcConn *conn, size_t wanted_bytes, size_t *ret) {
        size_t room = conn->out.max - conn->out.len;
        int r;

        if (room < IPC_FRAME_HEADER_BYTES + size_min(wanted_bytes, 1)) {
                r = ipc_conn_flush(conn);
                if (r != 0)
                        return r;
                room = conn->out.max;
        }
        *ret = room - IPC_FRAME_HEADER_BYTES;
        return 0;
}

int ipc_conn_send_data(IpcConn *conn, Str data) {
        while (data.len > 0) {
                size_t room;
                int r;

                r = conn_room(conn, data.len, &room);
                if (r != 0)
                        return r;
                r = ipc_frame_append(&conn->out, IPC_FRAME_DATA, str_first(data, room));
                if (r != 0)
                        return r;
                data = str_skip(data, room);
        }
        return 0;
}

int ipc_conn_send_end(IpcConn *conn) {
        size_t room;
        int r;

        r = conn_room(conn, 0, &room);
        if (r != 0)
                return r;
        r = ipc_frame_append(&conn->out, IPC_FRAME_END, STR_NULL);
        return r != 0 ? r : ipc_conn_flush(conn);
}

int ipc_conn_send_hello(IpcConn *conn, const char *role) {
        int r;

        r = ipc_hello_append(&conn->out, str_from_cstr(role));
        return r != 0 ? r : ipc_conn_flush(conn);
}

int ipc_conn_send_fd(IpcConn *conn, int fd) {
        int r;

        if (conn->out.len > 0) {
                r = ipc_conn_flush(conn);
                if (r != 0)
                        return r;
        }
        assert(conn->out_fd < 0);
        conn->out_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        return conn->out_fd < 0 ? -errno : 0;
}

/* ---- input ---- */

/* Drop what was handed out, so that the buffer has room for a whole frame. */
static void conn_compact(IpcConn *conn) {
        buf_consume(&conn->in, conn->in_used);
        conn->in_used = 0;
}

/* Between requests the descriptor of the last one is forgotten and another one may come. */
static void conn_forget_descriptor(IpcConn *conn) {
        fd_closep(&conn->in_fd);
        conn->in_request_had_fd = false;
}

int ipc_conn_fill(IpcConn *conn) {
        int fd = -1, r;

        conn_compact(conn);
        if (conn->in.len == conn->in.max)
                return 0;
        if (!conn->in_request && conn->in.len == 0 && conn->in_request_had_fd)
                conn_forget_descriptor(conn);
        r = ipc_socket_receive(conn->fd, &conn->in, &fd);
        if (fd < 0)
                return r;
        if (conn->in_request_had_fd) {
                fd_closep(&fd);
                return IPC_E_PROTOCOL;
        }
        conn->in_request_had_fd = true;
        conn->in_fd = fd;
        return r;
}

int ipc_conn_wait_input(IpcConn *conn) {
        int r = 0;

        while (r == 0 && !ipc_conn_has_input(conn)) {
                r = ipc_conn_fill(conn);
                if (r == IPC_E_AGAIN)
                        r = conn_wait(conn, POLLIN);
        }
        return r;
}

int ipc_conn_receive(IpcConn *conn, IpcFrame *ret) {
        for (;;) {
                size_t size;
                int r;

                r = ipc_frame_parse(str_skip(buf_str(&conn->in), conn->in_used), ret, &size);
                if (r == 0) {
                        conn->in_used += size;
                        conn->in_request = ret->type != IPC_FRAME_END;
                        return 0;
                }
                if (r != IPC_E_AGAIN)
                        return r;
                r = ipc_conn_fill(conn);
                if (r == IPC_E_AGAIN)
                        r = conn_wait(conn, POLLIN);
                if (r != 0)
                        return r;
        }
}

static int conn_receive_type(IpcConn *conn, IpcFrameType type, Str *ret_payload) {
        IpcFrame frame;
        int r;

        r = ipc_conn_receive(conn, &frame);
        if (r != 0)
                return r;
        *ret_payload = frame.payload;
        return frame.type == type ? 0 : IPC_E_PROTOCOL;
}

int ipc_conn_receive_message(IpcConn *conn, const IpcSchema *schema, void *data) {
        Str payload;
        int r;

        r = conn_receive_type(conn, IPC_FRAME_MESSAGE, &payload);
        return r != 0 ? r : ipc_message_parse(payload, schema, data);
}

int ipc_conn_receive_end(IpcConn *conn) {
        Str payload;

        return conn_receive_type(conn, IPC_FRAME_END, &payload);
}

int ipc_conn_take_fd(IpcConn *conn) {
        return TAKE_FD(conn->in_fd);
}

bool ipc_conn_has_input(const IpcConn *conn) {
        return conn->in.len > conn->in_used;
}

/* ---- client ---- */

static int connect_error(int error) {
        switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ECONNREFUSED:
        case EACCES:
        case EPERM:
                return IPC_E_REFUSED;
        case EAGAIN:
                return IPC_E_BUSY;
        }
        return -error;
}

/* A full backlog makes connect(2) wait; SO_SNDTIMEO bounds that wait (0 would mean for ever). */
static int connect_within(const struct sockaddr_un *address, usec_t timeout_usec, int *ret) {
        _cleanup_(fd_closep) int fd = -1;
        struct timeval timeout = {
                .tv_sec = (time_t)(timeout_usec / USEC_PER_SEC),
                .tv_usec = (suseconds_t)(timeout_usec % USEC_PER_SEC),
        };
        int r;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        if (timeout_usec != USEC_INFINITY &&
            setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0)
                return -errno;
        do
                r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return connect_error(errno);
        *ret = TAKE_FD(fd);
        return 0;
}

int ipc_conn_connect(const char *service, const char *role, usec_t timeout_usec, IpcConn **ret) {
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        usec_t deadline = usec_add(clock_monotonic_usec(), timeout_usec);
        struct sockaddr_un address;
        Str hello;
        int fd = -1, r;

        r = ipc_address_fill(service, &address);
        if (r < 0)
                return r;
        r = connect_within(&address, timeout_usec > 0 ? timeout_usec : 1, &fd);
        if (r != 0)
                return r;
        r = ipc_conn_new(fd, &conn);
        if (r != 0)
                return r;
        conn->deadline_usec = timeout_usec == USEC_INFINITY ? USEC_INFINITY : deadline;
        r = conn_receive_type(conn, IPC_FRAME_HELLO, &hello);
        if (r != 0)
                return r;
        r = ipc_hello_parse(hello, str_from_cstr(role));
        if (r != 0)
                return r;
        conn->deadline_usec = USEC_INFINITY;
        *ret = TAKE_PTR(conn);
        return 0;
}

const char *ipc_error_name(int r) {
        switch (r) {
        case 0:
                return "success";
        case IPC_E_AGAIN:
                return "not ready";
        case IPC_E_PROTOCOL:
                return "protocol error";
        case IPC_E_CLOSED:
                return "connection closed";
        case IPC_E_TIMEOUT:
                return "timeout";
        case IPC_E_REFUSED:
                return "service not available";
        case IPC_E_BUSY:
                return "service busy";
        case IPC_E_NOT_TAKEN:
                return "connection closed before the request";
        }
        return r < 0 ? strerror(-r) : "unknown error";
}
