/*
 * One Waiter for each recipient that waits. The usual recipient needs none, so one is kept at hand,
 * whose answers are lent to each recipient in turn; only when a table has to be waited for is it
 * given away.
 */

#include "services/qmgr/routing.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/mail/envelope.h"

typedef struct Waiter {
        Routing *routing;
        TableAnswers *answers;
        Entry *entry;
        struct Waiter *prev, *next;
} Waiter;

struct Routing {
        const ResolveRules *rules;
        const RoutingHandler *handler;
        void *userdata;
        Waiter *spare;
        Waiter *waiters;
        unsigned n_waiters;
        Buf text;
};

static Waiter *waiter_free(Waiter *waiter) {
        if (!waiter)
                return NULL;
        table_answers_free(waiter->answers);
        entry_free(waiter->entry);
        free(waiter);
        return NULL;
}
DEFINE_CLEANUP(Waiter, waiter_free)

int routing_new(const ResolveRules *rules, const RoutingHandler *handler, void *userdata,
                Routing **ret) {
        Routing *routing = calloc(1, sizeof(*routing));

        if (!routing)
                return -ENOMEM;
        *routing = (Routing){
                .rules = rules,
                .handler = handler,
                .userdata = userdata,
                .text = BUF_INIT(2 * ENVELOPE_ADDRESS_MAX),
        };
        *ret = routing;
        return 0;
}

Routing *routing_free(Routing *routing) {
        Waiter *waiter, *next;

        if (!routing)
                return NULL;
        DL_FOREACH_SAFE(routing->waiters, waiter, next)
                waiter_free(waiter);
        waiter_free(routing->spare);
        buf_deinit(&routing->text);
        free(routing);
        return NULL;
}

unsigned routing_n_waiting(const Routing *routing) {
        return routing->n_waiters;
}

/* RESOLVE_E_WAIT, or the handler has ENTRY. */
static int resolve(Routing *routing, TableAnswers *answers, Entry *entry) {
        ResolveRoute route;
        int r = resolve_recipient(routing->rules, entry->recipient.address, answers, &routing->text,
                                  &route);

        if (r == 0)
                routing->handler->routed(routing->userdata, entry, &route);
        else if (r != RESOLVE_E_WAIT)
                routing->handler->failed(routing->userdata, entry, r, buf_str(&routing->text));
        return r;
}

static void on_ready(void *userdata) {
        Waiter *waiter = userdata;
        Routing *routing = waiter->routing;
        Entry *entry = TAKE_PTR(waiter->entry);

        DL_DELETE(routing->waiters, waiter);
        routing->n_waiters--;
        if (resolve(routing, waiter->answers, entry) != RESOLVE_E_WAIT) {
                waiter_free(waiter);
                return;
        }
        waiter->entry = entry;
        DL_APPEND(routing->waiters, waiter);
        routing->n_waiters++;
}

static int make_spare(Routing *routing) {
        _cleanup_(waiter_freep) Waiter *waiter = NULL;
        int r;

        if (routing->spare)
                return 0;
        waiter = calloc(1, sizeof(*waiter));
        if (!waiter)
                return -ENOMEM;
        waiter->routing = routing;
        r = table_answers_new(on_ready, waiter, &waiter->answers);
        if (r == 0)
                routing->spare = TAKE_PTR(waiter);
        return r;
}

void routing_add(Routing *routing, Entry *entry) {
        Waiter *waiter;
        int r = make_spare(routing);

        if (r < 0) {
                routing->handler->failed(routing->userdata, entry, r, STR_NULL);
                return;
        }
        if (resolve(routing, routing->spare->answers, entry) != RESOLVE_E_WAIT) {
                table_answers_reset(routing->spare->answers);
                return;
        }
        waiter = TAKE_PTR(routing->spare);
        waiter->entry = entry;
        DL_APPEND(routing->waiters, waiter);
        routing->n_waiters++;
}
