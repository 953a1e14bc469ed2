/*
 * Any bytes on sendmail's standard input, whole and in small pieces, by each rule for line ends:
 * the same message comes out, the same recipients are found, and no address has a control byte.
 */

#include <stdint.h>
#include <stdlib.h>

#include "tools/sendmail/input.h"
#include "tools/sendmail/recipients.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

static int read_header(void *userdata, Str data) {
        return header_reader_feed(userdata, data);
}

/* The message, a separator, the recipients: all in RET. */
static void run(const InputOptions *options, Str text, size_t piece, Buf *ret) {
        _cleanup_(input_freep) Input *input = NULL;
        RecipientList plain = RECIPIENT_LIST_INIT, resent = RECIPIENT_LIST_INIT;
        HeaderReader reader;

        header_reader_init(&reader, &plain, &resent);
        if (input_new(options, read_header, &reader, &input) != 0)
                abort();
        for (; text.len > 0; text = str_skip(text, piece))
                if (input_feed(input, str_first(text, piece)) != 0)
                        abort();
        if (input_finish(input) != 0 || header_reader_finish(&reader) != 0 ||
            input_replay(input, collect, ret) != 0)
                abort();
        (void)buf_append_char(ret, '\0');
        for (size_t i = 0; i < plain.text.len; i++)
                if (ascii_is_control(plain.text.data[i]) && plain.text.data[i] != '\n')
                        abort();
        (void)buf_append_str(ret, buf_str(&plain.text));
        (void)buf_append_str(ret, buf_str(&resent.text));
        header_reader_deinit(&reader);
        recipient_list_deinit(&plain);
        recipient_list_deinit(&resent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str text = str_from((const char *)data, size);
        _cleanup_(buf_deinit) Buf whole = BUF_INIT(8 * size + 1024);
        _cleanup_(buf_deinit) Buf pieces = BUF_INIT(8 * size + 1024);
        InputOptions options = {
                .line_ends = size > 0 ? (InputLineEnds)(data[0] % 3) : INPUT_LINE_ENDS_ALWAYS,
                .dot_is_text = size > 1 && data[1] % 2 == 1,
        };

        run(&options, text, size + 1, &whole);
        run(&options, text, size > 0 ? 1 + data[0] % 7U : 1, &pieces);
        if (whole.error || !str_equal(buf_str(&whole), buf_str(&pieces)))
                abort();
        return 0;
}
