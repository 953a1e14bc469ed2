/*
 * Any bytes as the content of a message, fed whole and in small pieces: the result is the same,
 * ends in LF, has no CR, and memory and output are bounded by the input.
 */

#include <stdint.h>
#include <stdlib.h>

#include "services/cleanup/content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

static const RewriteRules rules = { .origin = STR("o.example"), .swap_bangpath = true };

static int run(Str input, size_t piece, Buf *ret) {
        _cleanup_(content_freep) Content *content = NULL;
        ContentOptions options = {
                .queue_id = STR("0ABC"),
                .sender = STR("jo@o.example"),
                .full_name = STR("Jo Doe"),
                .uid = 1000,
                .add_received = true,
                .add_missing = true,
                .hostname = "h.example",
                .origin = "o.example",
                .mail_name = "unitpost",
                .drop_headers = "bcc, content-length, resent-bcc, return-path",
                .undisclosed = "",
                .header_max_bytes = 64,
                .line_max_bytes = 32,
                .message_max_bytes = 1 << 20,
                .hops_max = 5,
                .rewrite = &rules,
                .tokens_max = 20,
        };
        int r;

        if (content_new(&options, collect, ret, &content) != 0)
                abort();
        for (; input.len > 0; input = str_skip(input, piece)) {
                r = content_feed(content, str_first(input, piece));
                if (r != 0)
                        return r;
        }
        return content_finish(content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str input = str_from((const char *)data, size);
        _cleanup_(buf_deinit) Buf whole = BUF_INIT(16 * size + 4096);
        _cleanup_(buf_deinit) Buf pieces = BUF_INIT(16 * size + 4096);
        int r;

        r = run(input, size + 1, &whole);
        if (r < 0 || run(input, size > 0 ? 1 + data[0] % 7U : 1, &pieces) != r)
                abort();
        if (r == 0 && (!str_equal(buf_str(&whole), buf_str(&pieces)) || whole.len == 0 ||
                       whole.data[whole.len - 1] != '\n' || str_contains(buf_str(&whole), '\r')))
                abort();
        return 0;
}
