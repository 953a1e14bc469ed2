#include "services/local/include.h"

#include "services/local/expansion.h"
#include "services/local/home.h"
#include "services/local/list-file.h"
#include "services/local/recipient.h"

#define INCLUDE_MAX_BYTES ((size_t)32 * 1024 * 1024)

/* With the ids of the step, which are put back. */
static int read_file(const Step *step, const char *path, Buf *text, uid_t *ret_owner) {
        const ListFileRules rules = {
                .follow_symlink = true,
                .is_root = !step->user || step->user->uid == 0,
        };
        int r;

        if (!step->user)
                return list_file_read(path, &rules, text, ret_owner);
        r = identity_become(step->user->uid, step->user->gid);
        if (r != 0)
                return r;
        r = list_file_read(path, &rules, text, ret_owner);
        identity_restore();
        return r;
}

/* False, with a report: the file cannot be used. */
static bool read_list(Attempt *attempt, const Step *step, const char *path, Buf *text,
                      uid_t *ret_owner) {
        int r = read_file(step, path, text, ret_owner);
        const char *why;

        if (r == LIST_FILE_E_MISSING && home_path_is_away(path, &why))
                attempt_say(attempt, step, "4.3.5", ":include: file %s is not there: %s", path,
                            why);
        else if (r > 0)
                attempt_say(attempt, step, "5.3.5", ":include: file %s %s", path,
                            list_file_reason(r));
        else if (r < 0)
                attempt_say(attempt, step, "4.3.5", ":include: file %s: %s", path, strerror(-r));
        return r == 0;
}

static void deliver_list(Attempt *attempt, const Step *from, Str text, uid_t owner) {
        LocalUser user _cleanup_(local_user_deinit) = { 0 };
        DestinationList list = destination_list_of_file(text);
        Step step = *from;
        int r = 0;

        step.by = SETTINGS_BY_INCLUDE;
        step.level++;
        if (!attempt->local->settings.extend_includes)
                step.unmatched = STR_NULL;
        /* Each address of a list has its own state in the queue. */
        if (!step.owner.data)
                step.owner = step.address;
        /* root's rights are none of its own: what root's .forward includes is its owner's word. */
        if ((!step.user || step.user->uid == 0) && owner != 0) {
                r = local_user_find_uid(owner, &user);
                step.user = &user;
        }
        if (r != 0)
                attempt_say(attempt, from, "4.3.5",
                            "cannot find user %u, who owns an :include: file", owner);
        else
                (void)expansion_deliver(attempt, &step, &list);
}

void include_deliver(Attempt *attempt, const Step *step, Str path) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(INCLUDE_MAX_BYTES);
        Buf name _cleanup_(buf_deinit) = BUF_INIT(DESTINATION_MAX_BYTES);
        uid_t owner = 0, reader = step->user ? step->user->uid : 0;

        if (attempt_seen_path(attempt, "include %u %.*s", reader, STR_FMT(path)))
                return;
        (void)buf_append_str(&name, path);
        if (path.data[0] != '/' || !buf_cstr(&name))
                attempt_say(attempt, step, "5.3.5", ":include:%.*s is no absolute path",
                            STR_FMT(path));
        else if (step->level >= RECIPIENT_LEVELS_MAX)
                attempt_say(attempt, step, "5.4.6", "too many :include: files in each other");
        else if (read_list(attempt, step, buf_cstr(&name), &text, &owner))
                deliver_list(attempt, step, buf_str(&text), owner);
}
