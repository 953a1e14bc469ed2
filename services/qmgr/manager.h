#pragma once

/*
 * The queue manager's one object: it owns the loop's sources, the queue, the messages in active/
 * and the transports. What happens, in the order of a message's life:
 *
 *   intake      incoming/ID (told by cleanup, or found) and due deferred mail come into active/,
 *               within active_max                                           (intake.h)
 *   routing     recipients come into memory, within recipients_max, and go to the transport that
 *               the tables name                                             (routing.h)
 *   lifecycle   each outcome is written into the queue file; then a notice for what failed,
 *               deferred/BUCKET for what is to be tried again, or the end    (lifecycle.h)
 *   transport   who is served next, over which connection                   (transport.h)
 *
 * No blocking call but on the local disk. Directory walks go in slices, so that a million
 * deferred messages do not keep fresh mail waiting.
 */

#include "common/role/role.h"
#include "services/qmgr/intake.h"
#include "services/qmgr/message.h"
#include "services/qmgr/notice.h"
#include "services/qmgr/routing.h"
#include "services/qmgr/settings.h"
#include "services/qmgr/transport.h"

/* A transport by its name. */
typedef struct TransportEntry {
        Transport *transport;
        UT_hash_handle hh;
} TransportEntry;

typedef struct Manager {
        RoleEnv *env;
        Settings settings;
        Queue *queue;
        Intake *intake;
        NoticeQueue *notices;
        Routing *routing;
        TransportEntry *transports;
        Message *messages; /* by ID */
        unsigned n_messages;
        unsigned n_entries;   /* recipients in memory */
        bool is_draining;     /* about to stop: no new work */
        unsigned n_announced; /* by datagram, since the last look into incoming/ */
        Message *settled;     /* to be looked at from the loop */
        Message *stuck;       /* whose file could not be moved or removed: settled, later */
        sd_event_source *settle;
        sd_event_source *active_retry; /* after an error of the disk */
        sd_event_source *look;         /* for mail in incoming/ that nobody announced */
} Manager;

/* The parts of the Role: see common/role/role.h. */
/* What main.c's Role names: see common/role/role.h for each. */
int manager_start(RoleEnv *env);
void manager_stop(RoleEnv *env);
void manager_reload(RoleEnv *env);
void manager_drain(RoleEnv *env);
void manager_datagram(RoleEnv *env, Str payload, const IpcPeer *sender);
bool manager_is_idle(RoleEnv *env);

/* The transport called NAME, made on first use. 0, QMGR_E_BAD_NAME, -ENOMEM. */
enum {
        QMGR_E_BAD_NAME = 1
};
int manager_transport(Manager *manager, Str name, Transport **ret);

/* Something in active/ could not be dealt with now: come back to it in a minute. */
void manager_retry_active(Manager *manager);
