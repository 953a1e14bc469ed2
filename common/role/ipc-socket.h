#pragma once

/*
 * The two system calls under ipc-conn and ipc-channel: send and receive bytes with descriptors
 * beside them, never waiting. Descriptors that nobody wants are closed here, so that no peer can
 * fill our table.
 */

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/role/ipc-frame.h"

/*
 * Send the front of DATA, with FD on its first byte (-1: none; not taken over). 0 and how much
 * went; IPC_E_AGAIN; IPC_E_CLOSED; negative errno.
 */
int ipc_socket_send(int socket_fd, Str data, int fd, size_t *ret_sent);

/*
 * Append what has arrived to IN (which must have room), at most up to its bound. *RET_FD is the
 * descriptor that came with it, or -1. 0; IPC_E_AGAIN; IPC_E_CLOSED; IPC_E_PROTOCOL when more than
 * one came or some were cut off (all are closed then); negative errno.
 */
int ipc_socket_receive(int socket_fd, Buf *in, int *ret_fd);
