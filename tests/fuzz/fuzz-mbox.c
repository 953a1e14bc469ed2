/*
 * Any bytes as a message, in pieces cut where the bytes say: an independent reader that splits at
 * From_ lines finds none in the body, the body is unchanged but for '>' and a last line end, and
 * no pieces give another result than one piece.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "services/local/mbox.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

static void write_body(Str content, bool in_pieces, Buf *out) {
        MboxWriter writer;

        mbox_writer_init(&writer, collect, out);
        while (content.len > 0) {
                size_t n = in_pieces ? 1 + (size_t)(unsigned char)content.data[0] % 7 : content.len;

                if (mbox_writer_add(&writer, str_first(content, n)) != 0)
                        abort();
                content = str_skip(content, n);
        }
        if (mbox_writer_finish(&writer) != 0)
                abort();
}

/* The writer's promise, checked by a reader that shares no code with it. */
static void check_body(Str content, Str written) {
        bool line_start = true;
        size_t in = 0;

        for (size_t i = 0; i < written.len; i++) {
                if (line_start && str_has_prefix(str_skip(written, i), STR("From ")))
                        abort();
                line_start = written.data[i] == '\n';
                if (in < content.len && written.data[i] == content.data[in])
                        in++;
                else if (written.data[i] != '>' && !(in == content.len && line_start))
                        abort();
        }
        if (in != content.len || !str_has_suffix(written, STR("\n")))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Buf whole _cleanup_(buf_deinit) = BUF_INIT(8 << 20);
        Buf pieces _cleanup_(buf_deinit) = BUF_INIT(8 << 20);
        Str content = str_from((const char *)data, size);

        if (size > (1 << 20))
                return 0;
        write_body(content, false, &whole);
        write_body(content, true, &pieces);
        if (!str_equal(buf_str(&whole), buf_str(&pieces)))
                abort();
        check_body(content, buf_str(&whole));
        return 0;
}
