/*
 * How a line travels: built in one static LogLine, then sent after whatever is still pending, so
 * that the order holds. A datagram that journald does not take now joins the pending ones; when
 * those are full it is counted. No memory is allocated while journald keeps up.
 *
 * Where lines go depends on whether this process ever reached a journal. If it never did, there
 * is none, and standard error is the log. If it did, journald is down or restarting and will be
 * back: standard error would be journald's own stream then, which may block, so lines wait.
 */

#include "common/base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

#include "common/base/buf.h"
#include "common/base/log-line.h"

#define LOG_SOCKET_PATH "/run/systemd/journal/socket"

/* The number of LOG_ID_LINES_DROPPED in common/mail/log-id.h, a layer that base does not see. */
#define LINES_DROPPED_ID "5c1a0e6f2d934b7ea1f08c3b6d2e4a25"

enum {
        MESSAGE_MAX = 2048,
        FIELD_MAX = 1024,
        PENDING_MAX = 256 * 1024,
        FACILITY_MAIL = 2
};

typedef enum SendResult {
        SEND_DONE,
        SEND_LATER,      /* journald is slow, or away and will be back */
        SEND_IMPOSSIBLE, /* this datagram will never go through */
        SEND_NO_JOURNAL
} SendResult;

static struct {
        int fd;
        bool connected;
        bool ever_connected;
        bool to_stderr;
        bool verbose;
        pid_t pid;           /* whose pending lines these are */
        bool hears_of_forks; /* pid is right without asking */
        char identifier[64];
        struct sockaddr_un address;
        Buf pending; /* datagrams, each behind its length as uint32_t */
        size_t n_dropped;
        size_t n_unreported; /* of those, the ones no line has told of yet */
} journal = {
        .fd = -1,
        .address = { .sun_family = AF_UNIX, .sun_path = LOG_SOCKET_PATH },
        .pending = BUF_INIT(PENDING_MAX),
};

static bool journal_connect(void) {
        if (journal.connected)
                return true;
        if (journal.fd < 0)
                journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (journal.fd < 0)
                return false;
        journal.connected = connect(journal.fd, (const struct sockaddr *)&journal.address,
                                    sizeof(journal.address)) == 0;
        journal.ever_connected |= journal.connected;
        return journal.connected;
}

/* The socket was made anew, by a restarted journald or by PID 1. */
static bool error_is_disconnect(int error) {
        return error == ECONNREFUSED || error == ECONNRESET || error == ENOTCONN ||
               error == EPIPE || error == ENOENT || error == EDESTADDRREQ;
}

