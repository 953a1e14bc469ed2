/*
 * A role without a listener: it works off a directory (.scan), then sleeps until that changes
 * (inotify) or max_idle has passed. A .path unit starts it again when something is there.
 *
 *   .scan said      next
 *   n > 0           scan again, after signals had their turn
 *   0               wait for a change; after max_idle: leave the watch, scan once more, end
 *   < 0             scan again in 1 s, 2 s ... 60 s; a change brings that forward, but never to
 *                   less than 1 s after the last scan. It does not end meanwhile: the path unit
 *                   would start it at once.
 *
 * Where no watch is to be had, it looks once a second.
 */

#include <errno.h>
#include <signal.h>
#include <sys/inotify.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-deadline.h"
#include "common/role/role-process.h"

#define RETRY_MIN_USEC USEC_PER_SEC
#define RETRY_MAX_USEC (60 * USEC_PER_SEC)
#define POLL_USEC      USEC_PER_SEC

typedef struct Scanner {
        RoleProcess *process;
        sd_event_source *timer; /* the next scan, or the end */
        sd_event_source *watch_source;
        int inotify_fd;       /* -1: no watch */
        usec_t scanned_usec;  /* monotonic; begin of the last scan */
        usec_t work_usec;     /* monotonic; last time that something was there */
        usec_t retry_in_usec; /* after a failed scan; 0: the last one went well */
        bool is_stopping;
} Scanner;

static usec_t scanner_end_usec(const Scanner *scanner) {
        return usec_add(scanner->work_usec,
                        config_time_usec(scanner->process->env.config, PARAM_max_idle));
}

static int scanner_arm(Scanner *scanner, usec_t at_usec) {
        int r;

        r = sd_event_source_set_time(scanner->timer, at_usec);
        return r < 0 ? r : sd_event_source_set_enabled(scanner->timer, SD_EVENT_ONESHOT);
}

/* ---- the watch ---- */

/* A change: scan soon. */
static int on_change(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Scanner *scanner = userdata;
        char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

        while (read(fd, buffer, sizeof(buffer)) > 0)
                ;
        scanner->work_usec = clock_monotonic_usec();
        return scanner_arm(scanner, scanner->retry_in_usec > 0
                                            ? usec_add(scanner->scanned_usec, RETRY_MIN_USEC)
                                            : 0);
}

static int scanner_add_watch(Scanner *scanner) {
        RoleProcess *process = scanner->process;
        _cleanup_(buf_deinit) Buf path = BUF_INIT(4096);
        const char *text;
        int r;

        r = process->role->scan_path(&process->env, &path);
        text = r == 0 ? buf_cstr(&path) : NULL;
        if (!text)
                return r < 0 ? r : -ENAMETOOLONG;
        scanner->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (scanner->inotify_fd < 0)
                return -errno;
        /* linkat(2) shows as IN_CREATE, renameat(2) as IN_MOVED_TO, cp(1) ends in CLOSE_WRITE. */
        if (inotify_add_watch(scanner->inotify_fd, text,
                              IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) < 0)
                return -errno;
        return sd_event_add_io(process->env.event, &scanner->watch_source, scanner->inotify_fd,
                               EPOLLIN, on_change, scanner);
}

static void scanner_unwatch(Scanner *scanner) {
        (void)sd_event_source_disable_unref(scanner->watch_source);
        scanner->watch_source = NULL;
        fd_closep(&scanner->inotify_fd);
}

static void scanner_watch(Scanner *scanner) {
        int r;

        scanner_unwatch(scanner);
        r = scanner_add_watch(scanner);
        if (r >= 0)
                return;
        log_warning(LOG_ID_START_FAILED, "watch for new files: %s; looking once a second instead",
                    strerror(-r));
        scanner_unwatch(scanner);
}

/* ---- scanning ---- */

static int scanner_scan(Scanner *scanner) {
        RoleProcess *process = scanner->process;
        int n;

        scanner->scanned_usec = clock_monotonic_usec();
        role_deadline_begin();
        n = process->role->scan(&process->env);
        role_deadline_end();
        if (n > 0)
                scanner->work_usec = clock_monotonic_usec();
        if (n >= 0) {
                scanner->retry_in_usec = 0;
                return n;
        }
        scanner->retry_in_usec =
                scanner->retry_in_usec == 0 ? RETRY_MIN_USEC : 2 * scanner->retry_in_usec;
        if (scanner->retry_in_usec > RETRY_MAX_USEC)
                scanner->retry_in_usec = RETRY_MAX_USEC;
        return n;
}

