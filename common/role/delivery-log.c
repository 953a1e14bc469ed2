#include "common/role/delivery-log.h"

#include <errno.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"

/* Below this a delay is noise and shown as 0. */
#define DELAY_RESOLUTION_USEC (10 * USEC_PER_MSEC)

int delivery_log_append_delay(Buf *buf, usec_t delay_usec) {
        usec_t hundredths = (delay_usec + DELAY_RESOLUTION_USEC / 2) / DELAY_RESOLUTION_USEC;

        if (hundredths >= 1000) /* 10 s and more: whole seconds */
                return buf_printf(
                        buf, "%llu",
                        (unsigned long long)((delay_usec + USEC_PER_SEC / 2) / USEC_PER_SEC));
        if (hundredths >= 100) { /* 1 s and more: tenths */
                unsigned long long tenths =
                        (delay_usec + 50 * USEC_PER_MSEC) / (100 * USEC_PER_MSEC);

                if (tenths % 10 == 0)
                        return buf_printf(buf, "%llu", tenths / 10);
                return buf_printf(buf, "%llu.%llu", tenths / 10, tenths % 10);
        }
        if (hundredths == 0)
                return buf_append_cstr(buf, "0");
        if (hundredths % 10 == 0)
                return buf_printf(buf, "0.%llu", (unsigned long long)hundredths / 10);
        return buf_printf(buf, "0.%02llu", (unsigned long long)hundredths);
}

static const char *message_id_of(DsnStatus status) {
        switch (status) {
        case DSN_SENT:
                return LOG_ID_SENT;
        case DSN_DEFERRED:
                return LOG_ID_DEFERRED;
        case DSN_BOUNCED:
                break;
        }
        return LOG_ID_BOUNCED;
}

static int append_line(Buf *line, const DeliveryRequest *request,
                       const DeliveryRecipient *recipient, const Dsn *dsn,
                       const DeliveryTimes *times) {
        usec_t attempt = usec_sub(times->ended_usec, times->started_usec);

        (void)buf_printf(line, "%.*s: to=<%.*s>, ", STR_FMT(request->queue_id),
                         STR_FMT(recipient->address));
        if (!str_is_empty(recipient->original) &&
            !str_equal(recipient->original, recipient->address))
                (void)buf_printf(line, "orig_to=<%.*s>, ", STR_FMT(recipient->original));
        (void)buf_printf(line, "relay=%s, delay=", dsn->relay);
        (void)delivery_log_append_delay(line, usec_sub(times->ended_usec, request->arrival_usec));
        (void)buf_append_cstr(line, ", delays=");
        (void)delivery_log_append_delay(line,
                                        usec_sub(request->active_usec, request->arrival_usec));
        (void)buf_append_char(line, '/');
        (void)delivery_log_append_delay(line, usec_sub(times->started_usec, request->active_usec));
        (void)buf_append_char(line, '/');
        (void)delivery_log_append_delay(line, times->setup_usec);
        (void)buf_append_char(line, '/');
        (void)delivery_log_append_delay(line, usec_sub(attempt, times->setup_usec));
        return buf_printf(line, ", dsn=%s, status=%s (%s)", dsn->code, dsn_status_name(dsn->status),
                          dsn->text);
}

void delivery_log(const DeliveryRequest *request, const DeliveryRecipient *recipient,
                  const Dsn *dsn, const DeliveryTimes *times) {
        Buf line _cleanup_(buf_deinit) = BUF_INIT(8192);
        Buf delay _cleanup_(buf_deinit) = BUF_INIT(32);

        (void)append_line(&line, request, recipient, dsn, times);
        (void)buf_printf(&delay, "%llu",
                         (unsigned long long)usec_sub(times->ended_usec, request->arrival_usec));

        LogField fields[] = {
                { "UNITPOST_QUEUE_ID", request->queue_id },
                /* A role's program has the role's name. */
                { "UNITPOST_ROLE", str_from_cstr(program_invocation_short_name) },
                { "UNITPOST_SENDER", request->sender },
                { "UNITPOST_RECIPIENT", recipient->address },
                { "UNITPOST_RELAY", str_from_cstr(dsn->relay) },
                { "UNITPOST_DSN", str_from_cstr(dsn->code) },
                { "UNITPOST_STATUS", str_from_cstr(dsn_status_name(dsn->status)) },
                { "UNITPOST_DELAY_USEC", buf_str(&delay) },
        };

        log_event(LOG_INFO, message_id_of(dsn->status), fields, ARRAY_LEN(fields), "%.*s",
                  STR_FMT(buf_str(&line)));
}
