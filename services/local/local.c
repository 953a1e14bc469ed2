#include "services/local/local.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/mail/address.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-delivery.h"
#include "services/local/identity.h"
#include "services/local/mailbox-spool.h"
#include "services/local/user.h"

static int read_rules(const Config *config, Mailboxes *mailboxes) {
        const char *locks = config_string(config, PARAM_mailbox_delivery_lock);

        if (!mailbox_lock_parse(str_from_cstr(locks), &mailboxes->lock)) {
                log_fatal(LOG_ID_CONFIG_ERROR, "mailbox_delivery_lock = %s: unknown lock", locks);
                return -EINVAL;
        }
        mailboxes->spool_directory = config_string(config, PARAM_mail_spool_directory);
        mailboxes->size_limit_bytes = (uint64_t)config_int(config, PARAM_mailbox_size_limit);
        mailboxes->lock.wait_usec = (usec_t)config_int(config, PARAM_deliver_lock_attempts) *
                                    config_time_usec(config, PARAM_deliver_lock_delay);
        mailboxes->lock.stale_usec = config_time_usec(config, PARAM_stale_lock_time);
        return 0;
}

int local_start(RoleEnv *env) {
        Mailboxes *mailboxes;
        int r;

        r = identity_init();
        if (r < 0) {
                log_fatal(LOG_ID_START_FAILED, "cannot drop supplementary groups: %s",
                          strerror(-r));
                return r;
        }
        /* A file size limit shall be an error of write(2), not the end of this process. */
        (void)signal(SIGXFSZ, SIG_IGN);
        mailboxes = calloc(1, sizeof(*mailboxes));
        if (!mailboxes)
                return -ENOMEM;
        mailboxes->out = BUF_INIT(MAILBOX_BLOCK_BYTES);
        env->context = mailboxes;
        return read_rules(env->config, mailboxes);
}

void local_stop(RoleEnv *env) {
        Mailboxes *mailboxes = env->context;

        if (mailboxes)
                buf_deinit(&mailboxes->out);
        free(mailboxes);
        env->context = NULL;
}

static bool deliver(void *context, const Delivery *delivery, const DeliveryRecipient *recipient,
                    Dsn *dsn) {
        char name[LOCAL_USER_NAME_MAX + 1] = "";
        LocalUser user;
        Str local, domain;
        int r;

        (void)address_split(recipient->address, &local, &domain);
        r = local_user_find(local, &user);
        if (r == 0)
                mailbox_deliver(context, &user, delivery, recipient, dsn);
        else if (r == LOCAL_USER_E_UNKNOWN && local_user_name(local, name))
                dsn_set(dsn, DSN_BOUNCED, "5.1.1", "unknown user: \"%s\"", name);
        else if (r == LOCAL_USER_E_UNKNOWN)
                dsn_set(dsn, DSN_BOUNCED, "5.1.1", "unknown user: \"%.*s\"", STR_FMT(local));
        else
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "user lookup error: %s", strerror(-r));
        (void)snprintf(dsn->relay, sizeof(dsn->relay), "local");
        return false;
}

int local_serve(RoleEnv *env, IpcConn *conn) {
        size_t recipients_max = (size_t)config_int(env->config, PARAM_qmgr_message_recipient_limit);

        return delivery_serve(conn, recipients_max, deliver, env->context);
}
