#include "common/role/notice-client.h"

#include <stdio.h>

/* Shorter than elsewhere (DESIGN 5: 30 s): to give up costs no more than to ask again later. */
#define HELLO_TIMEOUT_USEC (5 * USEC_PER_SEC)

/* The queue file is on our disk, and bounce has little else to do than to write the notice. */
#define ANSWER_TIMEOUT_USEC (300 * USEC_PER_SEC)

static int ask(IpcConn *conn, const NoticeRequest *request, int fd, NoticeResult *ret) {
        int r;

        ipc_conn_set_timeout(conn, ANSWER_TIMEOUT_USEC);
        r = ipc_conn_send_fd(conn, fd);
        if (r == 0)
                r = ipc_conn_send_message(conn, &notice_request_schema, request);
        if (r == 0)
                r = ipc_conn_send_end(conn);
        return r == 0 ? ipc_conn_receive_message(conn, &notice_result_schema, ret) : r;
}

bool notice_client_ask(const NoticeRequest *request, int fd, NoticeReply *ret) {
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        NoticeResult result = { 0 };
        int r;

        *ret = (NoticeReply){ 0 };
        r = ipc_conn_connect("bounce", "bounce", HELLO_TIMEOUT_USEC, &conn);
        if (r == 0)
                r = ask(conn, request, fd, &result);
        if (r != 0) {
                (void)snprintf(ret->text, sizeof(ret->text), "bounce: %s", ipc_error_name(r));
                return false;
        }
        (void)snprintf(ret->notice_id, sizeof(ret->notice_id), "%.*s", STR_FMT(result.notice_id));
        (void)snprintf(ret->text, sizeof(ret->text), "bounce: %.*s", STR_FMT(result.text));
        return result.ok == 1;
}
