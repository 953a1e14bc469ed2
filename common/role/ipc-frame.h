#pragma once

/*
 * The pure engine of the protocol between roles: bytes in, frames out. No I/O.
 *
 * A frame is one type byte, a 32-bit big-endian payload length, and the payload. A conversation:
 *
 *   server   HELLO    attributes role, version        (the server speaks first: a connection to a
 *                                                       socket whose role cannot start says nothing)
 *   client   MESSAGE  attributes                       one request: any number of messages
 *            DATA     raw bytes                        and data frames,
 *            END      empty                            closed by END
 *   server   MESSAGE  attributes                       the answer: any number of messages,
 *            END      empty                            closed by END; then the next request
 *
 * A descriptor rides (SCM_RIGHTS) on the first byte of a request, after the hello, one at most.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#define IPC_FRAME_HEADER_BYTES 5
#define IPC_FRAME_MAX_BYTES    (64 * 1024) /* payload; larger is a protocol error */

typedef enum IpcFrameType {
        IPC_FRAME_HELLO = 'H',
        IPC_FRAME_MESSAGE = 'M',
        IPC_FRAME_DATA = 'D',
        IPC_FRAME_END = 'E',
} IpcFrameType;

typedef struct IpcFrame {
        IpcFrameType type;
        Str payload; /* points into what was fed */
} IpcFrame;

enum {
        IPC_E_AGAIN = 1,    /* not a whole frame yet */
        IPC_E_PROTOCOL = 2, /* malformed, unexpected, missing or extra attribute, oversize */
        IPC_E_CLOSED = 3,   /* the peer closed the connection */
        IPC_E_TIMEOUT = 4,  /* the deadline passed */
        IPC_E_REFUSED = 5,  /* nobody listens, or not for us */
        IPC_E_BUSY = 6,     /* EAGAIN on connect: backlog full */
};

/* Append one whole frame. Payload at most IPC_FRAME_MAX_BYTES. */
int ipc_frame_append(Buf *out, IpcFrameType type, Str payload);

/*
 * Take the first frame of INPUT. 0, and *ret_size is how many bytes of INPUT it was;
 * IPC_E_AGAIN; IPC_E_PROTOCOL for an unknown type or an oversize length, known from the header
 * alone.
 */
int ipc_frame_parse(Str input, IpcFrame *ret, size_t *ret_size);
