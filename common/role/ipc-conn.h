#pragma once

/*
 * A blocking connection between roles: for workers, tools and pickup. Every wait counts against
 * one total deadline per request, so that no stranger can hold a worker. Input is tried without
 * waiting first, so that in the common case a frame costs one recv(2) and no poll(2).
 */

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/role/ipc-frame.h"
#include "common/role/ipc-message.h"

typedef struct IpcConn IpcConn;

typedef struct IpcPeer {
        uid_t uid;
        gid_t gid;
        pid_t pid;
} IpcPeer;

/* Take over the connected socket FD (also on failure). Buffers: one frame each way. */
int ipc_conn_new(int fd, IpcConn **ret);
IpcConn *ipc_conn_free(IpcConn *conn);
DEFINE_CLEANUP(IpcConn, ipc_conn_free)

/*
 * Connect to /run/unitpost/SERVICE and wait for the hello of ROLE. 0, IPC_E_REFUSED (no socket,
 * or no permission), IPC_E_BUSY, IPC_E_TIMEOUT (nothing said within TIMEOUT), IPC_E_PROTOCOL,
 * IPC_E_CLOSED, negative errno.
 */
int ipc_conn_connect(const char *service, const char *role, usec_t timeout_usec, IpcConn **ret);

/* Server side: say hello. */
int ipc_conn_send_hello(IpcConn *conn, const char *role);

/* Who is at the other end, from the kernel (SO_PEERCRED). */
const IpcPeer *ipc_conn_peer(const IpcConn *conn);
int ipc_conn_fd(const IpcConn *conn);

/* All waits until the next call end at now + TIMEOUT. USEC_INFINITY: none. */
void ipc_conn_set_timeout(IpcConn *conn, usec_t timeout_usec);

/*
 * Queue frames in the output buffer; written when it is full and by ipc_conn_flush(). Return 0,
 * IPC_E_CLOSED, IPC_E_TIMEOUT, negative errno (-EMSGSIZE: a member is beyond its bound).
 *
 * IPC_E_CLOSED from these means that the peer has not read the END that we were about to send: it
 * has not taken the request, which may be repeated on another connection (a server closes kept
 * connections after a few idle seconds). From ipc_conn_receive() it means that we do not know.
 */
int ipc_conn_send_message(IpcConn *conn, const IpcSchema *schema, const void *data);
int ipc_conn_send_data(IpcConn *conn, Str data); /* any length; split into frames */
int ipc_conn_send_end(IpcConn *conn);            /* flushes */
int ipc_conn_send_fd(IpcConn *conn, int fd);     /* rides on the next bytes queued; is duplicated */
int ipc_conn_flush(IpcConn *conn);

/*
 * The next frame; its payload is valid until the next receive. 0, IPC_E_CLOSED (also in the middle
 * of a frame), IPC_E_TIMEOUT, IPC_E_PROTOCOL, negative errno.
 */
int ipc_conn_receive(IpcConn *conn, IpcFrame *ret);

/* The next frame must be this message. */
int ipc_conn_receive_message(IpcConn *conn, const IpcSchema *schema, void *data);
/* The next frame must be END. */
int ipc_conn_receive_end(IpcConn *conn);

/*
 * The descriptor that came with this request; caller owns it; to be taken before the next request
 * is received. -1 when none came. A second one in one request, or MSG_CTRUNC, makes
 * ipc_conn_receive() return IPC_E_PROTOCOL. Requests with descriptors must not be pipelined.
 */
int ipc_conn_take_fd(IpcConn *conn);

/*
 * Take what has arrived into the buffer, without waiting. 0 (there is input), IPC_E_AGAIN (there
 * is none), IPC_E_CLOSED, IPC_E_PROTOCOL, negative errno. Ends the validity of the last frame.
 */
int ipc_conn_fill(IpcConn *conn);

/* Wait until there is input, or the deadline. Results as ipc_conn_receive(). */
int ipc_conn_wait_input(IpcConn *conn);

/* Is input waiting in the buffer already (the peer pipelined its next request)? */
bool ipc_conn_has_input(const IpcConn *conn);

/* One line for the log: "timeout", "protocol error" ... */
const char *ipc_error_name(int r);
