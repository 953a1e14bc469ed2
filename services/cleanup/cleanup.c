#include "services/cleanup/cleanup.h"

#include "common/role/role-queue.h"
#include "services/cleanup/message.h"

/*
 * For all of one message. Our clients have it on disk or in memory already (DESIGN 5), so this is
 * only reached when one of them hangs.
 */
#define REQUEST_TIMEOUT_USEC (300 * USEC_PER_SEC)

int cleanup_start(RoleEnv *env) {
        Queue *queue = NULL;
        int r = role_queue_open(env, 1U << QUEUE_INCOMING, &queue);

        env->context = queue;
        return r;
}

void cleanup_stop(RoleEnv *env) {
        env->context = queue_free(env->context);
}

int cleanup_serve(RoleEnv *env, IpcConn *conn) {
        _cleanup_(message_deinit) Message message;
        int r;

        message_init(&message, env->config, env->context);
        ipc_conn_set_timeout(conn, REQUEST_TIMEOUT_USEC);
        r = mail_server_receive(conn, &message_sink, &message);
        if (r == IPC_E_CLOSED)
                message_log_canceled(&message);
        return r;
}
