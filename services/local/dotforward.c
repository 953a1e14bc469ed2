#include "services/local/dotforward.h"

#include <limits.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/config-expand.h"
#include "services/local/expansion.h"
#include "services/local/home.h"
#include "services/local/list-file.h"
#include "services/local/local-expand.h"

#define FORWARD_FILE_MAX_BYTES ((size_t)1024 * 1024)

/* The outcome of looking for a file. */
enum {
        FOUND = 0,
        NONE = 1,
        AWAY = 2, /* nobody knows: WHY says why */
};

typedef struct ForwardFile {
        Buf path;
        Buf text;
        bool used_extension; /* the name holds the extension, so addresses of it do not get it */
        Buf why;
} ForwardFile;

static void warn(const Attempt *attempt, const ForwardFile *file, const char *what) {
        Str id = attempt->delivery->request.queue_id;
        LogField field = { "UNITPOST_QUEUE_ID", id };

        log_event(LOG_WARNING, LOG_ID_FORWARD_IGNORED, &field, 1,
                  "warning: %.*s: %.*s %s: it is ignored", STR_FMT(id),
                  STR_FMT(buf_str(&file->path)), what);
}

static bool uses_extension(Str pattern) {
        Str name;

        while (config_expand_next_name(&pattern, &name))
                if (str_equal(name, STR("extension")))
                        return true;
        return false;
}

/* The name that PATTERN gives for STEP; false: it needs something that the address has not. */
static bool make_path(const Attempt *attempt, const Step *step, Str pattern, ForwardFile *file) {
        const Settings *settings = &attempt->local->settings;
        Buf error _cleanup_(buf_deinit) = BUF_INIT(512);
        LocalExpandValues values = attempt_values(attempt, step);
        int r;

        buf_reset(&file->path);
        values.filter = settings_text(settings, PARAM_forward_expansion_filter);
        r = local_expand(pattern, &values, &file->path, &error);
        if (r == LOCAL_EXPAND_E_INVALID)
                log_warning(LOG_ID_CONFIG_ERROR, "forward_path: %.*s: %.*s", STR_FMT(pattern),
                            STR_FMT(buf_str(&error)));
        file->used_extension = uses_extension(pattern);
        return r == 0 && buf_cstr(&file->path) && file->path.data[0] == '/';
}

/* As the user. */
static int read_one(const Attempt *attempt, const Step *step, ForwardFile *file) {
        const ListFileRules rules = {
                .check_owner = true,
                .owner = step->user->uid,
                .group = step->user->gid,
        };
        int r = list_file_read(buf_cstr(&file->path), &rules, &file->text, NULL);

        if (r == 0)
                return FOUND;
        if (r < 0) {
                (void)buf_printf(&file->why, "%s: %s", buf_cstr(&file->path), strerror(-r));
                return AWAY;
        }
        if (r == LIST_FILE_E_MISSING || r == LIST_FILE_E_NOT_READABLE)
                return NONE;
        warn(attempt, file, list_file_reason(r));
        return FOUND; /* empty: none of the names behind it counts */
}

/* Only a home that is not there can hide a file. */
static int look_at_home(const Attempt *attempt, const Step *step, ForwardFile *file) {
        bool required = config_bool(attempt->local->settings.config, PARAM_require_home_directory);
        const char *reason = "does not exist";
        HomeState home = home_look(step->user, &reason);

        if (home == HOME_PRESENT || (home == HOME_NONE && !required))
                return NONE;
        (void)buf_printf(&file->why, "home directory %s is not there: %s", step->user->home,
                         reason);
        return AWAY;
}

static int find_as_user(const Attempt *attempt, const Step *step, ForwardFile *file) {
        Str rest = settings_text(&attempt->local->settings, PARAM_forward_path), pattern;
        int r = NONE;

        while (r == NONE && str_next_word(&rest, &pattern))
                if (make_path(attempt, step, pattern, file))
                        r = read_one(attempt, step, file);
        return r == NONE ? look_at_home(attempt, step, file) : r;
}

static int find(const Attempt *attempt, const Step *step, ForwardFile *file) {
        int r;

        r = identity_become(step->user->uid, step->user->gid);
        if (r != 0) {
                (void)buf_printf(&file->why, "cannot become user %s: %s", step->user->name,
                                 strerror(-r));
                return AWAY;
        }
        r = find_as_user(attempt, step, file);
        identity_restore();
        return r;
}

static bool deliver_file(Attempt *attempt, const Step *from, const ForwardFile *file) {
        const Settings *settings = &attempt->local->settings;
        DestinationList list = destination_list_of_file(buf_str(&file->text));
        Step step = *from;
        bool is_used;

        /* A user's own name in the .forward leads back here: this time to the mailbox. */
        if (attempt_seen_path(attempt, "forward %.*s", STR_FMT(buf_str(&file->path))))
                return attempt_was_seen_path(attempt, "forward-used %.*s",
                                             STR_FMT(buf_str(&file->path)));
        step.by = SETTINGS_BY_FORWARD;
        step.owner = step.name;
        step.unmatched =
                settings->extend_forwards && !file->used_extension ? step.extension : STR_NULL;
        is_used = expansion_deliver(attempt, &step, &list) > 0;
        if (is_used)
                (void)attempt_seen_path(attempt, "forward-used %.*s",
                                        STR_FMT(buf_str(&file->path)));
        return is_used;
}

bool dotforward_deliver(Attempt *attempt, const Step *step) {
        ForwardFile file = {
                .path = BUF_INIT(PATH_MAX),
                .text = BUF_INIT(FORWARD_FILE_MAX_BYTES),
                .why = BUF_INIT(DSN_TEXT_MAX),
        };
        bool is_dealt_with = false;
        int r;

        r = find(attempt, step, &file);
        if (r == AWAY) {
                attempt_say(attempt, step, "4.3.0", "%.*s", STR_FMT(buf_str(&file.why)));
                is_dealt_with = true;
        } else if (r == FOUND) {
                is_dealt_with = deliver_file(attempt, step, &file);
        }
        buf_deinit(&file.path);
        buf_deinit(&file.text);
        buf_deinit(&file.why);
        return is_dealt_with;
}
