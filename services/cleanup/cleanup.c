#include "services/cleanup/cleanup.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/mail/queue.h"
#include "services/cleanup/message.h"

/*
 * For all of one message. Our clients have it on disk or in memory already (DESIGN 5), so this is
 * only reached when one of them hangs.
 */
#define REQUEST_TIMEOUT_USEC (300 * USEC_PER_SEC)

int cleanup_start(RoleEnv *env) {
        const char *path = config_string(env->config, PARAM_queue_directory);
        Queue *queue;
        int r;

        r = queue_open(path, 1U << QUEUE_INCOMING, &queue);
        if (r != 0) {
                log_error(LOG_ID_QUEUE_ERROR, "cannot open %s/incoming: %s", path,
                          r < 0 ? strerror(-r) : "not a queue directory");
                return r < 0 ? r : -EIO;
        }
        env->context = queue;
        return 0;
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
