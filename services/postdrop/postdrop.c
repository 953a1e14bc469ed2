#include "services/postdrop/postdrop.h"

#include "common/role/role-queue.h"
#include "services/postdrop/submission.h"

/*
 * For all of one message, from the moment a worker has it: clients are strangers (DESIGN 5).
 * sendmail(1) has the whole message before it connects, so that this is ample for any size that a
 * disk takes in a minute.
 */
#define REQUEST_TIMEOUT_USEC (60 * USEC_PER_SEC)

int postdrop_start(RoleEnv *env) {
        Queue *queue = NULL;
        int r = role_queue_open(env, 1U << QUEUE_MAILDROP, &queue);

        env->context = queue;
        return r;
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
