#include "services/qmgr/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/mail/address.h"
#include "common/mail/log-id.h"

#define ANSWER_USEC    (3600 * USEC_PER_SEC)
#define RECIPIENTS_MAX 1000 /* in one delivery, where the limit says "none" */

typedef struct Destination {
        Transport *transport;
        char *key; /* next hop; where each recipient is a destination: "user@next hop", folded */
        char *nexthop;
        Entry *waiting;
        unsigned n_running;
        bool is_ready; /* in transport->ready */
        struct Destination *prev, *next;
        UT_hash_handle hh;
} Destination;

/* One request to an agent. */
typedef struct Run {
        Destination *destination;
        Entry *entries; /* not answered yet */
        struct Run *prev, *next;
} Run;

struct Transport {
        char *name;
        TransportLimits limits;
        AgentPool *pool;
        Destination *destinations;
        Destination *ready; /* those that may start a delivery now; the first is next */
        unsigned n_ready;
        Run *runs;
        unsigned n_running;
        bool is_draining;
        TransportOutcome outcome;
        void *userdata;
        sd_event_source *fail_waiting; /* when dead: answers what waits */
};

static void free_entries(Entry *entries) {
        Entry *entry, *next;

        DL_FOREACH_SAFE(entries, entry, next)
                entry_free(entry);
}

static Destination *destination_free(Destination *destination) {
        Transport *transport = destination->transport;

        free_entries(destination->waiting);
        if (destination->is_ready) {
                DL_DELETE(transport->ready, destination);
                transport->n_ready--;
        }
        HASH_DEL(transport->destinations, destination);
        free(destination->key);
        free(destination->nexthop);
        free(destination);
        return NULL;
}

/* Keep the ready list true after any change; frees a destination that has nothing left. */
static void destination_update(Destination *destination) {
        Transport *transport = destination->transport;
        unsigned limit = transport->limits.destination_concurrency;
        bool ready = destination->waiting && (limit == 0 || destination->n_running < limit);

        if (!destination->waiting && destination->n_running == 0) {
                destination_free(destination);
                return;
        }
        if (ready && !destination->is_ready) {
                DL_APPEND(transport->ready, destination);
                transport->n_ready++;
        } else if (!ready && destination->is_ready) {
                DL_DELETE(transport->ready, destination);
                transport->n_ready--;
        }
        destination->is_ready = ready;
}

static Destination *destination_get(Transport *transport, Str key, Str nexthop) {
        Destination *destination;

        HASH_FIND(hh, transport->destinations, key.data, key.len, destination);
        if (destination)
                return destination;
        destination = calloc(1, sizeof(*destination));
        if (!destination)
                return NULL;
        destination->transport = transport;
        destination->key = str_dup(key);
        destination->nexthop = str_dup(nexthop);
        if (!destination->key || !destination->nexthop) {
                free(destination->key);
                free(destination->nexthop);
                free(destination);
                return NULL;
        }
        HASH_ADD_KEYPTR(hh, transport->destinations, destination->key, key.len, destination);
        return destination;
}

/* Move the first waiting recipient, and those of the same message right behind it, to RUN. */
static void take_entries(Destination *destination, Run *run) {
        unsigned limit = destination->transport->limits.destination_recipients;
        Entry *entry = destination->waiting, *next;
        const Message *message = entry->message;

        if (limit == 0)
                limit = RECIPIENTS_MAX;
        for (unsigned n = 0; entry && n < limit && entry->message == message; n++, entry = next) {
                next = entry->next;
                DL_DELETE(destination->waiting, entry);
                DL_APPEND(run->entries, entry);
        }
}

static int build_request(const Run *run, Buf *request, int *ret_fd) {
        DeliveryRequest delivery = run->entries->message->request;
        Entry *entry;
        int r;

        r = message_open(run->entries->message, ret_fd);
        if (r != 0)
                return r > 0 ? -ENOENT : r;
        delivery.nexthop = str_from_cstr(run->destination->nexthop);
        r = ipc_message_append(request, &delivery_request_schema, &delivery);
        DL_FOREACH(run->entries, entry)
                if (r == 0)
                        r = ipc_message_append(request, &delivery_recipient_schema,
                                               &entry->recipient);
        return r != 0 ? r : ipc_frame_append(request, IPC_FRAME_END, STR_NULL);
}

