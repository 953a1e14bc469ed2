#include "common/role/protocol-tables.h"

#include <errno.h>

#include "common/base/log-line.h"

#define NAME_MAX_BYTES 32

static const IpcField request_fields[] = {
        { "source", IPC_STR, offsetof(TablesRequest, source), TABLE_KEY_MAX },
        { "syntax", IPC_STR, offsetof(TablesRequest, syntax), NAME_MAX_BYTES },
        { "mode", IPC_STR, offsetof(TablesRequest, mode), NAME_MAX_BYTES },
        { "rules", IPC_U32, offsetof(TablesRequest, rules), TABLE_RULES_ALL },
};
const IpcSchema tables_request_schema = IPC_SCHEMA("tables-request", request_fields);

static const IpcField result_fields[] = {
        { "status", IPC_U32, offsetof(TablesResult, status), TABLES_STATUS_MAX },
        { "line", IPC_U64, offsetof(TablesResult, line), UINT64_MAX },
        { "text", IPC_STR, offsetof(TablesResult, text), TABLES_TEXT_MAX },
        { "entries", IPC_U64, offsetof(TablesResult, n_entries), UINT64_MAX },
        { "duplicates", IPC_U64, offsetof(TablesResult, n_duplicates), UINT64_MAX },
        { "longest", IPC_U64, offsetof(TablesResult, longest_bytes), UINT64_MAX },
        { "total", IPC_U64, offsetof(TablesResult, total_bytes), UINT64_MAX },
};
const IpcSchema tables_result_schema = IPC_SCHEMA("tables-result", result_fields);

/* The text lies in a frame that ends with the connection. */
static int keep_text(TablesResult *result, Buf *text) {
        char escaped[TABLES_TEXT_MAX];
        size_t n = log_line_escape(escaped, sizeof(escaped), result->text);
        size_t before = text->len;
        int r = buf_append(text, escaped, n);

        result->text = str_skip(buf_str(text), before);
        return r <= 0 ? r : -ENOBUFS;
}

int tables_ask(const TablesRequest *request, usec_t timeout_usec, TablesResult *ret, Buf *text) {
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        int r;

        r = ipc_conn_connect("tables", "tables", timeout_usec, &conn);
        if (r != 0) /* closed before a word: the caller's connections are too many */
                return r == IPC_E_CLOSED ? IPC_E_BUSY : r;
        ipc_conn_set_timeout(conn, timeout_usec);
        r = ipc_conn_send_message(conn, &tables_request_schema, request);
        if (r == 0)
                r = ipc_conn_send_end(conn);
        if (r == 0)
                r = ipc_conn_receive_message(conn, &tables_result_schema, ret);
        if (r == 0)
                r = keep_text(ret, text);
        return r == 0 ? ipc_conn_receive_end(conn) : r;
}
