#include "services/local/expansion.h"

#include <limits.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "services/local/include.h"
#include "services/local/recipient.h"
#include "services/local/user-command.h"
#include "services/local/user-mailbox.h"

/*
 * What all lists of one attempt may come to. What was done before is known of so many destinations
 * only (duplicate_filter_limit); behind that, files that name each other twice would double the
 * work with each level. A list costs a page at least, so that empty ones are bounded as well.
 */
#define EXPANDED_MAX_BYTES ((uint64_t)64 * 1024 * 1024)
#define LIST_LEAST_BYTES   ((size_t)4096)

void expansion_deliver_file(Attempt *attempt, const Step *step, Str path) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX);
        LocalRights rights = attempt_rights(attempt, step);
        CopyEnvelope envelope = attempt_envelope(attempt, step);
        MailboxTarget target = { .kind = MAILBOX_FILE, .rights = &rights };
        Dsn dsn;

        if (attempt_seen_path(attempt, "file %u %.*s", rights.uid, STR_FMT(path)))
                return;
        (void)buf_append_str(&text, path);
        target.path = buf_cstr(&text);
        if (!(attempt->local->settings.files_allowed & step->by))
                dsn_set(&dsn, DSN_BOUNCED, "5.7.1", "mail to file is restricted");
        else if (!target.path)
                dsn_set(&dsn, DSN_BOUNCED, "5.3.5", "the name of a file is too long");
        else
                mailbox_deliver(&attempt->local->mailboxes, &target, attempt->delivery, &envelope,
                                &dsn);
        attempt_report(attempt, step, false, &dsn);
}

/* "~/file"; whose home "~user" would be is nobody's business here. */
static void deliver_to_home_file(Attempt *attempt, const Step *step, Str path) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX);

        if (!step->user || step->user->home[0] != '/' || path.data[0] != '/') {
                attempt_say(attempt, step, "5.3.5", "no home for ~%.*s", STR_FMT(path));
                return;
        }
        (void)buf_printf(&text, "%s%.*s", step->user->home, STR_FMT(path));
        expansion_deliver_file(attempt, step, buf_str(&text));
}

/*
 * root's .forward runs no command, nor does a list of root's that it includes: not as root, and as
 * nobody it would not do what root means. The mail goes to root's mailbox, so that nothing is lost.
 */
static void deliver_to_command(Attempt *attempt, const Step *step, Str command) {
        if (!step->user || step->user->uid != 0) {
                user_command_deliver(attempt, step, command);
                return;
        }
        log_warning(LOG_ID_FORWARD_IGNORED,
                    "%.*s: commands in the .forward of %s are not run: delivered to its mailbox",
                    STR_FMT(attempt->delivery->request.queue_id), step->user->name);
        (void)user_mailbox_deliver(attempt, step);
}

/*
 * A slip costs one destination and not all of them. A file of garbage is told of once, not as often
 * as it has bytes.
 */
static void report_syntax(Attempt *attempt, const Step *step, Str shown, bool *is_told) {
        if (!*is_told)
                attempt_say(attempt, step, "5.1.3", "no address, command or file: %.*s",
                            STR_FMT(shown));
        *is_told = true;
}

static bool is_too_much(const Attempt *attempt) {
        return attempt->expanded_bytes > EXPANDED_MAX_BYTES;
}

/* False: the expansion has grown beyond all reason, which is reported once, and ends everywhere. */
static bool may_expand(Attempt *attempt, const Step *step, const DestinationList *list) {
        if (is_too_much(attempt))
                return false;
        attempt->expanded_bytes += size_max(list->line.len + list->rest.len, LIST_LEAST_BYTES);
        if (is_too_much(attempt))
                attempt_say(attempt, step, "5.4.6",
                            "aliases, .forward and :include: files lead to too many others");
        return !is_too_much(attempt);
}

size_t expansion_deliver(Attempt *attempt, const Step *step, DestinationList *list) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(DESTINATION_MAX_BYTES);
        DestinationKind kind;
        bool is_told = false;
        size_t n = 0;
        int r;

        if (!may_expand(attempt, step, list))
                return 1; /* dealt with, as far as it ever will be */
        while (!is_too_much(attempt) &&
               (r = destination_next(list, &text, &kind)) != DESTINATION_E_END) {
                n++;
                if (r < 0) {
                        attempt_say(attempt, step, "4.3.0", "no memory for a destination");
                        return n;
                }
                if (r > 0)
                        report_syntax(attempt, step, buf_str(&text), &is_told);
                else if (kind == DESTINATION_COMMAND)
                        deliver_to_command(attempt, step, buf_str(&text));
                else if (kind == DESTINATION_FILE)
                        expansion_deliver_file(attempt, step, buf_str(&text));
                else if (kind == DESTINATION_HOME)
                        deliver_to_home_file(attempt, step, buf_str(&text));
                else if (kind == DESTINATION_INCLUDE)
                        include_deliver(attempt, step, buf_str(&text));
                else
                        recipient_deliver_address(attempt, step, buf_str(&text));
        }
        return n;
}
