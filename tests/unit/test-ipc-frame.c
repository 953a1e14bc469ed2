/* common/role/ipc-frame: bytes in, frames out; hostile lengths and types. */

#include <errno.h>
#include <stdlib.h>

#include "common/base/macro.h"
#include "common/role/ipc-frame.h"
#include "tests/unit/unit.h"

START_TEST(frame_reads_back_as_it_was_written) {
        static const struct {
                IpcFrameType type;
                Str payload;
        } rows[] = {
                { IPC_FRAME_HELLO, { "x", 1 } },
                { IPC_FRAME_MESSAGE, { "", 0 } },
                { IPC_FRAME_DATA, { "a\0b\n", 4 } },
                { IPC_FRAME_END, { NULL, 0 } },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Buf buf _cleanup_(buf_deinit) = BUF_INIT(100);
                IpcFrame frame;
                size_t size;

                ck_assert_int_eq(ipc_frame_append(&buf, rows[i].type, rows[i].payload), 0);
                ck_assert_int_eq(buf_append_cstr(&buf, "next"), 0);
                ck_assert_int_eq(ipc_frame_parse(buf_str(&buf), &frame, &size), 0);
                ck_assert_uint_eq(size, IPC_FRAME_HEADER_BYTES + rows[i].payload.len);
                ck_assert_int_eq(frame.type, rows[i].type);
                ck_assert(str_equal(frame.payload, rows[i].payload));
        }
}
END_TEST

START_TEST(every_part_of_a_frame_asks_for_more) {
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(100);
        IpcFrame frame;
        size_t size;

        ck_assert_int_eq(ipc_frame_append(&buf, IPC_FRAME_DATA, STR("0123456789")), 0);
        for (size_t n = 0; n < buf.len; n++)
                ck_assert_int_eq(ipc_frame_parse(str_first(buf_str(&buf), n), &frame, &size),
                                 IPC_E_AGAIN);
        ck_assert_int_eq(ipc_frame_parse(buf_str(&buf), &frame, &size), 0);
}
END_TEST

START_TEST(malformed_headers_are_known_before_the_payload) {
        static const struct {
                const char *bytes;
                size_t len;
                int result;
        } rows[] = {
                { "X", 1, IPC_E_PROTOCOL },                 /* unknown type, seen at once */
                { "\0", 1, IPC_E_PROTOCOL },                /* NUL */
                { "h\0\0\0\1x", 6, IPC_E_PROTOCOL },        /* case matters */
                { "\xff\0\0\0\0", 5, IPC_E_PROTOCOL },      /* char may be signed */
                { "M\0\1\0\0", 5, IPC_E_AGAIN },            /* 65536: the largest */
                { "M\0\1\0\1", 5, IPC_E_PROTOCOL },         /* 65537 */
                { "D\xff\xff\xff\xff", 5, IPC_E_PROTOCOL }, /* 4 GB */
                { "D\x80\0\0\0", 5, IPC_E_PROTOCOL },       /* the sign bit */
                { "E\0\0\0\1", 5, IPC_E_PROTOCOL },         /* END is empty */
                { "E\0\0\0\0", 5, 0 },
                { "D\0\0\0\0", 5, 0 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                IpcFrame frame;
                size_t size;

                ck_assert_msg(ipc_frame_parse(str_from(rows[i].bytes, rows[i].len), &frame,
                                              &size) == rows[i].result,
                              "row %zu", i);
        }
}
END_TEST

START_TEST(largest_payload_passes_and_one_byte_more_does_not) {
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(IPC_FRAME_MAX_BYTES * 2);
        char *payload = calloc(1, IPC_FRAME_MAX_BYTES + 1);
        IpcFrame frame;
        size_t size;

        ck_assert_ptr_nonnull(payload);
        ck_assert_int_eq(
                ipc_frame_append(&buf, IPC_FRAME_DATA, str_from(payload, IPC_FRAME_MAX_BYTES + 1)),
                -EMSGSIZE);
        ck_assert_uint_eq(buf.len, 0);
        ck_assert_int_eq(
                ipc_frame_append(&buf, IPC_FRAME_DATA, str_from(payload, IPC_FRAME_MAX_BYTES)), 0);
        ck_assert_int_eq(ipc_frame_parse(buf_str(&buf), &frame, &size), 0);
        ck_assert_uint_eq(frame.payload.len, IPC_FRAME_MAX_BYTES);
        free(payload);
}
END_TEST

START_TEST(full_buffer_takes_no_part_of_a_frame) {
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(IPC_FRAME_HEADER_BYTES + 3);

        ck_assert_int_eq(ipc_frame_append(&buf, IPC_FRAME_DATA, STR("abcd")), BUF_E_FULL);
        ck_assert_uint_eq(buf.len, 0);
}
END_TEST

int main(void) {
        return unit_main("ipc-frame", frame_reads_back_as_it_was_written,
                         every_part_of_a_frame_asks_for_more,
                         malformed_headers_are_known_before_the_payload,
                         largest_payload_passes_and_one_byte_more_does_not,
                         full_buffer_takes_no_part_of_a_frame, NULL);
}
