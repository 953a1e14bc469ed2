#pragma once

/*
 * qmgr's connections to one service of workers: opened as far as there is work, kept while there
 * is more, closed after 3 s without. Knows nothing of what is asked: the owner fills a request
 * and is given the answer.
 *
 * A service that refuses, or says no hello in 30 s, is dead for retry_usec: dead() is called once
 * and nothing is tried before that time is over. A full backlog is no death, nor a missing hello
 * while other workers of the service answer: it is tried again in a moment.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/base/str.h"

typedef struct AgentPool AgentPool;

/*
 * All are called from the event loop only, never from inside agent_pool_pump(). WORK is the
 * owner's, whatever next() returned.
 */
typedef struct AgentPoolHandler {
        /*
         * A connection is free: append a whole request to REQUEST (ends in END), set *RET_FD (-1:
         * none; taken over), and return the work; NULL when there is none (any more).
         */
        void *(*next)(void *userdata, Buf *request, int *ret_fd);
        /* One MESSAGE of the answer. False: it makes no sense, the connection is closed. */
        bool (*answer)(void *userdata, void *work, Str payload);
        /*
         * The answer is complete (REASON 0), or the connection is over before (IPC_E_*, -errno).
         * IPC_E_NOT_TAKEN: nobody has seen the request, it may be made again at once.
         */
        void (*done)(void *userdata, void *work, int reason);
        /* The service is dead from now on; agent_pool_is_dead() says so already. */
        void (*dead)(void *userdata, int reason);
} AgentPoolHandler;

typedef struct AgentPoolLimits {
        unsigned connections;
        usec_t retry_usec;  /* how long dead is dead */
        usec_t answer_usec; /* longest time for one answer */
} AgentPoolLimits;

/* SERVICE is the socket's name in /run/unitpost, ROLE who must say hello there. Both copied. */
int agent_pool_new(sd_event *event, Str service, const char *role, const AgentPoolLimits *limits,
                   const AgentPoolHandler *handler, void *userdata, AgentPool **ret);
AgentPool *agent_pool_free(AgentPool *pool);
DEFINE_CLEANUP(AgentPool, agent_pool_free)

/* For what is done from now on. */
void agent_pool_set_limits(AgentPool *pool, const AgentPoolLimits *limits);

/*
 * N_WANTED requests are waiting to be made: use free connections (from the loop, right after
 * this) and open more within the limit. Cheap; call it whenever that number changes, next()
 * included.
 */
void agent_pool_pump(AgentPool *pool, unsigned n_wanted);

/* False again when the time is over, or after agent_pool_revive() (a flush). */
bool agent_pool_is_dead(AgentPool *pool);
void agent_pool_revive(AgentPool *pool);
