#include "services/local/unknown.h"

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "services/local/handoff.h"
#include "services/local/local-expand.h"
#include "services/local/recipient.h"

/* luser_relay is one address, as in Postfix, whatever the names in it turn into. */
static void deliver_to_relay(Attempt *attempt, const Step *from, Str relay) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Buf error _cleanup_(buf_deinit) = BUF_INIT(512);
        LocalExpandValues values = attempt_values(attempt, from);
        Step step = *from;
        int r;

        r = local_expand(relay, &values, &text, &error);
        if (r != 0 && r != LOCAL_EXPAND_E_UNDEFINED) {
                attempt_say(attempt, from, "4.3.5", "luser_relay: %.*s", STR_FMT(buf_str(&error)));
                return;
        }
        step.level++;
        step.is_relayed = true;
        recipient_deliver_address(attempt, &step, buf_str(&text));
}

/* Postmaster's own mail, for which there must be somebody (RFC 5321 4.5.1). */
static bool is_reserved(Str name) {
        return str_equal_nocase(name, STR("postmaster")) ||
               str_equal_nocase(name, STR("mailer-daemon"));
}

static void deliver_to_nobody(Attempt *attempt, const Step *step) {
        Str double_bounce = settings_text(&attempt->local->settings, PARAM_double_bounce_sender);

        if (str_equal_nocase(step->name, double_bounce)) {
                attempt_say(attempt, step, "2.0.0",
                            "undeliverable postmaster notification discarded");
        } else if (is_reserved(step->name)) {
                log_warning(LOG_ID_NO_POSTMASTER, "required alias not found: %.*s",
                            STR_FMT(step->name));
                attempt_say(attempt, step, "2.0.0", "discarded");
        } else {
                attempt_say(attempt, step, "5.1.1", "unknown user: \"%.*s\"", STR_FMT(step->name));
        }
}

void unknown_deliver(Attempt *attempt, const Step *step) {
        const Settings *settings = &attempt->local->settings;
        Str relay = settings_text(settings, PARAM_luser_relay);

        if (handoff_deliver(attempt, step, settings->fallback_transports, PARAM_fallback_transport))
                return;
        /* A relay that is unknown itself would lead here again. */
        if (!str_is_empty(relay) && !step->is_relayed)
                deliver_to_relay(attempt, step, relay);
        else
                deliver_to_nobody(attempt, step);
}
