/* common/role/role-pool: what workers and their supervisor tell each other. */

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "common/role/role-pool.h"
#include "tests/unit/unit.h"

/* Was the supervisor woken since the last look? */
static bool was_woken(const RolePool *pool) {
        eventfd_t count;

        return eventfd_read(pool->wake_fd, &count) == 0;
}

/* N workers in the states of the letters: i idle, b busy, l leaving, f free. */
static RolePool *pool_with(const char *states) {
        RolePool *pool;

        ck_assert_int_eq(role_pool_new(strlen(states), &pool), 0);
        for (size_t i = 0; states[i]; i++) {
                pool->pids[i] = states[i] == 'f' ? 0 : (pid_t)(1000 + i);
                if (states[i] == 'i')
                        role_pool_set_idle(pool, i);
                else if (states[i] == 'l')
                        role_pool_set_leaving(pool, i);
                else if (states[i] == 'b')
                        role_pool_set_busy(pool, i);
        }
        (void)was_woken(pool);
        return pool;
}

START_TEST(only_the_last_idle_worker_wakes_and_only_for_a_free_slot) {
        static const struct {
                const char *states; /* worker 0 turns busy */
                bool wakes;
        } rows[] = {
                { "if", true },   { "iif", false }, { "ibf", true }, { "ibb", false },
                { "ilf", true },  { "ffi", false }, { "lf", true },  { "bff", false },
                { "ifff", true }, { "i", false },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                RolePool *pool = pool_with(rows[i].states);

                role_pool_set_busy(pool, 0);
                ck_assert_msg(was_woken(pool) == rows[i].wakes, "%s", rows[i].states);
                role_pool_free(pool);
        }
}
END_TEST

START_TEST(last_idle_worker_stays_while_others_are_busy) {
        static const struct {
                const char *states; /* may worker 0 go? */
                bool may_go;
        } rows[] = {
                { "i", true },   { "if", true },   { "ii", true },
                { "ib", false }, { "iib", true },  { "ilb", false },
                { "il", true },  { "ibbi", true }, { "iff", true },
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                RolePool *pool = pool_with(rows[i].states);

                ck_assert_msg(role_pool_can_spare(pool, 0) == rows[i].may_go, "%s", rows[i].states);
                role_pool_free(pool);
        }
}
END_TEST

START_TEST(connections_of_a_uid_are_counted_over_all_workers) {
        RolePool *pool = pool_with("bbbb");

        ck_assert(role_pool_add_peer(pool, 0, 7, 2));
        ck_assert(role_pool_add_peer(pool, 1, 7, 2));
        ck_assert(role_pool_add_peer(pool, 2, 8, 2));
        ck_assert(!role_pool_add_peer(pool, 3, 7, 2));
        role_pool_remove_peer(pool, 3);
        role_pool_remove_peer(pool, 0);
        ck_assert(role_pool_add_peer(pool, 3, 7, 2));
        ck_assert(role_pool_add_peer(pool, 0, 7, 0)); /* no limit */
        role_pool_free(pool);
}
END_TEST

START_TEST(processes_share_the_page) {
        RolePool *pool = pool_with("iif");
        RolePoolCounts counts;
        eventfd_t count;
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                role_pool_set_busy(pool, 0);
                role_pool_set_busy(pool, 1);
                atomic_fetch_add(&pool->page->slots[1].n_served, 5);
                _exit(atomic_load(&pool->page->is_retired) ? 1 : 0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        counts = role_pool_count(pool);
        ck_assert_uint_eq(counts.n_workers, 2);
        ck_assert_uint_eq(counts.n_busy, 2);
        ck_assert_uint_eq(counts.n_idle, 0);
        ck_assert_uint_eq(counts.n_served, 5);
        ck_assert(was_woken(pool));
        role_pool_retire(pool);
        pid = fork();
        if (pid == 0)
                _exit(atomic_load(&pool->page->is_retired) ? 0 : 1);
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(eventfd_read(pool->retire_fd, &count), 0);
        role_pool_free(pool);
}
END_TEST

int main(void) {
        return unit_main("role-pool", only_the_last_idle_worker_wakes_and_only_for_a_free_slot,
                         last_idle_worker_stays_while_others_are_busy,
                         connections_of_a_uid_are_counted_over_all_workers,
                         processes_share_the_page, NULL);
}