/* Give every entry of *LIST the same outcome. */
static void answer_all(Transport *transport, Entry **list, const Dsn *dsn) {
        Entry *entry;

        while ((entry = *list)) {
                DL_DELETE(*list, entry);
                entry->next = entry->prev = NULL;
                transport->outcome(transport->userdata, entry, dsn, false);
        }
}

/* See to what waits; with a dead transport nobody else would. */
static void pump(Transport *transport) {
        if (agent_pool_is_dead(transport->pool))
                (void)sd_event_source_set_enabled(transport->fail_waiting, SD_EVENT_ONESHOT);
        else
                agent_pool_pump(transport->pool, transport->n_ready);
}

static void run_finish(Transport *transport, Run *run, const char *why) {
        Destination *destination = run->destination;
        Dsn dsn;

        dsn_set(&dsn, DSN_DEFERRED, "4.3.0", "%s", why);
        answer_all(transport, &run->entries, &dsn);
        DL_DELETE(transport->runs, run);
        destination->n_running--;
        transport->n_running--;
        destination_update(destination);
        pump(transport);
        free(run);
}

static void *transport_next(void *userdata, Buf *request, int *ret_fd) {
        Transport *transport = userdata;
        Destination *destination;
        Run *run;

        while (!transport->is_draining && (destination = transport->ready)) {
                run = calloc(1, sizeof(*run));
                if (!run)
                        return NULL;
                run->destination = destination;
                take_entries(destination, run);
                DL_APPEND(transport->runs, run);
                destination->n_running++;
                transport->n_running++;
                /* To the end of the line: destinations take turns. */
                DL_DELETE(transport->ready, destination);
                transport->n_ready--;
                destination->is_ready = false;
                destination_update(destination);
                pump(transport);
                if (build_request(run, request, ret_fd) == 0)
                        return run;
                buf_reset(request);
                fd_closep(ret_fd);
                run_finish(transport, run, "queue file access error");
        }
        return NULL;
}

static bool transport_answer(void *userdata, void *work, Str payload) {
        Transport *transport = userdata;
        Run *run = work;
        DeliveryOutcome outcome;
        Entry *entry;
        Dsn dsn;

        if (ipc_message_parse(payload, &delivery_outcome_schema, &outcome) != 0 ||
            !dsn_parse(&dsn, outcome.status, outcome.code, outcome.text, outcome.relay))
                return false;
        DL_SEARCH_SCALAR(run->entries, entry, recipient.handle, outcome.handle);
        if (!entry)
                return false;
        DL_DELETE(run->entries, entry);
        transport->outcome(transport->userdata, entry, &dsn, true);
        return true;
}

/* The agent closed a kept connection and never saw the request: its recipients wait again. */
static void run_return(Transport *transport, Run *run) {
        Destination *destination = run->destination;

        DL_DELETE(transport->runs, run);
        DL_CONCAT(run->entries, destination->waiting);
        destination->waiting = run->entries;
        destination->n_running--;
        transport->n_running--;
        destination_update(destination);
        pump(transport);
        free(run);
}

static void transport_done(void *userdata, void *work, int reason) {
        Transport *transport = userdata;
        Buf why _cleanup_(buf_deinit) = BUF_INIT(256);

        if (reason == IPC_E_NOT_TAKEN) {
                run_return(transport, work);
                return;
        }
        (void)buf_printf(&why, "delivery agent %s ended without an answer (%s)", transport->name,
                         reason == 0 ? "incomplete" : ipc_error_name(reason));
        run_finish(transport, work, buf_cstr(&why));
}

static int on_fail_waiting(sd_event_source *source, void *userdata) {
        Transport *transport = userdata;
        Destination *destination, *next;
        Dsn dsn;

        /* A flush may have come in between: then it is tried. */
        if (agent_pool_is_dead(transport->pool)) {
                dsn_set(&dsn, DSN_DEFERRED, "4.3.0", "mail transport unavailable");
                HASH_ITER(hh, transport->destinations, destination, next) {
                        answer_all(transport, &destination->waiting, &dsn);
                        destination_update(destination);
                }
        }
        agent_pool_pump(transport->pool, transport->n_ready);
        return 0;
}

