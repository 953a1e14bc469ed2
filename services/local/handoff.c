#include "services/local/handoff.h"

#include "common/role/delivery-client.h"

/* As long as qmgr would wait for it. */
#define ANSWER_USEC (3000 * USEC_PER_SEC)

static void hand_over(Attempt *attempt, const Step *step, Str route) {
        size_t colon = str_find(route, ':');
        DeliveryRequest request = attempt->delivery->request;
        DeliveryRecipient recipient = *attempt->recipient;
        Dsn dsn;

        request.sender = step->sender;
        request.nexthop = str_skip(route, colon + 1);
        if (str_is_empty(request.nexthop))
                request.nexthop = step->domain;
        recipient.address = step->address;
        recipient.original = attempt_original(attempt, step);
        if (step->is_list) { /* RFC 3461 5.2.7.3 */
                recipient.orcpt = request.envid = STR_NULL;
                recipient.notify = 0;
        }
        if (delivery_client_deliver(str_first(route, colon), &request,
                                    attempt->delivery->message_fd, &recipient, ANSWER_USEC, &dsn))
                attempt_report_logged(attempt, step, &dsn);
        else
                attempt_report(attempt, step, true, &dsn);
}

bool handoff_deliver(Attempt *attempt, const Step *step, TableList *maps, ConfigParam transport) {
        Buf value _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_TEXT_MAX);
        TableResult result = table_list_lookup_wait(maps, step->name, &value, NULL);

        if (result == TABLE_ERROR) {
                attempt_say(attempt, step, "4.3.0", "transport table lookup error: %.*s",
                            STR_FMT(buf_str(&value)));
                return true;
        }
        if (result == TABLE_NOT_FOUND)
                (void)buf_append_str(&value, settings_text(&attempt->local->settings, transport));
        if (value.len == 0)
                return false;
        /* Each round would hold one more of our workers, until none is left. */
        if (str_equal(str_first(buf_str(&value), str_find(buf_str(&value), ':')),
                      str_from_cstr(attempt->local->settings.service)))
                attempt_say(attempt, step, "4.3.5", "mail transport %.*s leads back to itself",
                            STR_FMT(buf_str(&value)));
        else
                hand_over(attempt, step, buf_str(&value));
        return true;
}
