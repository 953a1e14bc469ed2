#include "services/cleanup/cleanup.h"

#include "common/role/role-queue.h"
#include "services/cleanup/message.h"

/*
 * For all of one message. Our clients have it on disk or in memory already (DESIGN 5), so this is
 * only reached when one of them hangs.
 */
#define REQUEST_TIMEOUT_USEC (300 * USEC_PER_SEC)

int cleanup_start(RoleEnv *env) {
        Settings *settings = NULL;
        int r = settings_new(env, &settings);

        env->context = settings;
        return r == 0 ? role_queue_open(env, 1U << QUEUE_INCOMING, &settings->queue) : r;
}

void cleanup_stop(RoleEnv *env) {
        env->context = settings_free(env->context);
}

int cleanup_serve(RoleEnv *env, IpcConn *conn) {
        _cleanup_(message_deinit) Message message;
        int r;

        message_init(&message, env->context);
        ipc_conn_set_timeout(conn, REQUEST_TIMEOUT_USEC);
        r = mail_server_receive(conn, &message_sink, &message);
        if (r == IPC_E_CLOSED)
                message_log_canceled(&message);
        return r;
}
