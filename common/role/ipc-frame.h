#pragma once

/*
 * The pure engine of the protocol between roles: bytes in, frames out. No I/O.
 *
 * A frame is one type byte, a 32-bit big-endian payload length, and the payload. A conversation:
 *
 *   server   HELLO    attributes role, version         (the server speaks first: a connection to
 *                                                       a role that cannot start says nothing)
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
        IPC_E_AGAIN = 1,     /* not a whole frame yet */
        IPC_E_PROTOCOL = 2,  /* malformed, unexpected, missing or extra attribute, oversize */
        IPC_E_CLOSED = 3,    /* the peer closed the connection */
        IPC_E_TIMEOUT = 4,   /* the deadline passed */
        IPC_E_REFUSED = 5,   /* nobody listens, or not for us */
        IPC_E_BUSY = 6,      /* EAGAIN on connect: backlog full */
        IPC_E_NOT_TAKEN = 7, /* the peer closed before it read the request: repeat it elsewhere */
};

/* Append one whole frame. 0; -EMSGSIZE for a payload above IPC_FRAME_MAX_BYTES; as buf_append(). */
int ipc_frame_append(Buf *out, IpcFrameType type, Str payload);

/* Write the IPC_FRAME_HEADER_BYTES of a frame at ROOM, for who fills in the payload himself. */
void ipc_frame_write_header(char *room, IpcFrameType type, size_t payload_bytes);

/* Big-endian numbers at any alignment. */
static inline void ipc_write_be32(char *room, uint32_t value) {
        room[0] = (char)(value >> 24);
        room[1] = (char)(value >> 16);
        room[2] = (char)(value >> 8);
        room[3] = (char)value;
}

static inline uint32_t ipc_read_be32(const char *data) {
        return (uint32_t)(uint8_t)data[0] << 24 | (uint32_t)(uint8_t)data[1] << 16 |
               (uint32_t)(uint8_t)data[2] << 8 | (uint8_t)data[3];
}

/*
 * Take the first frame of INPUT. 0, and *ret_size is how many bytes of INPUT it was;
 * IPC_E_AGAIN; IPC_E_PROTOCOL for an unknown type, an oversize length or an END that is not empty,
 * known from the header alone.
 */
int ipc_frame_parse(Str input, IpcFrame *ret, size_t *ret_size);
