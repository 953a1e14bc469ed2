#include "services/local/attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/role/delivery-log.h"
#include "common/role/notice-client.h"

/* Bytes of one key of what was seen: a path, a command. */
#define SEEN_KEY_MAX ((size_t)20 * 1024)

void attempt_init(Attempt *attempt, Local *local, const Delivery *delivery,
                  const DeliveryRecipient *recipient) {
        size_t n_seen = (size_t)config_int(local->settings.config, PARAM_duplicate_filter_limit);

        *attempt = (Attempt){
                .local = local,
                .delivery = delivery,
                .recipient = recipient,
                .started_usec = clock_realtime_usec(),
                .delivered_to = BUF_INIT(COPY_LOOP_HEADER_MAX),
                .first.address = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .first.delivered = BUF_INIT(ENVELOPE_ADDRESS_MAX),
        };
        key_set_init(&attempt->seen, n_seen, SEEN_KEY_MAX);
        key_set_init(&attempt->seen_paths, n_seen, SEEN_KEY_MAX);
        attempt->seen_paths.with_case = true;
}

static void forget_failures(Attempt *attempt) {
        for (size_t i = 0; i < attempt->n_failures; i++) {
                free(attempt->failures[i].address);
                free(attempt->failures[i].told);
        }
        free(attempt->failures);
        attempt->failures = NULL;
        attempt->n_failures = 0;
}

void attempt_deinit(Attempt *attempt) {
        key_set_deinit(&attempt->seen);
        key_set_deinit(&attempt->seen_paths);
        forwards_deinit(&attempt->forwards);
        buf_deinit(&attempt->delivered_to);
        buf_deinit(&attempt->first.address);
        buf_deinit(&attempt->first.delivered);
        forget_failures(attempt);
}

static bool was_seen(const KeySet *set, const char *format, va_list args) _printf_(2, 0);
static bool seen(KeySet *set, const char *format, va_list args) _printf_(2, 0);

static bool was_seen(const KeySet *set, const char *format, va_list args) {
        Buf key _cleanup_(buf_deinit) = BUF_INIT(SEEN_KEY_MAX);

        (void)buf_vprintf(&key, format, args);
        return !key.error && key_set_has(set, buf_str(&key));
}

static bool seen(KeySet *set, const char *format, va_list args) {
        Buf key _cleanup_(buf_deinit) = BUF_INIT(SEEN_KEY_MAX);

        (void)buf_vprintf(&key, format, args);
        return !key.error && key_set_seen(set, buf_str(&key));
}

bool attempt_seen(Attempt *attempt, const char *format, ...) {
        va_list args;
        bool result;

        va_start(args, format);
        result = seen(&attempt->seen, format, args);
        va_end(args);
        return result;
}

bool attempt_was_seen(const Attempt *attempt, const char *format, ...) {
        va_list args;
        bool result;

        va_start(args, format);
        result = was_seen(&attempt->seen, format, args);
        va_end(args);
        return result;
}

bool attempt_seen_path(Attempt *attempt, const char *format, ...) {
        va_list args;
        bool result;

        va_start(args, format);
        result = seen(&attempt->seen_paths, format, args);
        va_end(args);
        return result;
}

bool attempt_was_seen_path(const Attempt *attempt, const char *format, ...) {
        va_list args;
        bool result;

        va_start(args, format);
        result = was_seen(&attempt->seen_paths, format, args);
        va_end(args);
        return result;
}

int attempt_is_loop(Attempt *attempt, Str address) {
        int r = 0;

        if (!attempt->has_delivered_to)
                r = copy_list_delivered_to(attempt->delivery, &attempt->local->mailboxes.copy,
                                           &attempt->delivered_to);
        if (r != 0)
                return r < 0 ? r : -EIO;
        attempt->has_delivered_to = true;
        return copy_has_delivered_to(buf_str(&attempt->delivered_to), address);
}

Str attempt_original(const Attempt *attempt, const Step *step) {
        return step->is_list ? STR_NULL : attempt->recipient->original;
}

CopyEnvelope attempt_envelope(const Attempt *attempt, const Step *step) {
        return (CopyEnvelope){
                .sender = step->sender,
                .original = attempt->local->settings.show_original ? attempt_original(attempt, step)
                                                                   : STR_NULL,
                .delivered = step->delivered,
                .time_usec = clock_realtime_usec(),
        };
}

LocalRights attempt_rights(const Attempt *attempt, const Step *step) {
        const LocalUser *user = step->user;

        if (!user || user->uid == 0 || user->gid == 0)
                user = &attempt->local->settings.nobody;
        return local_user_rights(user);
}

LocalExpandValues attempt_values(const Attempt *attempt, const Step *step) {
        const LocalUser *user = step->user;

        return (LocalExpandValues){
                .user = step->name,
                .home = user ? str_from_cstr(user->home) : STR_NULL,
                .shell = user ? str_from_cstr(user->shell) : STR_NULL,
                .recipient = step->address,
                .local = step->local,
                .extension = step->extension,
                .domain = step->domain,
                .recipient_delimiter = str_from(&step->delimiter, step->extension.data ? 1 : 0),
        };
}

