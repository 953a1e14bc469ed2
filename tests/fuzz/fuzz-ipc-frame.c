/*
 * Any bytes as what came from a peer: each frame lies inside them and reads back as it was, and no
 * prefix of a good frame is one.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/role/ipc-frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str rest = str_from((const char *)data, size);
        IpcFrame frame, half;
        size_t used, ignored;

        while (ipc_frame_parse(rest, &frame, &used) == 0) {
                _cleanup_(buf_deinit) Buf again = BUF_INIT(1 << 20);

                if (used > rest.len || frame.payload.len > IPC_FRAME_MAX_BYTES)
                        abort();
                if (ipc_frame_parse(str_first(rest, used - 1), &half, &ignored) == 0)
                        abort();
                if (ipc_frame_append(&again, frame.type, frame.payload) != 0 ||
                    !str_equal(buf_str(&again), str_first(rest, used)))
                        abort();
                rest = str_skip(rest, used);
        }
        return 0;
}
