#pragma once

/*
 * What the worker processes of one service share: a page with one slot for each, and three
 * descriptors. The supervisor makes a pool per configuration (a reload makes a new one and lets
 * the old one's workers finish).
 *
 *   state of a slot   who sets it
 *   FREE              supervisor, when the worker has ended
 *   IDLE              supervisor before the fork; worker when it waits for a new connection
 *   BUSY              worker when it took a connection, or a request on a kept one
 *   LEAVING           worker that had nothing to do and is about to end
 *
 * The worker that turns busy as the last idle one wakes the supervisor, which forks one more. So
 * there is always a spare, and a request costs no wake-up of the supervisor and no fork.
 * Pure but for the write that wakes.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/macro.h"

typedef enum RoleSlotState {
        ROLE_SLOT_FREE,
        ROLE_SLOT_IDLE,
        ROLE_SLOT_BUSY,
        ROLE_SLOT_LEAVING,
} RoleSlotState;

typedef struct RoleSlot {
        _Atomic uint32_t state; /* RoleSlotState */
        atomic_bool has_peer;   /* a connection is open, of PEER_UID */
        _Atomic uid_t peer_uid;
        _Atomic uint64_t n_served;
} RoleSlot;

typedef struct RolePoolPage {
        atomic_bool is_retired; /* workers finish what they have in hand and go */
        RoleSlot slots[];
} RolePoolPage;

typedef struct RolePool {
        RolePoolPage *page; /* shared memory */
        pid_t *pids;        /* the supervisor's own: what workers cannot change */
        size_t n_slots;
        int wake_fd;   /* eventfd: to the supervisor, "no spare left" */
        int retire_fd; /* eventfd: readable for ever once the pool is retired */
        int baton_fd;  /* eventfd: to one idle worker, "look at the listeners for me" */
        struct RolePool *next;
} RolePool;

/* 0 or negative errno. */
int role_pool_new(size_t n_slots, RolePool **ret);
RolePool *role_pool_free(RolePool *pool);
DEFINE_CLEANUP(RolePool, role_pool_free)

/* Tell the workers to finish and go. */
void role_pool_retire(RolePool *pool);

/* For a worker in SLOT. Busy wakes the supervisor when no idle worker is left but a free slot. */
void role_pool_set_idle(RolePool *pool, size_t slot);
void role_pool_set_busy(RolePool *pool, size_t slot);
void role_pool_set_leaving(RolePool *pool, size_t slot);

/* May the worker in SLOT go for want of work? Not the last idle one while others are busy. */
bool role_pool_can_spare(const RolePool *pool, size_t slot);

/* Note the connection in SLOT; false when UID has more than LIMIT now (0: no limit). */
bool role_pool_add_peer(RolePool *pool, size_t slot, uid_t uid, unsigned limit);
void role_pool_remove_peer(RolePool *pool, size_t slot);

/* For the supervisor. */
typedef struct RolePoolCounts {
        size_t n_workers;
        size_t n_idle;
        size_t n_busy;
        uint64_t n_served;
} RolePoolCounts;
RolePoolCounts role_pool_count(const RolePool *pool);

/* A free slot, or n_slots. */
size_t role_pool_find_free(const RolePool *pool);