/* ---- outcomes that cannot be qmgr's answer ---- */

/* The recipient as a whole comes again: what was delivered already will be delivered twice. */
static void retry_all(Attempt *attempt, const Dsn *dsn) {
        if (!attempt->must_retry)
                attempt->retry = *dsn;
        attempt->must_retry = true;
}

/* Tell of a failure who is to be told: in the queue there is no state of its own for it. */
static void send_notice(Attempt *attempt, const Step *step, const Dsn *dsn) {
        NoticeRequest notice = {
                .queue_id = attempt->delivery->request.queue_id,
                .kind = STR("one"),
                .code = str_from_cstr(dsn->code),
                .text = str_from_cstr(dsn->text),
                .recipient = step->address,
                .original = attempt_original(attempt, step),
                .sender = step->told,
        };
        NoticeReply reply;
        Dsn later;

        if (!step->is_list) {
                notice.orcpt = attempt->recipient->orcpt;
                notice.notify = attempt->recipient->notify;
        }
        if (notice_client_ask(&notice, attempt->delivery->message_fd, &reply))
                return;
        dsn_set(&later, DSN_DEFERRED, "4.3.0", "no notice of a failure yet: %s", reply.text);
        retry_all(attempt, &later);
}

/* Keep it for the end. Where that is not possible it is told of now: perhaps twice, never not. */
static void keep_failure(Attempt *attempt, const Step *step, const Dsn *dsn) {
        AttemptFailure failure = {
                .address = str_dup(step->address),
                .told = str_dup(step->told),
                .is_list = step->is_list,
                .dsn = *dsn,
        };
        AttemptFailure *failures = NULL;

        if (failure.address && failure.told && attempt->n_failures < ATTEMPT_FAILURES_MAX)
                failures =
                        reallocarray(attempt->failures, attempt->n_failures + 1, sizeof(*failures));
        if (!failures) {
                free(failure.address);
                free(failure.told);
                send_notice(attempt, step, dsn);
                return;
        }
        attempt->failures = failures;
        failures[attempt->n_failures++] = failure;
}

static void requeue(Attempt *attempt, const ForwardFrom *from, Str address, const Dsn *dsn) {
        if (forwards_add(&attempt->forwards, from, address) != 0)
                retry_all(attempt, dsn);
}

static ForwardFrom forward_from(const Step *step) {
        return (ForwardFrom){
                .sender = step->sender,
                .delivered = step->delivered,
                .is_list = step->is_list,
        };
}

/*
 * May STEP's mailbox be left to a message of its own? Not where that would be expanded again and
 * reach other destinations, too, nor where it would look like a loop.
 */
static bool can_requeue(const Step *step) {
        return step->level > 0 && !str_equal_nocase(step->owner, step->name) &&
               !str_equal_nocase(step->alias, step->name) &&
               !str_equal_nocase(step->alias, step->local) &&
               !str_equal_nocase(step->delivered, step->address);
}

/* ---- the first outcome, which is the answer when it stays alone ---- */

static void keep_first(Attempt *attempt, const Step *step, bool is_mailbox, const Dsn *dsn) {
        AttemptFirst *first = &attempt->first;

        first->dsn = *dsn;
        first->can_requeue = is_mailbox && can_requeue(step);
        first->is_open = dsn->status != DSN_SENT;
        if (!first->is_open)
                return;
        (void)buf_append_str(&first->address, step->address);
        (void)buf_append_str(&first->delivered, step->delivered);
        if (first->address.error || first->delivered.error)
                first->can_requeue = false;
}

/* Another outcome shows that the first is not alone. */
static void deal_with_first(Attempt *attempt) {
        AttemptFirst *first = &attempt->first;
        const ForwardFrom from = {
                .sender = attempt->delivery->request.sender,
                .delivered = buf_str(&first->delivered),
        };

        const Step step = { .address = buf_str(&first->address), .told = from.sender };

        if (!first->is_open)
                return;
        first->is_open = false;
        if (first->dsn.status == DSN_BOUNCED)
                keep_failure(attempt, &step, &first->dsn);
        else if (first->can_requeue)
                requeue(attempt, &from, buf_str(&first->address), &first->dsn);
        else
                retry_all(attempt, &first->dsn);
}

static void take(Attempt *attempt, const Step *step, bool is_mailbox, const Dsn *dsn) {
        bool is_for_sender = str_equal(step->told, attempt->delivery->request.sender);
        /* qmgr's notice would name the address that it knows, not the one that failed. */
        bool is_known =
                dsn->status != DSN_BOUNCED || str_equal(step->address, attempt->recipient->address);
        ForwardFrom from = forward_from(step);

        if (++attempt->n_outcomes == 1 && is_for_sender && is_known) {
                keep_first(attempt, step, is_mailbox, dsn);
                return;
        }
        deal_with_first(attempt);
        if (dsn->status == DSN_BOUNCED)
                keep_failure(attempt, step, dsn);
        else if (dsn->status == DSN_DEFERRED && is_mailbox && can_requeue(step))
                requeue(attempt, &from, step->address, dsn);
        else if (dsn->status == DSN_DEFERRED)
                retry_all(attempt, dsn);
}

