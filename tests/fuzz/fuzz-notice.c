/*
 * A notice about any queue file: once the input as the file itself, once a good file whose texts
 * are the lines of the input. Whatever they hold, the notice has its four delimiters, and what is
 * ours of it (all but the returned message) is printable text in lines of at most 998 bytes.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/file.h"
#include "services/bounce/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BOUNDARY "B0UNDARY"

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

/* Lines of the parts in front of the returned message. */
static void check_notice(Str notice, bool is_ascii) {
        unsigned n_delimiters = 0;
        Str line;

        while (n_delimiters < 3 && str_next_part(&notice, '\n', &line)) {
                n_delimiters += str_equal(line, STR("--" BOUNDARY));
                if (line.len > 998)
                        abort();
                for (size_t i = 0; i < line.len; i++)
                        if ((ascii_is_control(line.data[i]) && line.data[i] != '\t') ||
                            (is_ascii && (unsigned char)line.data[i] > 0x7e))
                                abort();
        }
        if (n_delimiters != 3 || !str_has_suffix(notice, STR("\n--" BOUNDARY "--\n")))
                abort();
}

static void build(int fd, QueueFile *file) {
        const Envelope *envelope = queue_file_envelope(file);
        Buf out _cleanup_(buf_deinit) = BUF_INIT(64 << 20);
        NoticeSpec spec = {
                .file = file,
                .fd = fd,
                .queue_id = STR("0123456789ABCDEF0123"),
                .notice_id = STR("0123456789ABCDEF0124"),
                .recipient = envelope->sender,
                .hostname = STR("mx.example.org"),
                .mail_name = STR("unitpost"),
                .boundary = STR(BOUNDARY),
                .original_max_bytes = 500,
        };
        QueueFileRecipient one = { .recipient.address = STR("x") };
        uint64_t cursor = 0;
        Dsn outcome;
        int r;

        dsn_set(&outcome, DSN_BOUNCED, "5.3.4", "message too large");
        spec.is_threaded = true;
        for (NoticeKind kind = NOTICE_FAILURE; kind <= NOTICE_DELAY; kind++) {
                spec.kind = kind;
                spec.outcome = kind == NOTICE_FAILURE || kind == NOTICE_DELAY ? NULL : &outcome;
                spec.reader = kind == NOTICE_ONE ? NOTICE_TO_OWNER : NOTICE_TO_SENDER;
                if (kind == NOTICE_ONE)
                        (void)queue_file_next_recipient(file, &cursor, false, &one);
                spec.one = &one.recipient;
                buf_reset(&out);
                r = notice_build(&spec, collect, &out);
                if (r == 0)
                        check_notice(buf_str(&out), !(envelope->flags & ENVELOPE_SMTPUTF8));
                else if (r != NOTICE_E_SOURCE)
                        abort();
        }
}

static void try_raw(const uint8_t *data, size_t size) {
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        int fd _cleanup_(fd_closep) = memfd_create("fuzz", MFD_CLOEXEC);

        if (fd < 0 || file_write_all(fd, data, size) != 0)
                abort();
        if (queue_file_open(fd, &file) == 0)
                build(fd, file);
}

static Str next_text(Str *rest, size_t max) {
        Str text = STR_NULL;

        (void)str_next_part(rest, '\n', &text);
        return str_first(text, max);
}

static int write_message(int dir_fd, const QueueId *id, Str rest) {
        QueueFileWriter *writer _cleanup_(queue_file_writer_freep) = NULL;
        Str options = next_text(&rest, 3);
        Envelope envelope = {
                .sender = next_text(&rest, ENVELOPE_ADDRESS_MAX),
                .envid = next_text(&rest, ENVELOPE_TEXT_MAX),
                .flags = str_contains(options, 'u') ? ENVELOPE_SMTPUTF8 : 0,
                .ret = str_contains(options, 'h') ? ENVELOPE_RET_HDRS : ENVELOPE_RET_NONE,
        };
        int r;

        r = queue_file_writer_new(dir_fd, &envelope, NULL, &writer);
        for (int i = 0; i < 3 && r == 0; i++) {
                Recipient recipient = {
                        .address = next_text(&rest, ENVELOPE_ADDRESS_MAX),
                        .original = next_text(&rest, ENVELOPE_ADDRESS_MAX),
                        .orcpt = next_text(&rest, ENVELOPE_TEXT_MAX),
                };

                /* One that is malformed is not in; the others are. */
                if (queue_file_writer_add_recipient(writer, &recipient) < 0)
                        abort();
        }
        if (r == 0)
                r = queue_file_writer_add_content(writer, rest);
        return r == 0 ? queue_file_writer_commit(writer, id) : r;
}

static void diagnose(int fd, Str text) {
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        QueueFileRecipient found;
        uint64_t cursor = 0;
        bool is_late = false;
        Dsn dsn;

        if (queue_file_open(fd, &file) != 0)
                return;
        for (; queue_file_next_recipient(file, &cursor, false, &found) == 0; is_late = !is_late) {
                dsn_set(&dsn, is_late ? DSN_DEFERRED : DSN_BOUNCED, is_late ? "4.2.0" : "5.1.1",
                        "%.*s", (int)size_min(text.len, 1000), text.data);
                if (queue_file_write_diagnosis(fd, found.offset, &dsn, 1,
                                               is_late ? RECIPIENT_TODO : RECIPIENT_FAILED) != 0)
                        abort();
        }
}

static void try_texts(Str text) {
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        int dir_fd _cleanup_(fd_closep) = file_open_dir(AT_FDCWD, "/dev/shm");
        int fd _cleanup_(fd_closep) = -1;
        QueueId id = queue_id_new(1);

        if (dir_fd < 0 || write_message(dir_fd, &id, text) != 0)
                return;
        fd = openat(dir_fd, id.text, O_RDWR | O_CLOEXEC);
        (void)unlinkat(dir_fd, id.text, 0);
        if (fd < 0)
                abort();
        diagnose(fd, text);
        if (queue_file_open(fd, &file) != 0)
                abort();
        build(fd, file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str text = str_from((const char *)data, size);

        if (size > (1 << 20) || (size > 0 && memmem(data, size, BOUNDARY, strlen(BOUNDARY))))
                return 0;
        try_raw(data, size);
        try_texts(text);
        return 0;
}