static bool error_is_transient(int error) {
        return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

static SendResult journal_send(const char *data, size_t len) {
        for (int i = 0; i < 2; i++) {
                if (!journal_connect())
                        break;
                if (send(journal.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
                        return SEND_DONE;
                if (error_is_transient(errno))
                        return SEND_LATER;
                if (!error_is_disconnect(errno))
                        return SEND_IMPOSSIBLE;
                journal.connected = false;
        }
        return journal.ever_connected ? SEND_LATER : SEND_NO_JOURNAL;
}

static void count_dropped(void) {
        journal.n_dropped++;
        journal.n_unreported++;
}

static void pending_add(const LogLine *line) {
        uint32_t len = (uint32_t)line->len;
        Buf *pending = &journal.pending;
        size_t before = pending->len;

        if (buf_append(pending, &len, sizeof(len)) == 0 &&
            buf_append(pending, line->data, len) == 0)
                return;
        buf_truncate(pending, before);
        pending->error = 0; /* a shorter line may fit, and memory may be back for the next */
        count_dropped();
}

/* Send what waits, in order. Returns whether all of it is gone. */
static bool pending_flush(void) {
        Buf *pending = &journal.pending;
        size_t done = 0;

        while (done < pending->len) {
                uint32_t len;
                SendResult result;

                memcpy(&len, pending->data + done, sizeof(len));
                result = journal_send(pending->data + done + sizeof(len), len);
                if (result != SEND_DONE && result != SEND_IMPOSSIBLE)
                        break;
                if (result == SEND_IMPOSSIBLE)
                        count_dropped();
                done += sizeof(len) + len;
        }
        buf_consume(pending, done);
        return pending->len == 0;
}

static void line_begin(LogLine *line, int priority, const char *message_id, Str message) {
        line->len = 0;
        (void)log_line_add(line, "MESSAGE", message, MESSAGE_MAX);
        (void)log_line_add_number(line, "PRIORITY", LOG_PRI(priority));
        (void)log_line_add_number(line, "SYSLOG_FACILITY", FACILITY_MAIL);
        (void)log_line_add(line, "SYSLOG_IDENTIFIER", str_from_cstr(journal.identifier), FIELD_MAX);
        (void)log_line_add_number(line, "SYSLOG_PID", journal.pid);
        if (message_id)
                (void)log_line_add(line, "MESSAGE_ID", str_from_cstr(message_id), FIELD_MAX);
}

/* Tell of lost lines once the way is free; kept for later when even that does not go through. */
static void dropped_report(void) {
        static LogLine line;
        char text[96];

        (void)snprintf(text, sizeof(text), "warning: %zu log lines lost: the journal was too slow",
                       journal.n_unreported);
        line_begin(&line, LOG_WARNING, LINES_DROPPED_ID, str_from_cstr(text));
        if (journal_send(line.data, line.len) == SEND_DONE)
                journal.n_unreported = 0;
}

/* Best effort: a log line is nothing to fail for. */
static void stderr_write(Str message) {
        char text[sizeof(journal.identifier) + MESSAGE_MAX + 4];
        size_t len = strlen(journal.identifier);

        memcpy(text, journal.identifier, len);
        if (len > 0) {
                text[len++] = ':';
                text[len++] = ' ';
        }
        len += log_line_escape(text + len, MESSAGE_MAX, message);
        text[len++] = '\n';
        if (write(STDERR_FILENO, text, len) < 0)
                return;
}

static void line_deliver(const LogLine *line, Str message) {
        SendResult result = SEND_LATER;

        if (pending_flush()) {
                if (journal.n_unreported > 0)
                        dropped_report();
                result = journal_send(line->data, line->len);
        }
        if (result == SEND_LATER)
                pending_add(line);
        if (result == SEND_IMPOSSIBLE)
                count_dropped();
        if (result == SEND_NO_JOURNAL || journal.to_stderr)
                stderr_write(message);
}

/* A forked child must not send its parent's lines again. */
static void begin_child(void) {
        buf_reset(&journal.pending);
        journal.n_dropped = 0;
        journal.n_unreported = 0;
        journal.pid = getpid();
}

/* Have fork(3) call the above; without memory for that, ask before each line who we are. */
static void notice_fork(void) {
        if (journal.hears_of_forks)
                return;
        if (journal.pid != getpid())
                begin_child();
        journal.hears_of_forks = pthread_atfork(NULL, NULL, begin_child) == 0;
}

static void log_message(int priority, const char *message_id, const LogField *fields,
                        size_t n_fields, Str message) {
        static LogLine line;

        notice_fork();
        line_begin(&line, priority, message_id, message);
        for (size_t i = 0; i < n_fields; i++)
                (void)log_line_add(&line, fields[i].name, fields[i].value, FIELD_MAX);
        line_deliver(&line, message);
}

static void log_format(int priority, const char *message_id, const char *prefix, const char *format,
                       va_list args) _printf_(4, 0);

static void log_format(int priority, const char *message_id, const char *prefix, const char *format,
                       va_list args) {
        char text[MESSAGE_MAX + 1];
        size_t len = strlen(prefix);
        int saved = errno;
        int n;

        memcpy(text, prefix, len);
        n = vsnprintf(text + len, sizeof(text) - len, format, args);
        if (n > 0)
                len += size_min((size_t)n, sizeof(text) - len - 1);
        log_message(priority, message_id, NULL, 0, str_from(text, len));
        errno = saved;
}

void log_event(int priority, const char *message_id, const LogField *fields, size_t n_fields,
               const char *format, ...) {
        char text[MESSAGE_MAX + 1];
        int saved = errno;
        va_list args;
        int n;

        if (LOG_PRI(priority) == LOG_DEBUG && !journal.verbose)
                return;
        va_start(args, format);
        n = vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        log_message(priority, message_id, fields, n_fields,
                    str_from(text, n > 0 ? size_min((size_t)n, MESSAGE_MAX) : 0));
        errno = saved;
}

void log_info(const char *format, ...) {
        va_list args;

        va_start(args, format);
        log_format(LOG_INFO, NULL, "", format, args);
        va_end(args);
}

void log_debug(const char *format, ...) {
        va_list args;

        if (!journal.verbose)
                return;
        va_start(args, format);
        log_format(LOG_DEBUG, NULL, "", format, args);
        va_end(args);
}

void log_warning(const char *message_id, const char *format, ...) {
        va_list args;

        va_start(args, format);
        log_format(LOG_WARNING, message_id, "warning: ", format, args);
        va_end(args);
}

void log_error(const char *message_id, const char *format, ...) {
        va_list args;

        va_start(args, format);
        log_format(LOG_ERR, message_id, "error: ", format, args);
        va_end(args);
}

void log_fatal(const char *message_id, const char *format, ...) {
        va_list args;

        va_start(args, format);
        log_format(LOG_CRIT, message_id, "fatal: ", format, args);
        va_end(args);
}

void log_open(const char *identifier) {
        int saved = errno;

        (void)snprintf(journal.identifier, sizeof(journal.identifier), "%s", identifier);
        notice_fork();
        (void)journal_connect();
        errno = saved;
}

static void journal_disconnect(void) {
        fd_closep(&journal.fd);
        journal.connected = false;
        buf_deinit(&journal.pending);
        journal.pending = BUF_INIT(PENDING_MAX);
}

void log_close(void) {
        int saved = errno;

        notice_fork();
        (void)pending_flush();
        journal_disconnect();
        errno = saved;
}

void log_set_socket_path(const char *path) {
        journal_disconnect();
        journal.ever_connected = false;
        (void)snprintf(journal.address.sun_path, sizeof(journal.address.sun_path), "%s",
                       path ? path : LOG_SOCKET_PATH);
}

void log_to_stderr(int also) {
        journal.to_stderr = also != 0;
}

void log_set_verbose(int on) {
        journal.verbose = on != 0;
}

size_t log_n_dropped(void) {
        return journal.n_dropped;
}
