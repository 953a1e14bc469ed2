#include "services/qmgr/agent-pool.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/role/ipc-channel.h"

#define HELLO_TIMEOUT_USEC (30 * USEC_PER_SEC)
#define IDLE_CLOSE_USEC    (3 * USEC_PER_SEC) /* agents close after 5 s: we always go first */
#define BUSY_RETRY_USEC    (200 * USEC_PER_MSEC)
#define NOT_TAKEN_MAX      20 /* new connections in a row that take no request */
#define REQUEST_MAX_BYTES  (16 * 1024 * 1024)

typedef enum AgentState {
        AGENT_CONNECTING,
        AGENT_FREE,
        AGENT_WORKING,
} AgentState;

typedef struct Agent {
        AgentPool *pool;
        IpcChannel *channel;
        AgentState state;
        bool has_served; /* a whole request */
        void *work;
        usec_t free_since_usec; /* monotonic */
        struct Agent *prev, *next;
} Agent;

struct AgentPool {
        sd_event *event;
        char *service;
        char *role;
        AgentPoolLimits limits;
        const AgentPoolHandler *handler;
        void *userdata;
        Agent *agents;
        unsigned n_agents;
        unsigned n_connecting;
        unsigned n_wanted;
        unsigned n_not_taken;   /* by new connections, since the last whole answer */
        usec_t dead_until_usec; /* monotonic; 0: alive */
        usec_t busy_until_usec; /* monotonic; do not connect before */
        usec_t ailing_usec;     /* monotonic; since when no connection got its hello; 0: well */
        sd_event_source *pump;  /* runs offer_work() from the loop */
        sd_event_source *timer; /* closes free connections; ends a busy pause */
};

static Agent *agent_free(Agent *agent) {
        if (!agent)
                return NULL;
        if (agent->state == AGENT_CONNECTING)
                agent->pool->n_connecting--;
        DL_DELETE(agent->pool->agents, agent);
        agent->pool->n_agents--;
        ipc_channel_free(agent->channel);
        free(agent);
        return NULL;
}

/* Let the timer run out in AFTER_USEC, or earlier where it is set so. */
static void arm_timer(AgentPool *pool, usec_t after_usec) {
        usec_t at = usec_add(clock_monotonic_usec(), after_usec), armed = 0;
        int enabled = SD_EVENT_OFF;

        (void)sd_event_source_get_enabled(pool->timer, &enabled);
        (void)sd_event_source_get_time(pool->timer, &armed);
        if (enabled != SD_EVENT_OFF && armed <= at)
                return;
        (void)sd_event_source_set_time(pool->timer, at);
        (void)sd_event_source_set_enabled(pool->timer, SD_EVENT_ONESHOT);
}

static void agent_offer(Agent *agent) {
        AgentPool *pool = agent->pool;
        Buf request _cleanup_(buf_deinit) = BUF_INIT(REQUEST_MAX_BYTES);
        int fd = -1;

        agent->work = pool->handler->next(pool->userdata, &request, &fd);
        if (!agent->work) {
                agent->free_since_usec = clock_monotonic_usec();
                arm_timer(pool, IDLE_CLOSE_USEC);
                return;
        }
        agent->state = AGENT_WORKING;
        if (ipc_channel_request(agent->channel, &request, fd, pool->limits.answer_usec) < 0) {
                void *work = TAKE_PTR(agent->work);

                agent_free(agent);
                pool->handler->done(pool->userdata, work, -ENOMEM);
        }
}

static void on_ready(void *userdata) {
        Agent *agent = userdata;
        AgentPool *pool = agent->pool;
        void *work = TAKE_PTR(agent->work);

        if (agent->state == AGENT_CONNECTING)
                pool->n_connecting--;
        pool->ailing_usec = 0;
        agent->state = AGENT_FREE;
        if (work) {
                agent->has_served = true;
                pool->n_not_taken = 0;
                pool->handler->done(pool->userdata, work, 0);
        }
        agent_offer(agent);
}

