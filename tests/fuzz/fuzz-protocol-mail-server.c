/*
 * Any bytes as all that a client sends to a server of mail: the sink hears of an envelope first and
 * once, of content only after it, of nothing after its own refusal, and of the end only when END
 * came. The input's first byte says where the sink refuses.
 */

#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/role/protocol-mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Checker {
        unsigned refuse_after; /* so many calls */
        unsigned n_calls;
        bool has_begun;
        bool has_content;
        bool has_refused;
        bool is_finished;
} Checker;

static int answer(Checker *checker) {
        if (checker->has_refused || checker->is_finished)
                abort();
        checker->has_refused = checker->n_calls++ >= checker->refuse_after;
        return checker->has_refused ? 1 : 0;
}

static int check_begin(void *userdata, const Envelope *envelope) {
        Checker *checker = userdata;

        if (checker->has_begun || envelope->sender.len > ENVELOPE_ADDRESS_MAX)
                abort();
        checker->has_begun = true;
        return answer(checker);
}

static int check_recipient(void *userdata, const Recipient *recipient) {
        Checker *checker = userdata;

        if (!checker->has_begun || checker->has_content ||
            recipient->address.len > ENVELOPE_ADDRESS_MAX)
                abort();
        return answer(checker);
}

static int check_content(void *userdata, Str data) {
        Checker *checker = userdata;

        if (!checker->has_begun || data.len > IPC_FRAME_MAX_BYTES)
                abort();
        checker->has_content = true;
        return answer(checker);
}

static void check_finish(void *userdata, int code, MailResult *result) {
        Checker *checker = userdata;

        if (!checker->has_begun || (code != 0) != checker->has_refused)
                abort();
        checker->is_finished = true;
        result->status = code == 0 ? MAIL_ACCEPTED : MAIL_REFUSED;
}

static const MailSink checker_sink = {
        .begin = check_begin,
        .recipient = check_recipient,
        .content = check_content,
        .finish = check_finish,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        int fds[2], r = 0, large = 1 << 20;
        IpcConn *conn;

        /* All of it must fit into the socket: nobody reads while it is written. */
        if (size == 0 || size > 100000)
                return 0;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                abort();
        (void)setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof(large));
        if (send(fds[0], data + 1, size - 1, 0) != (ssize_t)(size - 1) ||
            shutdown(fds[0], SHUT_WR) < 0 || ipc_conn_new(fds[1], &conn) != 0)
                abort();
        ipc_conn_set_timeout(conn, USEC_PER_SEC);
        while (r == 0) {
                Checker checker = { .refuse_after = data[0] };

                r = mail_server_receive(conn, &checker_sink, &checker);
                if (checker.is_finished != (r == 0) && r != IPC_E_CLOSED)
                        abort();
        }
        if (r != IPC_E_CLOSED && r != IPC_E_PROTOCOL)
                abort();
        ipc_conn_free(conn);
        (void)close(fds[0]);
        return 0;
}
