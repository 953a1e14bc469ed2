#pragma once

/*
 * A transport (a service of delivery agents, as "local") and its destinations: who waits for
 * what, how many deliveries run to each destination, and which goes next. Destinations take
 * turns; within one, recipients go in order of arrival, those of one message together up to the
 * recipient limit.
 *
 * With a recipient limit of 1 a destination is a recipient, else it is a next hop (as Postfix).
 */

#include <systemd/sd-event.h>

#include "services/qmgr/agent-pool.h"
#include "services/qmgr/message.h"

typedef struct Transport Transport;

typedef struct TransportLimits {
        unsigned destination_concurrency; /* 0: none */
        unsigned destination_recipients;  /* 0: none; of one message in one delivery */
        unsigned processes;               /* connections to the service */
        usec_t retry_usec;                /* how long a dead transport is left alone */
} TransportLimits;

/*
 * The outcome for ENTRY, which belongs to the callee again. LOGGED: an agent answered, and has
 * written the line; else the line is the callee's.
 */
typedef void (*TransportOutcome)(void *userdata, Entry *entry, const Dsn *dsn, bool logged);

/* NAME is copied. */
int transport_new(sd_event *event, Str name, const TransportLimits *limits,
                  TransportOutcome outcome, void *userdata, Transport **ret);
/* Entries still in hand are dropped without outcome: the queue file has them as TODO. */
Transport *transport_free(Transport *transport);
DEFINE_CLEANUP(Transport, transport_free)

/* Lives as long as TRANSPORT. */
/* As given to transport_new(); owned by TRANSPORT. */
const char *transport_name(const Transport *transport);

/*
 * Take ENTRY over, for NEXTHOP (copied on need). Where the transport is dead the outcome comes at
 * once (from the loop). 0 or -ENOMEM (ENTRY is still the caller's).
 */
int transport_add(Transport *transport, Str nexthop, Entry *entry);

/* For deliveries that start from now on. */
void transport_set_limits(Transport *transport, const TransportLimits *limits);

/* Start no further delivery; how many are still running. */
void transport_drain(Transport *transport);
unsigned transport_n_running(const Transport *transport);

/* Forget that it was dead. */
void transport_revive(Transport *transport);
