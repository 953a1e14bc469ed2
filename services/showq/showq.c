#include "services/showq/showq.h"

#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-queue.h"
#include "common/role/protocol-showq.h"
#include "common/role/role-queue.h"
#include "services/showq/authorize.h"
#include "services/showq/list.h"

/* For the request: clients are strangers (DESIGN 5), and it is one small frame. */
#define REQUEST_TIMEOUT_USEC (10 * USEC_PER_SEC)

/* How long a client may take to read a short answer. */
#define ANSWER_TIMEOUT_USEC (30 * USEC_PER_SEC)

/* How long a user waits for qmgr to take a command. */
#define COMMAND_WAIT_USEC (5 * USEC_PER_SEC)

int showq_start(RoleEnv *env) {
        Queue *queue = NULL;
        int r = role_queue_open(env, SHOWQ_DIRS, &queue);

        env->context = queue;
        return r;
}

void showq_stop(RoleEnv *env) {
        env->context = queue_free(env->context);
}

static int send_result(IpcConn *conn, bool ok, const char *text) {
        ShowqResult result = { .ok = ok, .text = str_from_cstr(text) };
        int r;

        ipc_conn_set_timeout(conn, ANSWER_TIMEOUT_USEC);
        r = ipc_conn_send_message(conn, &showq_result_schema, &result);
        return r == 0 ? ipc_conn_send_end(conn) : r;
}

/* May PEER do what PARAM guards? Otherwise it has been told, and *RET is the result of that. */
static bool check_user(RoleEnv *env, IpcConn *conn, ConfigParam param, int *ret) {
        uid_t uid = ipc_conn_peer(conn)->uid;

        switch (authorize_user(config_string(env->config, param), uid)) {
        case AUTHORIZE_YES:
                return true;
        case AUTHORIZE_NO:
                *ret = send_result(conn, false,
                                   param == PARAM_authorized_mailq_users
                                           ? "you may not see the mail queue"
                                           : "you may not flush the mail queue");
                return false;
        case AUTHORIZE_ERROR:
                break;
        }
        log_warning(LOG_ID_TABLE_ERROR, "%s: lookup error for uid %lu",
                    config_param_info(param)->name, (unsigned long)uid);
        *ret = send_result(conn, false, "cannot find out what you may do; try again later");
        return false;
}

static int serve_flush(IpcConn *conn, QmgrCommand command, const QueueId *id) {
        int r;

        r = qmgr_send_command(command, id, COMMAND_WAIT_USEC);
        if (r == IPC_E_REFUSED)
                return send_result(conn, false, "the queue manager's socket is not there");
        if (r == IPC_E_BUSY)
                return send_result(conn, false, "the queue manager is too busy; try again later");
        if (r != 0) {
                log_warning(LOG_ID_TRANSPORT_DEAD, "qmgr: %s",
                            r < 0 ? strerror(-r) : ipc_error_name(r));
                return send_result(conn, false, "the queue manager cannot be reached");
        }
        return send_result(conn, true, "");
}

typedef enum Verb {
        VERB_LIST,
        VERB_FLUSH,
        VERB_FLUSH_ONE,
} Verb;

static int receive_request(IpcConn *conn, Verb *ret_verb, QueueId *ret_id) {
        ShowqRequest request;
        int r;

        r = ipc_conn_receive_message(conn, &showq_request_schema, &request);
        if (r != 0)
                return r;
        if (str_equal(request.verb, STR("list")))
                *ret_verb = VERB_LIST;
        else if (str_equal(request.verb, STR("flush")))
                *ret_verb = VERB_FLUSH;
        else if (str_equal(request.verb, STR("flush-one")) &&
                 queue_id_parse(request.queue_id, ret_id))
                *ret_verb = VERB_FLUSH_ONE;
        else
                return IPC_E_PROTOCOL;
        return ipc_conn_receive_end(conn);
}

int showq_serve(RoleEnv *env, IpcConn *conn) {
        QueueId id = { 0 };
        Verb verb;
        int r;

        ipc_conn_set_timeout(conn, REQUEST_TIMEOUT_USEC);
        r = receive_request(conn, &verb, &id);
        if (r != 0)
                return r;
        if (!check_user(env, conn,
                        verb == VERB_LIST ? PARAM_authorized_mailq_users
                                          : PARAM_authorized_flush_users,
                        &r))
                return r;
        switch (verb) {
        case VERB_LIST:
                return list_queue(env->context, conn);
        case VERB_FLUSH:
                return serve_flush(conn, QMGR_FLUSH, NULL);
        case VERB_FLUSH_ONE:
                break;
        }
        return serve_flush(conn, QMGR_FLUSH_ONE, &id);
}