void attempt_mail_on(Attempt *attempt, const Step *step) {
        ForwardFrom from = forward_from(step);
        Dsn dsn;

        if (forwards_add(&attempt->forwards, &from, step->address) == 0)
                return;
        dsn_set(&dsn, DSN_DEFERRED, "4.3.0", "too many addresses to mail to, or no memory");
        retry_all(attempt, &dsn);
}

/* ---- reports ---- */

static void log_outcome(const Attempt *attempt, const Step *step, const Dsn *dsn) {
        DeliveryRecipient recipient = *attempt->recipient;
        DeliveryTimes times = {
                .started_usec = attempt->started_usec,
                .ended_usec = clock_realtime_usec(),
        };

        recipient.address = step->address;
        recipient.original = attempt_original(attempt, step);
        delivery_log(&attempt->delivery->request, &recipient, dsn, &times);
}

void attempt_report(Attempt *attempt, const Step *step, bool is_mailbox, Dsn *dsn) {
        (void)snprintf(dsn->relay, sizeof(dsn->relay), "local");
        log_outcome(attempt, step, dsn);
        take(attempt, step, is_mailbox, dsn);
}

void attempt_report_logged(Attempt *attempt, const Step *step, const Dsn *dsn) {
        take(attempt, step, true, dsn);
}

void attempt_say(Attempt *attempt, const Step *step, const char *code, const char *format, ...) {
        DsnStatus status = code[0] == '2' ? DSN_SENT : code[0] == '5' ? DSN_BOUNCED : DSN_DEFERRED;
        char text[DSN_TEXT_MAX];
        va_list args;
        Dsn dsn;

        va_start(args, format);
        (void)vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        dsn_set(&dsn, status, code, "%s", text);
        attempt_report(attempt, step, true, &dsn);
}

/* ---- the end ---- */

/*
 * Will all of the recipient come again? Then mailing on waits, too, so that nobody gets the message
 * twice who need not.
 */
static bool comes_again(const Attempt *attempt) {
        const AttemptFirst *first = &attempt->first;

        return attempt->must_retry ||
               (first->is_open && first->dsn.status == DSN_DEFERRED && !first->can_requeue);
}

/* One line for each message that was mailed on, or was not: what became of its recipients is told
 * under its own queue ID. */
static void send_messages(Attempt *attempt) {
        Mailboxes *mailboxes = &attempt->local->mailboxes;
        const ForwardSource source = {
                .settings = &attempt->local->settings,
                .delivery = attempt->delivery,
                .recipient = attempt->recipient,
                .memory = &mailboxes->copy,
                .prepend_delivered = (mailboxes->delivered_to_kinds & COPY_KIND_FORWARD) != 0,
        };

        /* A report may add a message behind the last one, and move them all. */
        for (size_t i = 0; i < attempt->forwards.n_messages && !comes_again(attempt); i++) {
                Step step = { .address = attempt->recipient->address };
                Dsn dsn;

                forward_send(&source, &attempt->forwards.messages[i], &dsn);
                step.told = buf_str(&attempt->forwards.messages[i].sender);
                attempt_report(attempt, &step, false, &dsn);
        }
}

/* Where all comes again, so do the failures: then one notice is enough. */
static void tell_failures(Attempt *attempt) {
        for (size_t i = 0; i < attempt->n_failures && !comes_again(attempt); i++) {
                const AttemptFailure *failure = &attempt->failures[i];
                const Step step = {
                        .address = str_from_cstr(failure->address),
                        .told = str_from_cstr(failure->told),
                        .is_list = failure->is_list,
                };

                send_notice(attempt, &step, &failure->dsn);
        }
        forget_failures(attempt);
}

void attempt_finish(Attempt *attempt, Dsn *ret) {
        const Step step = {
                .address = attempt->recipient->address,
                .sender = attempt->delivery->request.sender,
                .told = attempt->delivery->request.sender,
        };

        tell_failures(attempt);
        send_messages(attempt);
        tell_failures(attempt); /* of what cleanup refused */
        /* An empty :include:, or one of nothing but itself: "sent" would be a lie. */
        if (attempt->n_outcomes == 0 && !attempt->must_retry)
                attempt_say(attempt, &step, "5.2.4", "its alias, .forward or list names nobody");
        if (attempt->must_retry)
                *ret = attempt->retry;
        else if (attempt->first.is_open)
                *ret = attempt->first.dsn;
        else
                dsn_set(ret, DSN_SENT, "2.0.0", "delivered");
        (void)snprintf(ret->relay, sizeof(ret->relay), "local");
}