static void on_message(void *userdata, Str payload) {
        Agent *agent = userdata;
        AgentPool *pool = agent->pool;

        if (agent->work && pool->handler->answer(pool->userdata, agent->work, payload))
                return;
        /* Whoever answers nonsense is not asked again on this connection. */
        void *work = TAKE_PTR(agent->work);

        agent_free(agent);
        if (work)
                pool->handler->done(pool->userdata, work, IPC_E_PROTOCOL);
        agent_pool_pump(pool, pool->n_wanted);
}

/* What need not be the service's end: it may be well in a moment. */
static bool may_pass(int reason) {
        switch (reason) {
        case IPC_E_BUSY:   /* a full backlog */
        case IPC_E_CLOSED: /* it went away while we waited for its hello; PID 1 starts it anew */
        case IPC_E_TIMEOUT:
        case -EMFILE: /* the lack is ours */
        case -ENFILE:
        case -ENOBUFS:
        case -ENOMEM:
                return true;
        default:
                return false;
        }
}

/*
 * While other workers of the service answer, it is not dead but has no worker left for us. Without
 * them, what may pass is worth another try for as long as a hello may take. All else is death.
 */
static bool is_worth_a_try(AgentPool *pool, int reason, usec_t now) {
        if (!may_pass(reason))
                return false;
        if (pool->n_agents > pool->n_connecting)
                return true;
        if (pool->ailing_usec == 0)
                pool->ailing_usec = now;
        return reason != IPC_E_TIMEOUT && usec_sub(now, pool->ailing_usec) < HELLO_TIMEOUT_USEC;
}

static void connect_failed(AgentPool *pool, int reason) {
        usec_t now = clock_monotonic_usec();

        if (agent_pool_is_dead(pool))
                return;
        if (is_worth_a_try(pool, reason, now)) {
                pool->busy_until_usec = usec_add(now, BUSY_RETRY_USEC);
                agent_pool_pump(pool, pool->n_wanted);
                return;
        }
        pool->ailing_usec = 0;
        pool->dead_until_usec = usec_add(now, pool->limits.retry_usec);
        pool->n_wanted = 0;
        pool->handler->dead(pool->userdata, reason);
}

/*
 * A kept connection that did not take a request was closed meanwhile: the request is made again. A
 * service whose workers say hello and go, one after the other, would have us do that for ever.
 */
static int judge_not_taken(const Agent *agent) {
        AgentPool *pool = agent->pool;

        if (agent->has_served)
                return IPC_E_NOT_TAKEN;
        if (pool->n_not_taken >= NOT_TAKEN_MAX)
                return IPC_E_CLOSED;
        pool->n_not_taken++;
        return IPC_E_NOT_TAKEN;
}

static void on_close(void *userdata, int reason) {
        Agent *agent = userdata;
        AgentPool *pool = agent->pool;
        bool connecting = agent->state == AGENT_CONNECTING;
        void *work = TAKE_PTR(agent->work);

        if (work && reason == IPC_E_NOT_TAKEN)
                reason = judge_not_taken(agent);
        agent_free(agent);
        if (work)
                pool->handler->done(pool->userdata, work, reason);
        if (connecting)
                connect_failed(pool, reason);
        else
                agent_pool_pump(pool, pool->n_wanted);
}

static const IpcChannelHandler channel_handler = {
        .on_ready = on_ready,
        .on_message = on_message,
        .on_close = on_close,
};

static int agent_new(AgentPool *pool) {
        Agent *agent = calloc(1, sizeof(*agent));
        int r;

        if (!agent)
                return -ENOMEM;
        agent->pool = pool;
        agent->state = AGENT_CONNECTING;
        DL_APPEND(pool->agents, agent);
        pool->n_agents++;
        pool->n_connecting++;
        r = ipc_channel_new(pool->event, pool->service, pool->role, HELLO_TIMEOUT_USEC,
                            &channel_handler, agent, &agent->channel);
        if (r < 0)
                agent_free(agent);
        return r;
}

