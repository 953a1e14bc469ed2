#include "common/role/delivery-client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "common/role/ipc-conn.h"

#define HELLO_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define NAME_MAX_BYTES     64

/*
 * An open file of its own: a passed descriptor shares its offset with the one that stays here, and
 * the agent is free to read as it likes.
 */
static int reopen(int fd) {
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        int own;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        own = open(path, O_RDONLY | O_CLOEXEC);
        return own < 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : own;
}

static int send_request(IpcConn *conn, const DeliveryRequest *request, int fd,
                        const DeliveryRecipient *recipient) {
        int own _cleanup_(fd_closep) = reopen(fd);
        int r;

        if (own < 0)
                return -errno;
        r = ipc_conn_send_fd(conn, own);
        if (r == 0)
                r = ipc_conn_send_message(conn, &delivery_request_schema, request);
        if (r == 0)
                r = ipc_conn_send_message(conn, &delivery_recipient_schema, recipient);
        return r == 0 ? ipc_conn_send_end(conn) : r;
}

static int receive_outcome(IpcConn *conn, uint64_t handle, Dsn *ret) {
        DeliveryOutcome outcome;
        int r;

        r = ipc_conn_receive_message(conn, &delivery_outcome_schema, &outcome);
        if (r != 0)
                return r;
        return outcome.handle == handle && dsn_parse(ret, outcome.status, outcome.code,
                                                     outcome.text, outcome.relay)
                       ? 0
                       : IPC_E_PROTOCOL;
}

/* The name of a service becomes part of a path. */
static bool is_service_name(Str name) {
        for (size_t i = 0; i < name.len; i++)
                if (!ascii_is_alpha(name.data[i]) && !ascii_is_digit(name.data[i]) &&
                    name.data[i] != '-' && name.data[i] != '_')
                        return false;
        return name.len > 0 && name.len < NAME_MAX_BYTES;
}

bool delivery_client_deliver(Str transport, const DeliveryRequest *request, int fd,
                             const DeliveryRecipient *recipient, usec_t timeout_usec, Dsn *ret) {
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        char name[NAME_MAX_BYTES] = "";
        int r = IPC_E_REFUSED;

        if (is_service_name(transport)) {
                memcpy(name, transport.data, transport.len);
                r = ipc_conn_connect(name, name, HELLO_TIMEOUT_USEC, &conn);
        }
        if (r == 0) {
                ipc_conn_set_timeout(conn, timeout_usec);
                r = send_request(conn, request, fd, recipient);
        }
        if (r == 0)
                r = receive_outcome(conn, recipient->handle, ret);
        if (r != 0)
                dsn_set(ret, DSN_DEFERRED, "4.3.0", "mail transport %.*s unavailable: %s",
                        STR_FMT(transport), ipc_error_name(r));
        return r == 0;
}
