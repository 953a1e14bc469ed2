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
#include "services/local/copy.h"
#include "services/local/identity.h"
#include "services/local/mailbox.h"
#include "services/local/user.h"

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
        env->context = mailboxes;
        return mailboxes_init(mailboxes, env->config);
}

void local_stop(RoleEnv *env) {
        Mailboxes *mailboxes = env->context;

        if (mailboxes)
                mailboxes_deinit(mailboxes);
        free(mailboxes);
        env->context = NULL;
}

static bool is_loop(Mailboxes *mailboxes, const Delivery *delivery, Str address, Dsn *dsn) {
        Buf list _cleanup_(buf_deinit) = BUF_INIT(COPY_LOOP_HEADER_MAX);

        if (copy_list_delivered_to(delivery, &mailboxes->copy, &list) != 0)
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "queue file cannot be read");
        else if (copy_has_delivered_to(buf_str(&list), address))
                dsn_set(dsn, DSN_BOUNCED, "5.4.6", "mail forwarding loop for %.*s",
                        STR_FMT(address));
        else
                return false;
        return true;
}

static void deliver_to_user(Mailboxes *mailboxes, const LocalUser *user, const Delivery *delivery,
                            const DeliveryRecipient *recipient, Dsn *dsn) {
        LocalRights rights = { .uid = user->uid, .gid = user->gid, .name = user->name };
        CopyEnvelope envelope = {
                .sender = delivery->request.sender,
                .original = recipient->original,
                .delivered = recipient->address,
                .time_usec = clock_realtime_usec(),
        };
        MailboxTarget target = { .kind = MAILBOX_SPOOL, .rights = &rights };
        Buf path _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX);

        if (mailboxes->home_mailbox[0] != '\0') {
                if (user->home[0] == '\0') {
                        dsn_set(dsn, DSN_DEFERRED, "4.2.0", "user %s has no home", user->name);
                        return;
                }
                target.kind = MAILBOX_HOME;
                (void)mailbox_append_home_path(mailboxes, user->home, &path);
        } else {
                (void)mailbox_append_spool_path(mailboxes, user->name, &path);
        }
        target.path = buf_cstr(&path);
        if (target.path)
                mailbox_deliver(mailboxes, &target, delivery, &envelope, dsn);
        else
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "no memory for the name of mailbox %s",
                        user->name);
}

static void deliver(void *context, const Delivery *delivery, const DeliveryRecipient *recipient,
                    Dsn *dsn) {
        char name[LOCAL_USER_NAME_MAX + 1] = "";
        LocalUser user;
        Str local, domain;
        int r;

        (void)address_split(recipient->address, &local, &domain);
        r = local_user_find(local, &user);
        if (r == 0) {
                if (!is_loop(context, delivery, recipient->address, dsn))
                        deliver_to_user(context, &user, delivery, recipient, dsn);
        } else if (r == LOCAL_USER_E_UNKNOWN && local_user_name(local, name)) {
                dsn_set(dsn, DSN_BOUNCED, "5.1.1", "unknown user: \"%s\"", name);
        } else if (r == LOCAL_USER_E_UNKNOWN) {
                dsn_set(dsn, DSN_BOUNCED, "5.1.1", "unknown user: \"%.*s\"", STR_FMT(local));
        } else {
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "user lookup error: %s", strerror(-r));
        }
        (void)snprintf(dsn->relay, sizeof(dsn->relay), "local");
        return false;
}

int local_serve(RoleEnv *env, IpcConn *conn) {
        size_t recipients_max = (size_t)config_int(env->config, PARAM_qmgr_message_recipient_limit);

        return delivery_serve(conn, recipients_max, deliver, env->context);
}
