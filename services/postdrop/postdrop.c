#include "services/postdrop/postdrop.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "services/postdrop/submission.h"

/*
 * For all of one message, from the moment a worker has it: clients are strangers (DESIGN 5).
 * sendmail(1) has the whole message before it connects, so that this is ample for any size that a
 * disk takes in a minute.
 */
#define REQUEST_TIMEOUT_USEC (60 * USEC_PER_SEC)

int postdrop_start(RoleEnv *env) {
        const char *path = config_string(env->config, PARAM_queue_directory);
        Queue *queue;
        int r;

        r = queue_open(path, 1U << QUEUE_MAILDROP, &queue);
        if (r != 0) {
                log_error(LOG_ID_QUEUE_ERROR, "cannot open %s/maildrop: %s", path,
                          r < 0 ? strerror(-r) : "not a queue directory");
                return r < 0 ? r : -EIO;
        }
        env->context = queue;
        return 0;
}

void postdrop_stop(RoleEnv *env) {
        env->context = queue_free(env->context);
}

int postdrop_serve(RoleEnv *env, IpcConn *conn) {
        _cleanup_(submission_deinit) Submission submission;
        int r;

        submission_init(&submission, env->config, env->context, ipc_conn_peer(conn)->uid);
        ipc_conn_set_timeout(conn, REQUEST_TIMEOUT_USEC);
        r = mail_server_receive(conn, &submission_sink, &submission);
        if (r != 0)
                submission_log_canceled(&submission);
        return r;
}
