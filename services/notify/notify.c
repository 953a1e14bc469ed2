/*
 * The order of things: the state is read, all mailboxes are looked into, the desktop is told, and
 * only then the state is written: told twice is better than never. What is seen for the first time
 * is remembered without a word.
 */

#include "services/notify/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "services/notify/bus.h"
#include "services/notify/mailbox.h"
#include "services/notify/state.h"

/*
 * The path unit does not see what comes while we run, so that we look again after having told. The
 * pause makes one notification of a burst, and keeps us from being started for each mail of it.
 */
#define N_ROUNDS      20
#define PAUSE_SECONDS 1

/* Longer than all that a round waits for on purpose: a file server or the desktop hangs then. The
 * alarm ends the process, and nothing is remembered as told. */
#define ROUND_LIMIT_SECONDS 5

typedef struct Notify {
        int directory_fd;
        Buf old;    /* the state file as it was read */
        State told; /* as in the file, and what was seen for the first time */
        State next; /* when all that is new is told */
        News news;
        int status;
} Notify;

static void notify_deinit(Notify *notify) {
        fd_closep(&notify->directory_fd);
        buf_deinit(&notify->old);
        state_deinit(&notify->told);
        state_deinit(&notify->next);
        news_deinit(&notify->news);
}

/* Note a failure; the rest goes on. */
static void complain(Notify *notify, const char *what, int r) {
        static const char *const reasons[] = {
                [MAILBOX_E_UNUSABLE] = "not a mailbox",
                [MAILBOX_E_BUSY] = "locked by another program",
                [MAILBOX_E_TOO_MANY] = "too many unread messages, nothing is told",
        };

        (void)fprintf(stderr, "%s: %s\n", what, r < 0 ? strerror(-r) : reasons[r]);
        notify->status = EXIT_FAILURE;
}

/* Read the state; mailboxes that are not looked into any more are forgotten. */
static int load(Notify *notify, char *const *paths, size_t n_paths) {
        int r = state_load(notify->directory_fd, &notify->old, &notify->told);

        for (size_t i = notify->told.n; i > 0; i--) {
                const char *path = notify->told.mailboxes[i - 1].path;
                bool is_wanted = false;

                for (size_t k = 0; k < n_paths; k++)
                        is_wanted |= strcmp(paths[k], path) == 0;
                if (!is_wanted)
                        state_forget(&notify->told, path);
        }
        return r;
}

static void save(Notify *notify, const State *state) {
        int r = state_save(notify->directory_fd, state, &notify->old);

        if (r < 0)
                complain(notify, "cannot remember what was told", r);
}

/* One mailbox: its news, and its ids in the next state. */
static int look_into(Notify *notify, const char *path) {
        const Ids *known = state_find(&notify->told, path);
        _cleanup_(news_deinit) News news;
        _cleanup_(ids_deinit) Ids found = IDS_NULL;
        int r;

        news_init(&news);
        r = mailbox_scan(path, known ? known : &IDS_NULL, &found, &news);
        if (r == MAILBOX_E_TOO_MANY) {
                state_forget(&notify->told, path);
                state_forget(&notify->next, path);
        }
        if (r != 0)
                return r;
        if (!known)
                r = state_set(&notify->told, path, &found);
        else
                r = news_append(&notify->news, &news);
        return r == 0 ? state_set(&notify->next, path, &found) : r;
}

static int tell(const News *news) {
        _cleanup_(buf_deinit) Buf summary = BUF_INIT(NEWS_SUMMARY_MAX);
        _cleanup_(buf_deinit) Buf body = BUF_INIT(NEWS_BODY_MAX_BYTES);
        int r = news_format(news, &summary, &body);

        if (r < 0)
                return r;
        if (!buf_cstr(&summary) || !buf_cstr(&body))
                return -ENOMEM;
        return bus_notify(summary.data, body.data);
}

/* Look once and tell. True when something was told. */
static bool run_round(Notify *notify, char *const *paths, size_t n_paths) {
        int r;

        (void)alarm(ROUND_LIMIT_SECONDS);
        state_deinit(&notify->next);
        news_reset(&notify->news);
        r = state_copy(&notify->told, &notify->next);
        if (r < 0)
                complain(notify, "notify", r);
        for (size_t i = 0; i < n_paths && r == 0; i++) {
                int failure = look_into(notify, paths[i]);

                if (failure != 0)
                        complain(notify, paths[i], failure);
        }
        if (r == 0 && notify->news.n > 0)
                r = tell(&notify->news);
        if (r < 0)
                complain(notify, "the desktop was not told", r);
        save(notify, r == 0 ? &notify->next : &notify->told);
        return r == 0 && notify->news.n > 0;
}

int notify_run(char *const *paths, size_t n_paths) {
        _cleanup_(notify_deinit) Notify notify = { .old = BUF_INIT(STATE_MAX_BYTES) };
        int r;

        news_init(&notify.news);
        notify.directory_fd = state_directory_open();
        r = notify.directory_fd < 0 ? notify.directory_fd : load(&notify, paths, n_paths);
        if (r < 0) {
                complain(&notify, "no state", r);
                return notify.status;
        }
        for (int i = 0; i < N_ROUNDS && run_round(&notify, paths, n_paths); i++) {
                state_deinit(&notify.told);
                notify.told = notify.next;
                notify.next = STATE_NULL;
                (void)sleep(PAUSE_SECONDS);
        }
        return notify.status;
}
