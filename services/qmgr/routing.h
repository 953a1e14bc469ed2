#pragma once

/*
 * Recipients on their way to a transport: each is resolved, at once where the tables that decide
 * answer by themselves; else it waits here for proxymap, and others go on.
 */

#include "common/mail/resolve.h"
#include "services/qmgr/message.h"

typedef struct Routing Routing;

/* Both take ENTRY over; what the others point to is valid during the call only. */
typedef struct RoutingHandler {
        void (*routed)(void *userdata, Entry *entry, const ResolveRoute *route);
        /* ERROR is RESOLVE_E_TABLE, and REASON its text, or -ENOMEM. */
        void (*failed)(void *userdata, Entry *entry, int error, Str reason);
} RoutingHandler;

/* RULES are read at each use, so that a reload may change what they are; borrowed. 0, -ENOMEM. */
int routing_new(const ResolveRules *rules, const RoutingHandler *handler, void *userdata,
                Routing **ret);
/* Entries still in hand are dropped without outcome: the queue file has them as TODO. */
Routing *routing_free(Routing *routing);
DEFINE_CLEANUP(Routing, routing_free)

/* Take ENTRY over and call the handler: now, or when the tables have answered. */
void routing_add(Routing *routing, Entry *entry);

/* How many wait. */
unsigned routing_n_waiting(const Routing *routing);
