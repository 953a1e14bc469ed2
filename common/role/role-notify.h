#pragma once

/*
 * What a role tells systemd: READY, RELOADING, STOPPING, STATUS. STATUS goes at most once in 5 s;
 * a text that comes sooner waits and the last one wins. Without NOTIFY_SOCKET all does nothing.
 */

#include <systemd/sd-event.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/macro.h"

typedef struct RoleNotify RoleNotify;

/* EVENT is not owned; NULL is fine: then texts that come too soon are lost. 0 or -ENOMEM. */
int role_notify_new(RoleNotify **ret);
RoleNotify *role_notify_free(RoleNotify *notify);
DEFINE_CLEANUP(RoleNotify, role_notify_free)

/* From now on texts that come too soon are sent later, by a timer on EVENT (referenced). */
void role_notify_attach(RoleNotify *notify, sd_event *event);

/* The states of the service, each sent at once. */
void role_notify_ready(RoleNotify *notify);
void role_notify_reloading(RoleNotify *notify);
void role_notify_stopping(RoleNotify *notify);

/* For a child: it must not talk to systemd; also takes away LISTEN_* and WATCHDOG_*. */
void role_notify_forget_environment(void);
