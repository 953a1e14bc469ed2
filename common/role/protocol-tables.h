#pragma once

/*
 * Whoever looks up in a table, or makes one by hand -> tables: make an index.
 *
 *   client  MESSAGE tables-request, END
 *   tables  MESSAGE tables-result, END
 */

#include "common/mail/table-index.h"
#include "common/role/ipc-conn.h"

#define TABLES_TEXT_MAX 256

typedef struct TablesRequest {
        Str source;     /* absolute path */
        Str syntax;     /* "aliases", "map" */
        Str mode;       /* "refresh": when the source changed and has come to rest; "build": now */
        uint32_t rules; /* TABLE_RULE_*, for "build" */
} TablesRequest;

typedef enum TablesStatus {
        TABLES_DONE,    /* the index is of the source as it is */
        TABLES_KEPT,    /* malformed, being written, unreadable: the index is as it was */
        TABLES_REFUSED, /* not the caller's to ask for */
        TABLES_FAILED,  /* trouble of our own */
        TABLES_STATUS_MAX = TABLES_FAILED,
} TablesStatus;

typedef struct TablesResult {
        uint32_t status;
        uint64_t line; /* of the source, that is malformed; 0: none */
        Str text;      /* why not; never anything out of a source */
        uint64_t n_entries;
        uint64_t n_duplicates;
        uint64_t longest_bytes;
        uint64_t total_bytes;
} TablesResult;

extern const IpcSchema tables_request_schema;
extern const IpcSchema tables_result_schema;

/*
 * Ask the role tables and wait, TIMEOUT for each of its hello and its answer. RET->text is
 * appended to TEXT, escaped, and points there. 0; IPC_E_* as of
 * ipc_conn_connect(), of which IPC_E_BUSY says that nothing was
 * asked yet and that it may be tried again in a moment; negative errno.
 */
int tables_ask(const TablesRequest *request, usec_t timeout_usec, TablesResult *ret, Buf *text);
