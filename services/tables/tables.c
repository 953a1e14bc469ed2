#include "services/tables/tables.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-tables.h"
#include "services/tables/complaint.h"

/* For the request: clients are strangers (DESIGN 5), and it is one small frame. */
#define REQUEST_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define ANSWER_TIMEOUT_USEC  (10 * USEC_PER_SEC)

/* The users of units/sysusers.conf; they ask for what the admin's configuration names. */
static const char *const our_users[] = { "unitpost", "unitpost-drop", "unitpost-showq" };

typedef struct Tables {
        uid_t uids[ARRAY_LEN(our_users)];
        size_t n_uids;
        Complaints complaints;
} Tables;

int tables_start(RoleEnv *env) {
        Tables *tables = calloc(1, sizeof(*tables));

        if (!tables) {
                log_fatal(LOG_ID_START_FAILED, "out of memory");
                return -ENOMEM;
        }
        /* A user that is not there cannot ask. */
        for (size_t i = 0; i < ARRAY_LEN(our_users); i++) {
                const struct passwd *user = getpwnam(our_users[i]);

                if (user)
                        tables->uids[tables->n_uids++] = user->pw_uid;
        }
        env->context = tables;
        return 0;
}

void tables_stop(RoleEnv *env) {
        Tables *tables = env->context;

        if (tables)
                complaints_deinit(&tables->complaints);
        free(tables);
        env->context = NULL;
}

static bool is_ours(const Tables *tables, uid_t uid) {
        for (size_t i = 0; i < tables->n_uids; i++)
                if (tables->uids[i] == uid)
                        return true;
        return uid == 0;
}

/* One request: what is asked for, by whom, and what came of it. */
typedef struct Call {
        Tables *tables;
        uid_t uid;
        bool is_stranger;
        bool is_build; /* else refresh */
        char *source;
        TableIndexJob job;
        TableIndexResult result;
} Call;

static int receive_request(IpcConn *conn, Call *call) {
        TablesRequest request;
        int r;

        r = ipc_conn_receive_message(conn, &tables_request_schema, &request);
        if (r != 0)
                return r;
        call->is_build = str_equal(request.mode, STR("build"));
        call->job.rules = request.rules;
        if (!str_has_prefix(request.source, STR("/")) || str_contains(request.source, '\0') ||
            !table_syntax_find(request.syntax, &call->job.syntax) ||
            (!call->is_build && !str_equal(request.mode, STR("refresh"))))
                return IPC_E_PROTOCOL;
        call->source = str_dup(request.source);
        if (!call->source)
                return -ENOMEM;
        call->job.source = call->source;
        return ipc_conn_receive_end(conn);
}

static void complain(Call *call, const char *reason) {
        struct stat st;
        TableStamp stamp = { 0 };

        /* A stranger reads it in the answer; the log is not his to fill. */
        if (call->is_stranger)
                return;
        if (table_file_stat(call->source, NULL, &st) == 0)
                stamp = table_stamp(&st);
        if (!complaint_is_news(&call->tables->complaints, call->source, &stamp))
                return;
        if (call->result.error_line > 0)
                log_warning(LOG_ID_TABLE_KEPT, "%s: line %" PRIu64 ": %s; no new index is made",
                            call->source, call->result.error_line, reason);
        else
                log_warning(LOG_ID_TABLE_KEPT, "%s: %s; no new index is made", call->source,
                            reason);
}

static TablesResult done(Call *call) {
        const TableIndexResult *result = &call->result;

        if (result->was_damaged)
                log_warning(LOG_ID_TABLE_ERROR, "%s: its index was damaged, and is made anew",
                            call->source);
        if (result->is_built)
                log_event(LOG_INFO, LOG_ID_TABLE_BUILT, NULL, 0,
                          "%s: index built for uid %lu, %" PRIu64 " entries", call->source,
                          (unsigned long)call->uid, result->n_entries);
        return (TablesResult){
                .status = TABLES_DONE,
                .n_entries = result->n_entries,
                .n_duplicates = result->n_duplicates,
                .longest_bytes = result->longest_bytes,
                .total_bytes = result->total_bytes,
        };
}

/* Errors that only the owner of a file can run into: the others would tell what is where. */
static bool may_be_told(int error) {
        return error == EISDIR || error == EINVAL || error == EFBIG || error == EBUSY;
}

static TablesResult source_failed(Call *call) {
        int error = call->result.source_error;
        const char *reason = table_file_error(error);

        if (call->is_stranger && !may_be_told(error))
                return (TablesResult){ .status = TABLES_REFUSED,
                                       .text = STR("there is no such file that is yours") };
        complain(call, reason);
        return (TablesResult){ .status = TABLES_KEPT, .text = str_from_cstr(reason) };
}

static TablesResult malformed(Call *call) {
        complain(call, call->result.reason);
        return (TablesResult){
                .status = TABLES_KEPT,
                .line = call->result.error_line,
                .text = str_from_cstr(call->result.reason),
        };
}

static TablesResult failed(const Call *call, int error) {
        log_error(LOG_ID_TABLE_ERROR, "%s: cannot make its index in %s: %s", call->source,
                  TABLE_INDEX_DIR, strerror(error));
        return (TablesResult){ .status = TABLES_FAILED, .text = str_from_cstr(strerror(error)) };
}

static TablesResult execute(Call *call) {
        int r = call->is_build ? table_index_build(&call->job, &call->result)
                               : table_index_refresh(&call->job, TABLE_WAIT_USEC, &call->result);

        switch (r) {
        case 0:
                return done(call);
        case TABLE_INDEX_E_SYNTAX:
                return malformed(call);
        case TABLE_INDEX_E_SOURCE:
                return source_failed(call);
        default:
                return failed(call, r < 0 ? -r : EIO);
        }
}

int tables_serve(RoleEnv *env, IpcConn *conn) {
        Call call = { .tables = env->context, .uid = ipc_conn_peer(conn)->uid };
        TablesResult result;
        int r;

        call.is_stranger = !is_ours(call.tables, call.uid);
        if (call.is_stranger)
                call.job.owner = &call.uid;
        ipc_conn_set_timeout(conn, REQUEST_TIMEOUT_USEC);
        r = receive_request(conn, &call);
        if (r == 0) {
                result = execute(&call);
                ipc_conn_set_timeout(conn, ANSWER_TIMEOUT_USEC);
                r = ipc_conn_send_message(conn, &tables_result_schema, &result);
        }
        free(call.source);
        return r == 0 ? ipc_conn_send_end(conn) : r;
}
