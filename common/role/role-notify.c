#include "common/role/role-notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "common/role/role.h"

#define STATUS_INTERVAL_USEC (5 * USEC_PER_SEC)
#define STATUS_MAX_BYTES     512

struct RoleNotify {
        sd_event *event;
        sd_event_source *timer;
        Buf status;       /* the last text */
        bool is_pending;  /* ... and it has not been sent */
        usec_t last_usec; /* monotonic; when one was sent */
};

int role_notify_new(RoleNotify **ret) {
        RoleNotify *notify = calloc(1, sizeof(*notify));

        if (!notify)
                return -ENOMEM;
        notify->status = BUF_INIT(STATUS_MAX_BYTES);
        *ret = notify;
        return 0;
}

RoleNotify *role_notify_free(RoleNotify *notify) {
        if (!notify)
                return NULL;
        (void)sd_event_source_disable_unref(notify->timer);
        (void)sd_event_unref(notify->event);
        buf_deinit(&notify->status);
        free(notify);
        return NULL;
}

void role_notify_attach(RoleNotify *notify, sd_event *event) {
        notify->event = sd_event_ref(event);
}

static void notify_send_status(RoleNotify *notify) {
        notify->is_pending = false;
        notify->last_usec = clock_monotonic_usec();
        (void)sd_notifyf(0, "STATUS=%.*s", STR_FMT(buf_str(&notify->status)));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        RoleNotify *notify = userdata;

        if (notify->is_pending)
                notify_send_status(notify);
        return 0;
}

/* Have the pending text sent when its time has come. */
static void notify_arm(RoleNotify *notify) {
        usec_t at = usec_add(notify->last_usec, STATUS_INTERVAL_USEC);

        if (!notify->event)
                return;
        if (!notify->timer) {
                (void)sd_event_add_time(notify->event, &notify->timer, CLOCK_MONOTONIC, at, 0,
                                        on_timer, notify);
                return;
        }
        (void)sd_event_source_set_time(notify->timer, at);
        (void)sd_event_source_set_enabled(notify->timer, SD_EVENT_ONESHOT);
}

void role_set_status(RoleEnv *env, const char *format, ...) {
        RoleNotify *notify = env->notify;
        bool was_pending;
        va_list args;

        if (!notify)
                return;
        was_pending = notify->is_pending;
        buf_reset(&notify->status);
        va_start(args, format);
        (void)buf_vprintf(&notify->status, format, args);
        va_end(args);
        if (clock_monotonic_usec() >= usec_add(notify->last_usec, STATUS_INTERVAL_USEC)) {
                notify_send_status(notify);
                return;
        }
        notify->is_pending = true;
        if (!was_pending)
                notify_arm(notify);
}

/* READY carries the first status text, if the role has one by then. */
void role_notify_ready(RoleNotify *notify) {
        if (notify->is_pending)
                notify_send_status(notify);
        (void)sd_notify(0, "READY=1");
}

/* v253's notify-reload wants the time; for older ones it is one more line. */
void role_notify_reloading(RoleNotify *notify) {
        (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                         (unsigned long long)clock_monotonic_usec());
}

void role_notify_stopping(RoleNotify *notify) {
        notify->is_pending = false;
        (void)sd_notify(0, "STOPPING=1");
}

void role_notify_forget_environment(void) {
        static const char *const names[] = {
                "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES",
        };

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                (void)unsetenv(names[i]);
}
