#include "services/local/local.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-delivery.h"
#include "services/local/recipient.h"

/* Everything that a worker needs for its life, in the order in which it is asked for. */
static int open_all(Local *local, const RoleEnv *env) {
        int r;

        r = settings_init(&local->settings, env);
        if (r == 0)
                r = mailboxes_init(&local->mailboxes, env->config);
        if (r != 0)
                return r;
        r = commands_new(true, &local->commands);
        if (r < 0)
                log_fatal(LOG_ID_START_FAILED, "cannot prepare for users' commands: %s",
                          strerror(-r));
        return r;
}

int local_start(RoleEnv *env) {
        Local *local;
        int r;

        r = identity_init();
        if (r < 0) {
                log_fatal(LOG_ID_START_FAILED, "cannot drop supplementary groups: %s",
                          strerror(-r));
                return r;
        }
        /* A file size limit shall be an error of write(2), not the end of this process. */
        (void)signal(SIGXFSZ, SIG_IGN);
        local = calloc(1, sizeof(*local));
        if (!local)
                return -ENOMEM;
        env->context = local;
        return open_all(local, env);
}

void local_stop(RoleEnv *env) {
        Local *local = env->context;

        if (local) {
                commands_free(local->commands);
                mailboxes_deinit(&local->mailboxes);
                settings_deinit(&local->settings);
        }
        free(local);
        env->context = NULL;
}

static bool deliver(void *context, const Delivery *delivery, const DeliveryRecipient *recipient,
                    Dsn *dsn) {
        Step step = {
                .address = recipient->address,
                .sender = delivery->request.sender,
                .told = delivery->request.sender,
        };
        Attempt attempt;

        attempt_init(&attempt, context, delivery, recipient);
        recipient_deliver(&attempt, &step);
        attempt_finish(&attempt, dsn);
        attempt_deinit(&attempt);
        return true;
}

int local_serve(RoleEnv *env, IpcConn *conn) {
        size_t recipients_max = (size_t)config_int(env->config, PARAM_qmgr_message_recipient_limit);

        return delivery_serve(conn, recipients_max, deliver, env->context);
}
