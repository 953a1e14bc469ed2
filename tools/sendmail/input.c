#include "tools/sendmail/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/file.h"

#define CHUNK_BYTES   (64 * 1024)
#define FROM_LINE_MAX 2048 /* line_length_limit: a longer one is no "From " line */

struct Input {
        InputOptions options;
        int (*on_data)(void *userdata, Str data);
        void *userdata;

        uint64_t n_bytes; /* that came */
        int read_errno;

        bool in_from_lines; /* "From " lines may still come */
        Buf from_line;      /* what is there of a line that may be one */
        bool strip;         /* CR LF becomes LF; with STRICT known after the first line */
        bool strip_known;
        bool in_line;  /* not at the beginning of a line */
        bool dot_held; /* a dot that may be all of its line */
        uint64_t n_cr; /* CRs that may be part of a line end */
        bool ended;

        Buf memory;
        int fd;            /* -1: all is in memory */
        uint64_t fd_bytes; /* in the file; what is in memory comes behind it */
};

int input_new(const InputOptions *options, int (*on_data)(void *userdata, Str data), void *userdata,
              Input **ret) {
        Input *input = malloc(sizeof(*input));

        if (!input)
                return -ENOMEM;
        *input = (Input){
                .options = *options,
                .on_data = on_data,
                .userdata = userdata,
                .in_from_lines = true,
                .from_line = BUF_INIT(FROM_LINE_MAX),
                .strip = options->line_ends == INPUT_LINE_ENDS_ALWAYS,
                .strip_known = options->line_ends != INPUT_LINE_ENDS_STRICT,
                .memory = BUF_INIT(INPUT_MEMORY_MAX),
                .fd = -1,
        };
        *ret = input;
        return 0;
}

Input *input_free(Input *input) {
        if (!input)
                return NULL;
        fd_closep(&input->fd);
        buf_deinit(&input->from_line);
        buf_deinit(&input->memory);
        free(input);
        return NULL;
}

bool input_is_ended(const Input *input) {
        return input->ended;
}

int input_errno(const Input *input) {
        return input->read_errno;
}

/* ---- keeping ---- */

/* A file without a name, in $TMPDIR or /tmp; in memory where neither can be written. */
static int open_temporary(void) {
        const char *const directories[] = { getenv("TMPDIR"), "/tmp" };
        int fd;

        for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
                if (!directories[i] || directories[i][0] != '/')
                        continue;
                fd = open(directories[i], O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
                if (fd >= 0)
                        return fd;
        }
        fd = memfd_create("sendmail", MFD_CLOEXEC);
        return fd >= 0 ? fd : -errno;
}

static int spill(Input *input) {
        int r;

        if (input->fd < 0) {
                r = open_temporary();
                if (r < 0)
                        return r;
                input->fd = r;
        }
        r = file_write_all(input->fd, input->memory.data, input->memory.len);
        if (r < 0)
                return r;
        input->fd_bytes += input->memory.len;
        buf_reset(&input->memory);
        return 0;
}

static int keep(Input *input, Str data) {
        int r;

        if (data.len == 0)
                return 0;
        if (input->on_data) {
                r = input->on_data(input->userdata, data);
                if (r != 0)
                        return r;
        }
        while (data.len > 0) {
                size_t n = size_min(data.len, input->memory.max - input->memory.len);

                if (n == 0) {
                        r = spill(input);
                        if (r < 0)
                                return r;
                        continue;
                }
                r = buf_append_str(&input->memory, str_first(data, n));
                if (r < 0)
                        return r;
                data = str_skip(data, n);
        }
        return 0;
}

int input_replay(const Input *input, int (*on_data)(void *userdata, Str data), void *userdata) {
        char chunk[CHUNK_BYTES];
        int r;

        for (uint64_t offset = 0; offset < input->fd_bytes; offset += sizeof(chunk)) {
                uint64_t left = input->fd_bytes - offset;
                size_t n = left < sizeof(chunk) ? (size_t)left : sizeof(chunk);

                r = file_pread_all(input->fd, chunk, n, (off_t)offset);
                if (r != 0)
                        return r < 0 ? r : -EIO;
                r = on_data(userdata, str_from(chunk, n));
                if (r != 0)
                        return r;
        }
        return input->memory.len > 0 ? on_data(userdata, buf_str(&input->memory)) : 0;
}