/* When to look again after a scan that said N. */
static usec_t scanner_next_usec(const Scanner *scanner, int n) {
        if (n > 0)
                return 0;
        if (n < 0)
                return usec_add(clock_monotonic_usec(), scanner->retry_in_usec);
        return scanner->inotify_fd >= 0 ? scanner_end_usec(scanner)
                                        : usec_add(scanner->scanned_usec, POLL_USEC);
}

/* Nothing came for max_idle. Looked at once more behind the watch's back; then the end. */
static int scanner_end(Scanner *scanner) {
        int n;

        scanner_unwatch(scanner);
        n = scanner_scan(scanner);
        if (n == 0) {
                role_notify_stopping(scanner->process->notify);
                return sd_event_exit(scanner->process->env.event, ROLE_EXIT_OK);
        }
        scanner_watch(scanner);
        /* Scan again, also after 0 < n: the new watch knows nothing of what came before it. */
        return scanner_arm(scanner, n > 0 ? 0 : scanner_next_usec(scanner, n));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Scanner *scanner = userdata;
        usec_t now = clock_monotonic_usec();

        if (scanner->retry_in_usec == 0 && now >= scanner_end_usec(scanner) &&
            now >= usec_add(scanner->process->started_usec, ROLE_LIFE_MIN_USEC))
                return scanner_end(scanner);
        return scanner_arm(scanner, scanner_next_usec(scanner, scanner_scan(scanner)));
}

/* ---- signals ---- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Scanner *scanner = userdata;

        role_notify_stopping(scanner->process->notify);
        return sd_event_exit(scanner->process->env.event, ROLE_EXIT_OK);
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Scanner *scanner = userdata;
        RoleProcess *process = scanner->process;
        int r = 0;

        role_notify_reloading(process->notify);
        if (role_reload_config(process) == 0) {
                if (process->role->reload)
                        process->role->reload(&process->env);
                scanner_watch(scanner);
                r = scanner_arm(scanner, 0);
        }
        role_notify_ready(process->notify);
        return r;
}

/* A scan took too long: this process is the only one that can say so. */
static void on_scan_expired(void) {
        log_error(LOG_ID_TIME_LIMIT, "the time limit of one pass over the directory was exceeded");
}

/* ---- the life of a scanner ---- */

static int scanner_init(Scanner *scanner) {
        RoleProcess *process = scanner->process;
        int r;

        r = role_event_new(process, on_stop, on_reload, scanner);
        if (r == 0)
                r = role_deadline_init(role_request_limit_usec(process->role), on_scan_expired);
        scanner->work_usec = clock_monotonic_usec();
        if (r == 0)
                r = sd_event_add_time(process->env.event, &scanner->timer, CLOCK_MONOTONIC, 0, 1,
                                      on_timer, scanner);
        if (r < 0) {
                log_fatal(LOG_ID_START_FAILED, "event loop: %s", strerror(-r));
                return r;
        }
        if (process->role->start && process->role->start(&process->env) < 0)
                return -ECANCELED;
        scanner_watch(scanner);
        return 0;
}

static int scanner_run(Scanner *scanner) {
        RoleProcess *process = scanner->process;
        int r;

        if (scanner_init(scanner) < 0)
                return ROLE_EXIT_FAILURE;
        role_notify_ready(process->notify);
        r = sd_event_loop(process->env.event);
        if (process->role->stop)
                process->role->stop(&process->env);
        if (r >= 0)
                return r;
        log_fatal(LOG_ID_START_FAILED, "event loop: %s", strerror(-r));
        return ROLE_EXIT_FAILURE;
}

int role_scanner_run(RoleProcess *process) {
        Scanner scanner = { .process = process, .inotify_fd = -1 };
        int r;

        r = scanner_run(&scanner);
        scanner_unwatch(&scanner);
        (void)sd_event_source_disable_unref(scanner.timer);
        return r;
}
