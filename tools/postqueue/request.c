#include "tools/postqueue/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/file.h"
#include "common/base/log-line.h"
#include "common/base/macro.h"

/* How long showq may take to begin, and for each next piece: it may be reading a long queue. */
#define HELLO_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define PIECE_TIMEOUT_USEC (300 * USEC_PER_SEC)

static int complain(int status, const char *text) {
        (void)fprintf(stderr, "postqueue: fatal: %s\n", text);
        return status;
}

static int complain_connection(int r) {
        switch (r) {
        case IPC_E_REFUSED:
                return complain(EX_UNAVAILABLE, "Queue report unavailable - mail system is down "
                                                "(systemctl start unitpost-showq.socket)");
        case IPC_E_BUSY:
        case IPC_E_TIMEOUT:
        case IPC_E_CLOSED:
                return complain(EX_TEMPFAIL, "Queue report unavailable - the showq service does "
                                             "not answer; try again later");
        case IPC_E_PROTOCOL:
                return complain(EX_PROTOCOL, "malformed showq server response");
        default:
                return complain(EX_OSERR, r < 0 ? strerror(-r) : ipc_error_name(r));
        }
}

static int complain_result(Str payload) {
        char text[DSN_TEXT_MAX + 1];
        ShowqResult result;
        size_t n;

        if (ipc_message_parse(payload, &showq_result_schema, &result) != 0 || result.ok > 1)
                return complain_connection(IPC_E_PROTOCOL);
        if (result.ok)
                return EX_OK;
        n = log_line_escape(text, sizeof(text) - 1, result.text);
        text[n] = '\0';
        return complain(EX_NOPERM, text);
}

static int connect_and_ask(const char *verb, const char *queue_id, IpcConn **ret) {
        IpcConn *conn _cleanup_(ipc_conn_freep) = NULL;
        ShowqRequest request = { str_from_cstr(verb), str_from_cstr(queue_id) };
        int r;

        r = ipc_conn_connect("showq", "showq", HELLO_TIMEOUT_USEC, &conn);
        if (r != 0)
                return r;
        ipc_conn_set_timeout(conn, PIECE_TIMEOUT_USEC);
        r = ipc_conn_send_message(conn, &showq_request_schema, &request);
        if (r == 0)
                r = ipc_conn_send_end(conn);
        if (r == 0)
                *ret = TAKE_PTR(conn);
        return r;
}

/* The text for one frame. 0, IPC_E_PROTOCOL, or an error of OUT. */
static int format_frame(const Format *format, FormatState *state, Str payload, Buf *out) {
        Str name = ipc_message_name(payload);
        ShowqRecipient recipient;
        ShowqMessage message;

        if (str_equal(name, STR("showq-message"))) {
                if (ipc_message_parse(payload, &showq_message_schema, &message) != 0)
                        return IPC_E_PROTOCOL;
                return format->message(state, &message, out);
        }
        /* A recipient belongs to a message. */
        if (!str_equal(name, STR("showq-recipient")) || state->n_messages == 0 ||
            ipc_message_parse(payload, &showq_recipient_schema, &recipient) != 0)
                return IPC_E_PROTOCOL;
        return format->recipient(state, &recipient, out);
}

/* A reader that went away ("mailq | head") is no error. */
static int print(Buf *out) {
        size_t n = out->len > 0 ? fwrite(out->data, 1, out->len, stdout) : 0;

        if (n == out->len) {
                buf_reset(out);
                return EX_OK;
        }
        if (errno == EPIPE)
                return EX_OK;
        return complain(EX_IOERR, "output write error");
}

static int receive_list(IpcConn *conn, const Format *format, FormatState *state, Buf *out) {
        IpcFrame frame;
        int r;

        for (;;) {
                ipc_conn_set_timeout(conn, PIECE_TIMEOUT_USEC);
                r = ipc_conn_receive(conn, &frame);
                if (r != 0)
                        return complain_connection(r);
                if (frame.type == IPC_FRAME_END)
                        break;
                if (frame.type != IPC_FRAME_MESSAGE)
                        return complain_connection(IPC_E_PROTOCOL);
                if (str_equal(ipc_message_name(frame.payload), STR("showq-result")))
                        return complain_result(frame.payload);
                r = format_frame(format, state, frame.payload, out);
                if (r != 0)
                        return complain_connection(r < 0 ? r : IPC_E_PROTOCOL);
                r = print(out);
                if (r != EX_OK || out->len > 0)
                        return r;
        }
        r = format->end(state, out);
        if (r != 0)
                return complain_connection(r);
        r = print(out);
        if (r == EX_OK && fflush(stdout) != 0 && errno != EPIPE)
                r = complain(EX_IOERR, "output write error");
        return r;
}

int request_list(const Format *format) {
        IpcConn *conn _cleanup_(ipc_conn_freep) = NULL;
        FormatState state = FORMAT_STATE_INIT;
        Buf out _cleanup_(buf_deinit) = BUF_INIT(FORMAT_MAX);
        int r;

        r = connect_and_ask("list", "", &conn);
        if (r != 0)
                return complain_connection(r);
        r = receive_list(conn, format, &state, &out);
        format_state_deinit(&state);
        return r;
}

int request_flush(const char *verb, const char *queue_id) {
        IpcConn *conn _cleanup_(ipc_conn_freep) = NULL;
        IpcFrame frame;
        int r;

        r = connect_and_ask(verb, queue_id, &conn);
        if (r == 0)
                r = ipc_conn_receive(conn, &frame);
        if (r != 0)
                return complain_connection(r);
        if (frame.type != IPC_FRAME_MESSAGE)
                return complain_connection(IPC_E_PROTOCOL);
        r = complain_result(frame.payload);
        if (r == EX_OK) {
                r = ipc_conn_receive_end(conn);
                if (r != 0)
                        return complain_connection(r);
        }
        return r;
}
