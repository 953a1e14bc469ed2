#include "services/local/user-command.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/mail/address.h"
#include "common/mail/log-id.h"
#include "common/role/command-line.h"

#define ENVIRONMENT_MAX_BYTES ((size_t)256 * 1024)
#define VARIABLES_MAX         32

/* "NAME=value" texts, one behind the other, each with a NUL. */
typedef struct Environment {
        Buf text;
        Str filter; /* bytes that values of a message may hold */
        const char *variables[VARIABLES_MAX + 1];
} Environment;

static void add(Environment *environment, const char *name, Str value) {
        (void)buf_append_cstr(&environment->text, name);
        (void)buf_append_char(&environment->text, '=');
        (void)local_expand_filter(value, environment->filter, &environment->text);
        (void)buf_append_char(&environment->text, '\0');
}

/* An address without its quotes, as Postfix gives it. */
static void add_address(Environment *environment, const char *name, Str address) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Str local, domain;
        bool has_domain = address_split(address, &local, &domain);

        (void)address_unquote_local(local, &text);
        if (has_domain) {
                (void)buf_append_char(&text, '@');
                (void)buf_append_str(&text, domain);
        }
        add(environment, name, text.error ? address : buf_str(&text));
}

/* The name is that of the mail's recipient, also where the rights are those of a table's owner. */
static void add_user(Environment *environment, const Step *step) {
        const LocalUser *user = step->user;

        if (user) {
                add(environment, "HOME", str_from_cstr(user->home));
                add(environment, "SHELL", str_from_cstr(user->shell));
        }
        add(environment, "LOGNAME", step->name);
        add(environment, "USER", step->name);
}

static void add_message(Environment *environment, const Attempt *attempt, const Step *step) {
        const DeliveryRequest *request = &attempt->delivery->request;
        Buf domain _cleanup_(buf_deinit) = BUF_INIT(ENVELOPE_ADDRESS_MAX);

        for (size_t i = 0; i < step->domain.len; i++)
                (void)buf_append_char(&domain, ascii_to_lower(step->domain.data[i]));
        add(environment, "LOCAL", step->local);
        add(environment, "DOMAIN", buf_str(&domain));
        add_address(environment, "RECIPIENT", step->address);
        add_address(environment, "SENDER", step->sender);
        if (!str_is_empty(attempt_original(attempt, step)))
                add_address(environment, "ORIGINAL_RECIPIENT", attempt_original(attempt, step));
        if (step->extension.data)
                add(environment, "EXTENSION", step->extension);
        if (!str_is_empty(request->envid))
                add(environment, "ENVID", request->envid);
}

/* Point at the texts when all are there. False: out of memory or room. */
static bool finish(Environment *environment) {
        size_t n = 0;
        const char *at = environment->text.data;

        if (environment->text.error)
                return false;
        for (; at < environment->text.data + environment->text.len; at += strlen(at) + 1) {
                if (n >= VARIABLES_MAX)
                        return false;
                environment->variables[n++] = at;
        }
        environment->variables[n] = NULL;
        return true;
}

static bool make_environment(Environment *environment, const Attempt *attempt, const Step *step) {
        Str path = STR(COMMAND_PATH);

        (void)buf_append_cstr(&environment->text, "PATH=");
        (void)buf_append_str(&environment->text, path);
        (void)buf_append_char(&environment->text, '\0');
        add_user(environment, step);
        add_message(environment, attempt, step);
        return finish(environment);
}

static int next_input(void *userdata, Str *ret) {
        int r = copy_next(userdata, ret);

        return r > 0 ? -EIO : r;
}

/* What must be got ready for a command and freed behind it. */
typedef struct Run {
        CommandLine line;
        Environment environment;
        Buf directory;
} Run;

static void run_deinit(Run *run) {
        command_line_deinit(&run->line);
        buf_deinit(&run->environment.text);
        buf_deinit(&run->directory);
}

