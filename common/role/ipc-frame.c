#include "common/role/ipc-frame.h"

#include <errno.h>

static bool frame_type_is_known(char type) {
        switch (type) {
        case IPC_FRAME_HELLO:
        case IPC_FRAME_MESSAGE:
        case IPC_FRAME_DATA:
        case IPC_FRAME_END:
                return true;
        }
        return false;
}

int ipc_frame_append(Buf *out, IpcFrameType type, Str payload) {
        char *room;
        int r;

        if (payload.len > IPC_FRAME_MAX_BYTES)
                return -EMSGSIZE;
        r = buf_reserve(out, IPC_FRAME_HEADER_BYTES + payload.len, &room);
        if (r != 0)
                return r;
        ipc_frame_write_header(room, type, payload.len);
        if (payload.len > 0)
                memcpy(room + IPC_FRAME_HEADER_BYTES, payload.data, payload.len);
        buf_commit(out, IPC_FRAME_HEADER_BYTES + payload.len);
        return 0;
}

void ipc_frame_write_header(char *room, IpcFrameType type, size_t payload_bytes) {
        room[0] = (char)type;
        ipc_write_be32(room + 1, (uint32_t)payload_bytes);
}

int ipc_frame_parse(Str input, IpcFrame *ret, size_t *ret_size) {
        uint32_t len;

        if (input.len == 0)
                return IPC_E_AGAIN;
        if (!frame_type_is_known(input.data[0]))
                return IPC_E_PROTOCOL;
        if (input.len < IPC_FRAME_HEADER_BYTES)
                return IPC_E_AGAIN;
        len = ipc_read_be32(input.data + 1);
        if (len > IPC_FRAME_MAX_BYTES || (input.data[0] == IPC_FRAME_END && len != 0))
                return IPC_E_PROTOCOL;
        if (input.len - IPC_FRAME_HEADER_BYTES < len)
                return IPC_E_AGAIN;
        ret->type = (IpcFrameType)input.data[0];
        ret->payload = str_from(input.data + IPC_FRAME_HEADER_BYTES, len);
        *ret_size = IPC_FRAME_HEADER_BYTES + len;
        return 0;
}