static void transport_dead(void *userdata, int reason) {
        Transport *transport = userdata;

        log_warning(LOG_ID_TRANSPORT_DEAD,
                    "transport %s does not answer (%s): its mail is deferred", transport->name,
                    ipc_error_name(reason));
        (void)sd_event_source_set_enabled(transport->fail_waiting, SD_EVENT_ONESHOT);
}

static const AgentPoolHandler pool_handler = {
        .next = transport_next,
        .answer = transport_answer,
        .done = transport_done,
        .dead = transport_dead,
};

static AgentPoolLimits agent_limits(const TransportLimits *limits) {
        return (AgentPoolLimits){
                .connections = limits->processes,
                .retry_usec = limits->retry_usec,
                .answer_usec = ANSWER_USEC,
        };
}

int transport_new(sd_event *event, Str name, const TransportLimits *limits,
                  TransportOutcome outcome, void *userdata, Transport **ret) {
        Transport *transport _cleanup_(transport_freep) = calloc(1, sizeof(*transport));
        AgentPoolLimits pool_limits = agent_limits(limits);
        int r;

        if (!transport || !(transport->name = str_dup(name)))
                return -ENOMEM;
        transport->limits = *limits;
        transport->outcome = outcome;
        transport->userdata = userdata;
        r = sd_event_add_defer(event, &transport->fail_waiting, on_fail_waiting, transport);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(transport->fail_waiting, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = agent_pool_new(event, name, transport->name, &pool_limits, &pool_handler, transport,
                           &transport->pool);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(transport);
        return 0;
}

Transport *transport_free(Transport *transport) {
        Destination *destination, *next;
        Run *run, *next_run;

        if (!transport)
                return NULL;
        agent_pool_free(transport->pool);
        DL_FOREACH_SAFE(transport->runs, run, next_run) {
                free_entries(run->entries);
                free(run);
        }
        HASH_ITER(hh, transport->destinations, destination, next)
                destination_free(destination);
        sd_event_source_disable_unref(transport->fail_waiting);
        free(transport->name);
        free(transport);
        return NULL;
}

const char *transport_name(const Transport *transport) {
        return transport->name;
}

/*
 * Where each recipient is a destination, all spellings of one mailbox are the same: otherwise a
 * user who keeps his mailbox locked could hold all agents by "Jo", "jO", "\"jo\"" ... (RFC 5321
 * 4.1.2 and 2.4: quotes mean nothing, and no deliverer of ours looks at case). Lookalikes that
 * share a destination without need only take turns.
 */
static int append_key(const Transport *transport, Str nexthop, Str address, Buf *ret) {
        Str local, domain;

        if (transport->limits.destination_recipients != 1)
                return buf_append_str(ret, nexthop);
        (void)address_split(address, &local, &domain);
        (void)address_unquote_local(local, ret);
        (void)buf_append_char(ret, '@');
        (void)buf_append_str(ret, nexthop);
        for (size_t i = 0; i < ret->len; i++)
                ret->data[i] = ascii_to_lower(ret->data[i]);
        return ret->error;
}

int transport_add(Transport *transport, Str nexthop, Entry *entry) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(2 * ENVELOPE_ADDRESS_MAX + 1);
        Destination *destination;
        Str key;

        if (append_key(transport, nexthop, entry->recipient.address, &text) != 0)
                return -ENOMEM;
        key = text.len > 0 ? buf_str(&text) : STR("");
        destination = destination_get(transport, key, nexthop);
        if (!destination)
                return -ENOMEM;
        DL_APPEND(destination->waiting, entry);
        destination_update(destination);
        pump(transport);
        return 0;
}

void transport_set_limits(Transport *transport, const TransportLimits *limits) {
        AgentPoolLimits pool_limits = agent_limits(limits);

        transport->limits = *limits;
        agent_pool_set_limits(transport->pool, &pool_limits);
}

void transport_drain(Transport *transport) {
        transport->is_draining = true;
}

unsigned transport_n_running(const Transport *transport) {
        return transport->n_running;
}

void transport_revive(Transport *transport) {
        agent_pool_revive(transport->pool);
}
