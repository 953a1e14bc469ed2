#include "common/role/role-pool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_bytes(size_t n_slots) {
        return sizeof(RolePoolPage) + n_slots * sizeof(RoleSlot);
}

int role_pool_new(size_t n_slots, RolePool **ret) {
        _cleanup_(role_pool_freep) RolePool *pool = calloc(1, sizeof(*pool));
        void *page;

        if (!pool)
                return -ENOMEM;
        *pool = (RolePool){ .n_slots = n_slots, .wake_fd = -1, .retire_fd = -1, .baton_fd = -1 };
        pool->pids = calloc(n_slots, sizeof(*pool->pids));
        if (!pool->pids)
                return -ENOMEM;
        page = mmap(NULL, page_bytes(n_slots), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                    -1, 0);
        if (page == MAP_FAILED)
                return -errno;
        pool->page = page;
        pool->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        pool->retire_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        pool->baton_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE);
        if (pool->wake_fd < 0 || pool->retire_fd < 0 || pool->baton_fd < 0)
                return -errno;
        *ret = TAKE_PTR(pool);
        return 0;
}

RolePool *role_pool_free(RolePool *pool) {
        if (!pool)
                return NULL;
        if (pool->page)
                (void)munmap(pool->page, page_bytes(pool->n_slots));
        fd_closep(&pool->wake_fd);
        fd_closep(&pool->retire_fd);
        fd_closep(&pool->baton_fd);
        free(pool->pids);
        free(pool);
        return NULL;
}

void role_pool_retire(RolePool *pool) {
        atomic_store(&pool->page->is_retired, true);
        (void)!eventfd_write(pool->retire_fd, 1);
}

void role_pool_set_idle(RolePool *pool, size_t slot) {
        atomic_store(&pool->page->slots[slot].state, ROLE_SLOT_IDLE);
}

/* All stores and loads are sequentially consistent: of two that turn busy at once, one sees it. */
void role_pool_set_busy(RolePool *pool, size_t slot) {
        bool has_free = false;

        if (atomic_exchange(&pool->page->slots[slot].state, ROLE_SLOT_BUSY) == ROLE_SLOT_BUSY)
                return;
        for (size_t i = 0; i < pool->n_slots; i++)
                switch (atomic_load(&pool->page->slots[i].state)) {
                case ROLE_SLOT_IDLE:
                        return;
                case ROLE_SLOT_FREE:
                        has_free = true;
                        break;
                default:
                        break;
                }
        if (has_free)
                (void)!eventfd_write(pool->wake_fd, 1);
}

void role_pool_set_leaving(RolePool *pool, size_t slot) {
        atomic_store(&pool->page->slots[slot].state, ROLE_SLOT_LEAVING);
}

bool role_pool_can_spare(const RolePool *pool, size_t slot) {
        bool others_are_busy = false;

        for (size_t i = 0; i < pool->n_slots; i++) {
                uint32_t state = atomic_load(&pool->page->slots[i].state);

                if (i == slot)
                        continue;
                if (state == ROLE_SLOT_IDLE)
                        return true;
                others_are_busy |= state == ROLE_SLOT_BUSY;
        }
        return !others_are_busy;
}

bool role_pool_add_peer(RolePool *pool, size_t slot, uid_t uid, unsigned limit) {
        unsigned n = 0;

        atomic_store(&pool->page->slots[slot].peer_uid, uid);
        atomic_store(&pool->page->slots[slot].has_peer, true);
        if (limit == 0)
                return true;
        for (size_t i = 0; i < pool->n_slots; i++)
                if (atomic_load(&pool->page->slots[i].has_peer) &&
                    atomic_load(&pool->page->slots[i].peer_uid) == uid)
                        n++;
        return n <= limit;
}

void role_pool_remove_peer(RolePool *pool, size_t slot) {
        atomic_store(&pool->page->slots[slot].has_peer, false);
}

RolePoolCounts role_pool_count(const RolePool *pool) {
        RolePoolCounts counts = { 0 };

        for (size_t i = 0; i < pool->n_slots; i++) {
                uint32_t state = atomic_load(&pool->page->slots[i].state);

                counts.n_workers += pool->pids[i] > 0;
                counts.n_idle += state == ROLE_SLOT_IDLE;
                counts.n_busy += state == ROLE_SLOT_BUSY;
                counts.n_served += atomic_load(&pool->page->slots[i].n_served);
        }
        return counts;
}

size_t role_pool_find_free(const RolePool *pool) {
        for (size_t i = 0; i < pool->n_slots; i++)
                if (pool->pids[i] == 0)
                        return i;
        return pool->n_slots;
}