/* command_execution_directory, else the user's home. False: reported. */
static bool make_directory(Run *run, Attempt *attempt, const Step *step, const LocalUser *user) {
        const Settings *settings = &attempt->local->settings;
        Str pattern = settings_text(settings, PARAM_command_execution_directory);
        Buf error _cleanup_(buf_deinit) = BUF_INIT(512);
        LocalExpandValues values = attempt_values(attempt, step);
        int r;

        if (str_is_empty(pattern)) {
                (void)buf_append_cstr(&run->directory, user ? user->home : "/");
                return true;
        }
        values.filter = settings_text(settings, PARAM_execution_directory_expansion_filter);
        r = local_expand(pattern, &values, &run->directory, &error);
        if (r == LOCAL_EXPAND_E_UNDEFINED)
                buf_reset(&run->directory);
        else if (r != 0)
                attempt_say(attempt, step, "4.3.5", "command_execution_directory: %.*s",
                            STR_FMT(buf_str(&error)));
        return r == 0 || r == LOCAL_EXPAND_E_UNDEFINED;
}

static void run_command(Attempt *attempt, const Step *step, const Run *run, Str command, Dsn *dsn) {
        Local *local = attempt->local;
        LocalRights rights = attempt_rights(attempt, step);
        CopyEnvelope envelope = attempt_envelope(attempt, step);
        Buf directory = run->directory;
        CommandSpec spec = {
                .argv = run->line.argv,
                .argv_fallback = run->line.argv_fallback,
                .environment = run->environment.variables,
                .user_name = rights.name,
                .uid = rights.uid,
                .gid = rights.gid,
                .directory = directory.len > 0 ? buf_cstr(&directory) : NULL,
                .time_limit_usec =
                        config_time_usec(local->settings.config, PARAM_command_time_limit),
                .file_size_max_bytes = local->mailboxes.size_limit_bytes,
                .input = next_input,
                .userdata = &local->mailboxes.copy,
        };
        CommandOutcome outcome;

        envelope.flags = COPY_FROM_LINE;
        if (local->mailboxes.delivered_to_kinds & COPY_KIND_COMMAND)
                envelope.flags |= COPY_DELIVERED_TO;
        if (copy_begin(&local->mailboxes.copy, attempt->delivery, &envelope) != 0) {
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "no memory for the message");
                return;
        }
        if (command_run(local->commands, &spec, &outcome) == COMMAND_E_LEFT)
                log_warning(LOG_ID_COMMAND_LEFT, "%.*s: a part of command \"%.*s\" cannot be ended",
                            STR_FMT(attempt->delivery->request.queue_id), STR_FMT(command));
        command_outcome_dsn(&outcome, command, dsn);
}

/* Run COMMAND; false when the outcome is reported already. */
static bool deliver(Attempt *attempt, const Step *step, Str command, Dsn *dsn) {
        const Settings *settings = &attempt->local->settings;
        const LocalUser *user = step->user && step->user->uid != 0 ? step->user : NULL;
        Run run = {
                .environment = {
                        .text = BUF_INIT(ENVIRONMENT_MAX_BYTES),
                        .filter = settings_text(settings, PARAM_command_expansion_filter),
                },
                .directory = BUF_INIT(4096),
        };
        bool is_open = true;
        int r;

        r = command_line_parse(command, settings_text(settings, PARAM_local_command_shell),
                               &run.line);
        if (r == -ENOMEM || !make_environment(&run.environment, attempt, step))
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "no memory for a command");
        else if (r != 0)
                dsn_set(dsn, DSN_BOUNCED, "5.3.5", "no command to run: \"%.*s\"", STR_FMT(command));
        else if (make_directory(&run, attempt, step, user))
                run_command(attempt, step, &run, command, dsn);
        else
                is_open = false;
        run_deinit(&run);
        return is_open;
}

void user_command_deliver(Attempt *attempt, const Step *step, Str command) {
        LocalRights rights = attempt_rights(attempt, step);
        Dsn dsn;

        if (attempt_seen_path(attempt, "command %u %.*s", rights.uid, STR_FMT(command)))
                return;
        if (!(attempt->local->settings.commands_allowed & step->by))
                dsn_set(&dsn, DSN_BOUNCED, "5.7.1", "mail to command is restricted");
        else if (!deliver(attempt, step, command, &dsn))
                return;
        attempt_report(attempt, step, false, &dsn);
}

void user_command_deliver_mailbox(Attempt *attempt, const Step *step, Str command) {
        Dsn dsn;

        if (deliver(attempt, step, command, &dsn))
                attempt_report(attempt, step, true, &dsn);
}
