#include "services/local/user-mailbox.h"

#include <limits.h>

#include "services/local/destination.h"
#include "services/local/handoff.h"
#include "services/local/user-command.h"

static void deliver_to_path(Attempt *attempt, const Step *step, MailboxKind kind,
                            const char *path) {
        LocalRights rights = local_user_rights(step->user);
        CopyEnvelope envelope = attempt_envelope(attempt, step);
        MailboxTarget target = { .kind = kind, .path = path, .rights = &rights };
        Dsn dsn;

        if (path)
                mailbox_deliver(&attempt->local->mailboxes, &target, attempt->delivery, &envelope,
                                &dsn);
        else
                dsn_set(&dsn, DSN_DEFERRED, "4.3.5", "the name of the mailbox is too long");
        attempt_report(attempt, step, true, &dsn);
}

static void deliver_to_home(Attempt *attempt, const Step *step) {
        Buf path _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX);

        (void)mailbox_append_home_path(&attempt->local->mailboxes, step->user->home, &path);
        if (step->user->home[0] == '/')
                deliver_to_path(attempt, step, MAILBOX_HOME, buf_cstr(&path));
        else
                attempt_say(attempt, step, "4.3.5", "user %s has no home", step->user->name);
}

static void deliver_to_spool(Attempt *attempt, const Step *step) {
        Buf path _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX);

        (void)mailbox_append_spool_path(&attempt->local->mailboxes, step->user->name, &path);
        deliver_to_path(attempt, step, MAILBOX_SPOOL, buf_cstr(&path));
}

/* mailbox_command_maps and mailbox_command: appended to RET. False: reported. */
static bool find_command(Attempt *attempt, const Step *step, Buf *ret) {
        const Settings *settings = &attempt->local->settings;
        TableResult result;

        result = table_list_lookup_wait(settings->mailbox_commands, step->name, ret, NULL);
        if (result == TABLE_NOT_FOUND)
                (void)buf_append_str(ret, settings_text(settings, PARAM_mailbox_command));
        if (result == TABLE_ERROR)
                attempt_say(attempt, step, "4.3.0", "mailbox_command_maps lookup error: %.*s",
                            STR_FMT(buf_str(ret)));
        return result != TABLE_ERROR;
}

/* This mailbox has got the message: true. */
static bool remember(Attempt *attempt, const Step *step) {
        (void)attempt_seen(attempt, "mailbox %.*s", STR_FMT(step->local));
        return true;
}

bool user_mailbox_deliver(Attempt *attempt, const Step *step) {
        Buf command _cleanup_(buf_deinit) = BUF_INIT(DESTINATION_MAX_BYTES);
        const Settings *settings = &attempt->local->settings;

        if (attempt_was_seen(attempt, "mailbox %.*s", STR_FMT(step->local)))
                return true;
        if (handoff_deliver(attempt, step, settings->mailbox_transports, PARAM_mailbox_transport))
                return remember(attempt, step);
        if (!step->user)
                return false;
        (void)remember(attempt, step);
        if (!find_command(attempt, step, &command))
                return true;
        if (command.len > 0)
                user_command_deliver_mailbox(attempt, step, buf_str(&command));
        else if (attempt->local->mailboxes.home_mailbox[0] != '\0')
                deliver_to_home(attempt, step);
        else
                deliver_to_spool(attempt, step);
        return true;
}