/* ---- lines ---- */

/* What was held back is text after all. */
static int release_held(Input *input, bool with_cr) {
        int r = 0;

        if (input->dot_held)
                r = keep(input, STR("."));
        for (; r == 0 && with_cr && input->n_cr > 0; input->n_cr--)
                r = keep(input, STR("\r"));
        input->dot_held = false;
        input->n_cr = 0;
        return r;
}

static int take_line_end(Input *input) {
        int r;

        if (!input->strip_known) {
                input->strip_known = true;
                input->strip = input->n_cr > 0;
        }
        if (input->dot_held && (input->n_cr == 0 || input->strip)) {
                input->ended = true;
                return 0;
        }
        r = release_held(input, !input->strip);
        input->in_line = false;
        return r == 0 ? keep(input, STR("\n")) : r;
}

/* Take the next byte that means something, or the run of those before it. */
static int take_text(Input *input, Str *data) {
        size_t n = 0;
        int r;

        switch (data->data[0]) {
        case '\n':
                *data = str_skip(*data, 1);
                return take_line_end(input);
        case '\r':
                *data = str_skip(*data, 1);
                input->in_line = true;
                input->n_cr++;
                return 0;
        case '.':
                if (input->in_line || input->options.dot_is_text)
                        break;
                *data = str_skip(*data, 1);
                input->in_line = true;
                input->dot_held = true;
                return 0;
        }
        r = release_held(input, true);
        if (r != 0)
                return r;
        while (n < data->len && data->data[n] != '\n' && data->data[n] != '\r')
                n++;
        input->in_line = true;
        r = keep(input, str_first(*data, n));
        *data = str_skip(*data, n);
        return r;
}

static int take_all(Input *input, Str data) {
        int r = 0;

        while (r == 0 && data.len > 0 && !input->ended)
                r = take_text(input, &data);
        return r;
}

static bool is_from_line(Str line) {
        while (line.len > 0 && line.data[0] == '>')
                line = str_skip(line, 1);
        return str_has_prefix(line, STR("From "));
}

/* The first line that is no "From " line ends this phase; what was kept of it is text. */
static int leave_from_lines(Input *input) {
        int r;

        input->in_from_lines = false;
        r = take_all(input, buf_str(&input->from_line));
        buf_reset(&input->from_line);
        return r;
}

static int take_from_lines(Input *input, Str *data) {
        size_t end = str_find(*data, '\n');
        size_t room = input->from_line.max - input->from_line.len;
        size_t n = size_min(size_min(end + 1, data->len), room);
        int r;

        r = buf_append_str(&input->from_line, str_first(*data, n));
        if (r != 0)
                return r;
        *data = str_skip(*data, n);
        if (end < n && is_from_line(buf_str(&input->from_line))) {
                if (!input->strip_known) {
                        input->strip_known = true;
                        input->strip = str_has_suffix(buf_str(&input->from_line), STR("\r\n"));
                }
                buf_reset(&input->from_line);
                return 0;
        }
        return end < n || n == room ? leave_from_lines(input) : 0;
}

int input_feed(Input *input, Str data) {
        int r = 0;

        if (input->ended)
                return 0;
        input->n_bytes += data.len;
        if (input->options.max_bytes > 0 && input->n_bytes > input->options.max_bytes)
                return INPUT_E_TOO_BIG;
        while (r == 0 && data.len > 0 && input->in_from_lines)
                r = take_from_lines(input, &data);
        return r == 0 ? take_all(input, data) : r;
}

int input_finish(Input *input) {
        int r = 0;

        if (input->in_from_lines)
                r = leave_from_lines(input);
        if (r != 0 || input->ended)
                return r;
        if (input->dot_held && input->n_cr == 0) { /* a last line of one dot */
                input->ended = true;
                return 0;
        }
        return release_held(input, true);
}

int input_read(Input *input, int fd) {
        char chunk[CHUNK_BYTES];
        int r = 0;

        while (r == 0 && !input->ended) {
                ssize_t n = read(fd, chunk, sizeof(chunk));

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0) {
                        input->read_errno = errno;
                        return INPUT_E_READ;
                }
                if (n == 0)
                        break;
                r = input_feed(input, str_from(chunk, (size_t)n));
        }
        return r == 0 ? input_finish(input) : r;
}
