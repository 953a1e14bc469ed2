#include "services/local/recipient.h"

#include "common/mail/address.h"
#include "services/local/alias.h"
#include "services/local/dotforward.h"
#include "services/local/unknown.h"
#include "services/local/user-mailbox.h"

/* ---- one of ours ---- */

/* With the user of that name, or without. */
static void deliver_to_user(Attempt *attempt, const Step *from) {
        LocalUser user _cleanup_(local_user_deinit) = { 0 };
        Step step = *from;
        int r;

        r = local_user_find(step.name, &user);
        if (r < 0) {
                attempt_say(attempt, &step, "4.3.0", "user lookup error: %s", strerror(-r));
                return;
        }
        step.user = r == 0 ? &user : NULL;
        if (!attempt->local->settings.is_delivered_frozen)
                step.delivered = step.address;
        if (r == 0 && dotforward_deliver(attempt, &step))
                return;
        if (!user_mailbox_deliver(attempt, &step))
                unknown_deliver(attempt, &step);
}

static bool deliver_to_alias(Attempt *attempt, const Step *step) {
        Step bare = *step;

        if (alias_deliver(attempt, step, step->local))
                return true;
        if (!step->extension.data)
                return false;
        if (attempt->local->settings.extend_aliases)
                bare.unmatched = step->extension;
        return alias_deliver(attempt, &bare, step->name);
}

/*
 * Somebody who is not this user forwards: what the user does with mail is another message's. Each
 * user of an :include: has a message of its own, too.
 */
static bool is_mailed_on(const Step *step) {
        bool is_own = step->owner.data && str_equal_nocase(step->owner, step->name);

        return !is_own && (step->owner.data || step->by == SETTINGS_BY_INCLUDE);
}

static void mail_on(Attempt *attempt, const Step *step) {
        if (!attempt_seen(attempt, "mail %.*s %.*s", STR_FMT(step->sender), STR_FMT(step->address)))
                attempt_mail_on(attempt, step);
}

/* The parts of the address; the slices point into NAME. False: nobody can have this name. */
static bool split(const ExtensionRules *rules, Step *step, Buf *name) {
        AddressExtension extension;
        Str local;

        (void)address_split(step->address, &local, &step->domain);
        if (address_unquote_local(local, name) != 0 || name->len == 0)
                return false;
        for (size_t i = 0; i < name->len; i++)
                name->data[i] = ascii_to_lower(name->data[i]);
        step->local = step->name = buf_str(name);
        step->extension = STR_NULL;
        step->delimiter = '\0';
        if (!address_extension_split(rules, step->local, &extension))
                return true;
        step->name = extension.user;
        /* It becomes part of paths: one that would lead elsewhere is none. */
        if (str_contains(extension.extension, '/'))
                return true;
        step->extension = extension.extension;
        step->delimiter = extension.delimiter;
        return true;
}

/* Not a second time at the same depth, and not where the message has been before. */
static bool may_go_on(Attempt *attempt, const Step *step) {
        int r;

        if (step->level >= RECIPIENT_LEVELS_MAX) {
                attempt_say(attempt, step, "5.4.6", "too many aliases in each other, at %.*s",
                            STR_FMT(step->address));
                return false;
        }
        if (step->level > 0 &&
            attempt_seen(attempt, "recipient %u %.*s", step->level, STR_FMT(step->address)))
                return false;
        r = attempt_is_loop(attempt, step->address);
        if (r < 0)
                attempt_say(attempt, step, "4.3.0", "queue file cannot be read: %s", strerror(-r));
        else if (r > 0)
                attempt_say(attempt, step, "5.4.6", "mail forwarding loop for %.*s",
                            STR_FMT(step->address));
        return r == 0;
}

void recipient_deliver(Attempt *attempt, const Step *from) {
        Buf name _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Step step = *from;

        step.unmatched = STR_NULL;
        if (!step.delivered.data)
                step.delivered = step.address;
        if (!may_go_on(attempt, &step))
                return;
        if (!split(&attempt->local->settings.addresses.extension, &step, &name)) {
                attempt_say(attempt, &step, "5.1.1", "unknown user: \"\"");
                return;
        }
        if (deliver_to_alias(attempt, &step))
                return;
        if (is_mailed_on(&step))
                mail_on(attempt, &step);
        else
                deliver_to_user(attempt, &step);
}

/* ---- an address that was found ---- */

/* USER@DOMAIN to USER+EXTENSION@DOMAIN. */
static int append_extended(const Step *step, Str address, Buf *ret) {
        Str local, domain;
        bool has_domain = address_split(address, &local, &domain);

        (void)buf_append_str(ret, local);
        if (step->unmatched.data) {
                (void)buf_append_char(ret, step->delimiter);
                (void)buf_append_str(ret, step->unmatched);
        }
        if (has_domain) {
                (void)buf_append_char(ret, '@');
                (void)buf_append_str(ret, domain);
        }
        return ret->error;
}

/* NEXT's address has its domain: is it ours, or another machine's? */
static void deliver_by_route(Attempt *attempt, Step *next) {
        const Settings *settings = &attempt->local->settings;
        Buf text _cleanup_(buf_deinit) = BUF_INIT(4 * ENVELOPE_ADDRESS_MAX);
        ResolveRoute route;
        int r;

        r = resolve_recipient(&settings->addresses.resolve, next->address, NULL, &text, &route);
        if (r != 0) {
                attempt_say(attempt, next, "4.3.0", "address resolver failure: %.*s",
                            STR_FMT(r > 0 ? buf_str(&text) : str_from_cstr(strerror(-r))));
                return;
        }
        if (!str_equal(route.transport, str_from_cstr(settings->service))) {
                mail_on(attempt, next);
                return;
        }
        next->address = route.recipient;
        recipient_deliver(attempt, next);
}

void recipient_deliver_address(Attempt *attempt, const Step *step, Str address) {
        const RewriteRules *rules = &attempt->local->settings.addresses.resolve.rewrite;
        Buf canonical _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Buf extended _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Step next = *step;

        /* "<>" and "\"\"": mail for nobody is the mail system's own. */
        if (rewrite_address(rules, address, &canonical) != 0 ||
            (canonical.len == 0 && rewrite_address(rules, STR("MAILER-DAEMON"), &canonical) != 0) ||
            append_extended(step, buf_str(&canonical), &extended) != 0 ||
            !address_is_sane(buf_str(&extended))) {
                attempt_say(attempt, step, "5.1.3", "bad recipient address syntax: %.*s",
                            STR_FMT(address));
                return;
        }
        next.address = buf_str(&extended);
        next.level++;
        next.unmatched = STR_NULL;
        deliver_by_route(attempt, &next);
}
