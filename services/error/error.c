#include "services/error/error.h"

#include "common/role/protocol-delivery.h"

/* What to say where the admin's next hop says nothing. */
#define TEXT_DEFAULT "mail to this address is not accepted"

static bool bounce_recipient(void *context, const Delivery *delivery,
                             const DeliveryRecipient *recipient, Dsn *dsn) {
        Str code, text;

        dsn_split(delivery->request.nexthop, &code, &text);
        if (str_is_empty(text))
                text = STR(TEXT_DEFAULT);
        /* A bounce with a 2.x.x or 4.x.x code would contradict itself. */
        if (!str_has_prefix(code, STR("5.")) ||
            !dsn_parse(dsn, DSN_BOUNCED, code, text, STR("none")))
                dsn_set(dsn, DSN_BOUNCED, "5.0.0", "%.*s", STR_FMT(text));
        return false;
}

int error_serve(RoleEnv *env, IpcConn *conn) {
        size_t recipients_max = (size_t)config_int(env->config, PARAM_qmgr_message_recipient_limit);

        return delivery_serve(conn, recipients_max, bounce_recipient, NULL);
}