/*
 * Open what is wanted and allowed. Where that has to wait, the timer comes back to it: nobody else
 * might, and the work would wait for ever.
 */
static void open_connections(AgentPool *pool) {
        usec_t now = clock_monotonic_usec();

        while (!agent_pool_is_dead(pool) && pool->n_connecting < pool->n_wanted &&
               pool->n_agents < pool->limits.connections) {
                if (now < pool->busy_until_usec) {
                        arm_timer(pool, usec_sub(pool->busy_until_usec, now));
                        return;
                }
                if (agent_new(pool) < 0)
                        pool->busy_until_usec = usec_add(now, BUSY_RETRY_USEC);
        }
}

static int on_pump(sd_event_source *source, void *userdata) {
        AgentPool *pool = userdata;
        Agent *agent, *next;

        DL_FOREACH_SAFE(pool->agents, agent, next) {
                if (pool->n_wanted == 0)
                        return 0;
                if (agent->state == AGENT_FREE)
                        agent_offer(agent);
        }
        open_connections(pool);
        return 0;
}

static int on_timer(sd_event_source *source, usec_t usec, void *userdata) {
        AgentPool *pool = userdata;
        usec_t now = clock_monotonic_usec();
        Agent *agent, *next;
        bool more = false;

        DL_FOREACH_SAFE(pool->agents, agent, next) {
                if (agent->state != AGENT_FREE)
                        continue;
                if (usec_sub(now, agent->free_since_usec) >= IDLE_CLOSE_USEC)
                        agent_free(agent);
                else
                        more = true;
        }
        if (more)
                arm_timer(pool, IDLE_CLOSE_USEC);
        agent_pool_pump(pool, pool->n_wanted);
        return 0;
}

int agent_pool_new(sd_event *event, Str service, const char *role, const AgentPoolLimits *limits,
                   const AgentPoolHandler *handler, void *userdata, AgentPool **ret) {
        AgentPool *pool _cleanup_(agent_pool_freep) = calloc(1, sizeof(*pool));
        int r;

        if (!pool)
                return -ENOMEM;
        pool->event = sd_event_ref(event);
        pool->service = str_dup(service);
        pool->role = str_dup(str_from_cstr(role));
        pool->limits = *limits;
        pool->handler = handler;
        pool->userdata = userdata;
        if (!pool->service || !pool->role)
                return -ENOMEM;
        r = sd_event_add_defer(event, &pool->pump, on_pump, pool);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(pool->pump, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &pool->timer, CLOCK_MONOTONIC, 0, 10 * USEC_PER_MSEC, on_timer,
                              pool);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(pool->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(pool);
        return 0;
}

AgentPool *agent_pool_free(AgentPool *pool) {
        if (!pool)
                return NULL;
        while (pool->agents)
                agent_free(pool->agents);
        sd_event_source_disable_unref(pool->pump);
        sd_event_source_disable_unref(pool->timer);
        sd_event_unref(pool->event);
        free(pool->service);
        free(pool->role);
        free(pool);
        return NULL;
}

void agent_pool_set_limits(AgentPool *pool, const AgentPoolLimits *limits) {
        pool->limits = *limits;
}

void agent_pool_pump(AgentPool *pool, unsigned n_wanted) {
        pool->n_wanted = n_wanted;
        if (n_wanted > 0)
                (void)sd_event_source_set_enabled(pool->pump, SD_EVENT_ONESHOT);
}

bool agent_pool_is_dead(AgentPool *pool) {
        if (pool->dead_until_usec > 0 && clock_monotonic_usec() >= pool->dead_until_usec)
                pool->dead_until_usec = 0;
        return pool->dead_until_usec > 0;
}

void agent_pool_revive(AgentPool *pool) {
        pool->dead_until_usec = 0;
}
