#pragma once

/*
 * What qmgr does with one message from active/ on; the manager's half that has no sources of its
 * own. State table of a message in memory:
 *
 *   out > 0                      recipients are with transports
 *   out = 0, !fetched_all        more recipients are fetched
 *   out = 0, fetched_all,
 *      failed > 0                bounce makes a notice, then as below (a failed notice: deferred)
 *      deferred > 0, late, and
 *        the sender not told     bounce makes a notice of the delay, then as below
 *      deferred > 0              moved to deferred/BUCKET, forgotten
 *      else                      removed
 */

#include "services/qmgr/manager.h"

extern const MessageHandler lifecycle_message_handler; /* userdata: Manager */
extern const RoutingHandler lifecycle_routing_handler; /* likewise */

/* Where a message comes from. */
typedef struct LifecycleSource {
        QueueDir dir;
        uint64_t bucket; /* for deferred */
        bool was_found;  /* in incoming/ or active/, by looking: nobody announced it */
} LifecycleSource;

/* Take ID from there into active/ and begin. */
void lifecycle_activate(Manager *manager, const LifecycleSource *source, const QueueId *id);

/* TransportOutcome; USERDATA is the Manager. */
void lifecycle_outcome(void *userdata, Entry *entry, const Dsn *dsn, bool logged);

/* NoticeDone; USERDATA is the Manager. */
void lifecycle_noticed(void *userdata, Message *message, bool ok);

/* The loop comes to MESSAGE, which has settled. */
void lifecycle_settle(Manager *manager, Message *message);
