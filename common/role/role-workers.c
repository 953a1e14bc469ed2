/*
 * The supervisor of a service of workers. It accepts nothing and reads nothing from strangers: it
 * forks workers, sees them end, and decides whether another one is due. All decisions are in
 * supervisor_balance(), which is called after every event:
 *
 *   workers   idle   busy   what
 *   0         0      0      somebody waits at a listener: fork; nobody: STOPPING=1, exit
 *   some      0      some   fork one more, up to default_process_limit
 *   some      0      0      nothing: they are about to end, and tell by that
 *   some      some   any    nothing; but when a worker woke us because it turned busy as the last
 *                           idle one, fork: it may be idle again by now, and would wake us at
 *                           each of its requests
 *
 * After a crash a replacement is forked in any case (the service is in use), unless no request was
 * served since the crash before: then the table above holds, with at most one fork a second.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-pool.h"
#include "common/role/role-process.h"
#include "common/role/role-worker.h"

#define CRASH_PAUSE_USEC   USEC_PER_SEC
#define STATUS_PERIOD_USEC (5 * USEC_PER_SEC)

typedef struct Supervisor {
        RoleProcess *process;
        RolePool *pool;    /* takes new connections */
        RolePool *retired; /* list: of configurations before, until their workers are gone */
        sd_event_source *wake_source;
        sd_event_source *timer; /* when balancing was put off */
        sd_event_source *status_timer;
        usec_t spawned_usec; /* monotonic; last fork */
        uint64_t n_served_at_crash;
        uint64_t n_served_told; /* in the last status by the timer */
        bool is_paced;          /* no request was served between the last two crashes */
        bool spawn_is_due;      /* a replacement after a crash */
        bool was_woken;         /* there was a moment without an idle worker */
        bool is_stopping;
} Supervisor;

static void supervisor_balance(Supervisor *supervisor);

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        supervisor_balance(userdata);
        return 0;
}

/* Balance again at AT. */
static void supervisor_postpone(Supervisor *supervisor, usec_t at_usec) {
        int r;

        if (!supervisor->timer) {
                r = sd_event_add_time(supervisor->process->env.event, &supervisor->timer,
                                      CLOCK_MONOTONIC, at_usec, 1, on_timer, supervisor);
        } else {
                r = sd_event_source_set_time(supervisor->timer, at_usec);
                if (r >= 0)
                        r = sd_event_source_set_enabled(supervisor->timer, SD_EVENT_ONESHOT);
        }
        if (r < 0)
                (void)sd_event_exit(supervisor->process->env.event, ROLE_EXIT_FAILURE);
}

static int on_wake(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Supervisor *supervisor = userdata;
        eventfd_t count;

        (void)!eventfd_read(fd, &count);
        supervisor->was_woken = true;
        supervisor_balance(supervisor);
        supervisor->was_woken = false;
        return 0;
}

/* A pool for the present configuration; an earlier one is retired. */
static int supervisor_new_pool(Supervisor *supervisor) {
        RoleProcess *process = supervisor->process;
        _cleanup_(role_pool_freep) RolePool *pool = NULL;
        sd_event_source *wake_source = NULL;
        int r;

        r = role_pool_new((size_t)config_int(process->env.config, PARAM_default_process_limit),
                          &pool);
        if (r < 0)
                return r;
        r = sd_event_add_io(process->env.event, &wake_source, pool->wake_fd, EPOLLIN, on_wake,
                            supervisor);
        if (r < 0)
                return r;
        (void)sd_event_source_disable_unref(supervisor->wake_source);
        supervisor->wake_source = wake_source;
        if (supervisor->pool) {
                role_pool_retire(supervisor->pool);
                supervisor->pool->next = supervisor->retired;
                supervisor->retired = supervisor->pool;
        }
        supervisor->pool = TAKE_PTR(pool);
        return 0;
}

/* ---- forking ---- */

static void supervisor_spawn(Supervisor *supervisor) {
        RolePool *pool = supervisor->pool;
        size_t slot = role_pool_find_free(pool);
        pid_t pid;

        if (slot == pool->n_slots)
                return;
        supervisor->spawned_usec = clock_monotonic_usec();
        supervisor->spawn_is_due = false;
        role_pool_set_idle(pool, slot);
        pid = fork();
        if (pid == 0) {
                int status = role_worker_run(supervisor->process, pool, slot);

                log_close();
                exit(status);
        }
        if (pid > 0) {
                pool->pids[slot] = pid;
                return;
        }
        log_error(LOG_ID_START_FAILED, "fork: %m");
        atomic_store(&pool->page->slots[slot].state, ROLE_SLOT_FREE);
        supervisor->is_paced = true;
        supervisor_postpone(supervisor, supervisor->spawned_usec + CRASH_PAUSE_USEC);
}

/* Fork now, or later when workers crash one after the other. */
static void supervisor_spawn_paced(Supervisor *supervisor, const RolePoolCounts *counts) {
        usec_t at = supervisor->spawned_usec + CRASH_PAUSE_USEC;

        if (counts->n_served > supervisor->n_served_at_crash)
                supervisor->is_paced = false;
        if (supervisor->is_paced && clock_monotonic_usec() < at)
                supervisor_postpone(supervisor, at);
        else
                supervisor_spawn(supervisor);
}

/* ---- what is to be done now? ---- */

static void supervisor_exit(Supervisor *supervisor) {
        role_notify_stopping(supervisor->process->notify);
        (void)sd_event_exit(supervisor->process->env.event, ROLE_EXIT_OK);
}

static void supervisor_free_retired(Supervisor *supervisor) {
        for (RolePool **p = &supervisor->retired; *p;) {
                RolePool *pool = *p;

                if (role_pool_count(pool).n_workers > 0) {
                        p = &pool->next;
                        continue;
                }
                *p = pool->next;
                role_pool_free(pool);
        }
}

/* No worker is left: stay only if somebody waits. */
static void supervisor_end_if_idle(Supervisor *supervisor, const RolePoolCounts *counts) {
        usec_t soonest = supervisor->process->started_usec + ROLE_LIFE_MIN_USEC;

        if (role_listeners_have_input(supervisor->process))
                supervisor_spawn_paced(supervisor, counts);
        else if (supervisor->retired)
                return; /* their end comes by SIGCHLD */
        else if (clock_monotonic_usec() < soonest)
                supervisor_postpone(supervisor, soonest);
        else
                supervisor_exit(supervisor);
}

static void supervisor_tell(Supervisor *supervisor, const RolePoolCounts *counts) {
        role_set_status(&supervisor->process->env, "%zu workers, %zu idle, %llu requests served",
                        counts->n_workers, counts->n_idle, (unsigned long long)counts->n_served);
}

/*
 * Requests do not wake the supervisor, so it looks by itself, as often as a status may be told: a
 * service that has nothing to do is gone after a few looks.
 */
static int on_status_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Supervisor *supervisor = userdata;
        RolePoolCounts counts = role_pool_count(supervisor->pool);
        int r;

        if (supervisor->is_stopping)
                return 0;
        if (counts.n_served != supervisor->n_served_told)
                supervisor_tell(supervisor, &counts);
        supervisor->n_served_told = counts.n_served;
        r = sd_event_source_set_time_relative(source, STATUS_PERIOD_USEC);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void supervisor_balance(Supervisor *supervisor) {
        RolePoolCounts counts = role_pool_count(supervisor->pool);

        supervisor_free_retired(supervisor);
        if (supervisor->is_stopping) {
                if (counts.n_workers == 0 && !supervisor->retired)
                        (void)sd_event_exit(supervisor->process->env.event, ROLE_EXIT_OK);
                return;
        }
        if (counts.n_idle > 0)
                supervisor->spawn_is_due = false;
        if (counts.n_workers == 0 && (supervisor->is_paced || !supervisor->spawn_is_due))
                supervisor_end_if_idle(supervisor, &counts);
        else if (counts.n_idle == 0 && (counts.n_busy > 0 || supervisor->spawn_is_due))
                supervisor_spawn_paced(supervisor, &counts);
        else if (counts.n_idle == 1 && supervisor->was_woken)
                supervisor_spawn_paced(supervisor, &counts);
        counts = role_pool_count(supervisor->pool);
        supervisor_tell(supervisor, &counts);
}

/* ---- workers that ended ---- */

static void log_end(const RoleProcess *process, pid_t pid, int status) {
        const char *role = process->role->name;

        if (WIFSIGNALED(status))
                log_error(LOG_ID_WORKER_CRASHED, "%s: worker %d was killed by signal %d (%s)", role,
                          (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
        else if (WEXITSTATUS(status) == ROLE_EXIT_TIME_LIMIT)
                log_error(LOG_ID_TIME_LIMIT, "%s: worker %d ended: a request took more than %llu s",
                          role, (int)pid,
                          (unsigned long long)(role_request_limit_usec(process->role) /
                                               USEC_PER_SEC));
        else
                log_error(LOG_ID_WORKER_CRASHED, "%s: worker %d ended with status %d", role,
                          (int)pid, WEXITSTATUS(status));
}

static bool pool_forget(RolePool *pool, pid_t pid) {
        for (size_t i = 0; i < pool->n_slots; i++) {
                if (pool->pids[i] != pid)
                        continue;
                pool->pids[i] = 0;
                role_pool_remove_peer(pool, i);
                atomic_store(&pool->page->slots[i].state, ROLE_SLOT_FREE);
                return true;
        }
        return false;
}

/* True when it was a crash. */
static bool supervisor_handle_end(Supervisor *supervisor, pid_t pid, int status) {
        bool is_ours = pool_forget(supervisor->pool, pid);

        for (RolePool *pool = supervisor->retired; pool && !is_ours; pool = pool->next)
                is_ours = pool_forget(pool, pid);
        if (!is_ours || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
                return false;
        log_end(supervisor->process, pid, status);
        return true;
}

/*
 * A listener wakes one worker. One that is killed before it accepts takes the wake-up with it, and
 * the client would wait until the next one came: another worker shall look.
 */
static void pass_lost_wakeup(const Supervisor *supervisor) {
        if (role_listeners_have_input(supervisor->process))
                (void)!eventfd_write(supervisor->pool->baton_fd, 1);
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Supervisor *supervisor = userdata;
        bool has_crashed = false;
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                has_crashed |= supervisor_handle_end(supervisor, pid, status);
        if (has_crashed) {
                uint64_t n_served = role_pool_count(supervisor->pool).n_served;

                supervisor->is_paced = n_served <= supervisor->n_served_at_crash;
                supervisor->n_served_at_crash = n_served;
                supervisor->spawn_is_due = true;
                pass_lost_wakeup(supervisor);
        }
        supervisor_balance(supervisor);
        return 0;
}

/* ---- signals ---- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Supervisor *supervisor = userdata;

        if (!supervisor->is_stopping) {
                role_notify_stopping(supervisor->process->notify);
                role_pool_retire(supervisor->pool);
        }
        supervisor->is_stopping = true;
        supervisor_balance(supervisor);
        return 0;
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Supervisor *supervisor = userdata;
        RoleProcess *process = supervisor->process;
        int r;

        if (supervisor->is_stopping)
                return 0;
        role_notify_reloading(process->notify);
        if (role_reload_config(process) == 0) {
                r = supervisor_new_pool(supervisor);
                if (r == 0) {
                        supervisor->n_served_at_crash = 0;
                        supervisor_spawn(supervisor);
                } else
                        log_error(LOG_ID_START_FAILED, "reload: %s", strerror(-r));
        }
        role_notify_ready(process->notify);
        supervisor_balance(supervisor);
        return 0;
}

/* ---- the life of a supervisor ---- */

static void supervisor_deinit(Supervisor *supervisor) {
        (void)sd_event_source_disable_unref(supervisor->wake_source);
        (void)sd_event_source_disable_unref(supervisor->timer);
        (void)sd_event_source_disable_unref(supervisor->status_timer);
        role_pool_free(supervisor->pool);
        while (supervisor->retired) {
                RolePool *pool = supervisor->retired;

                supervisor->retired = pool->next;
                role_pool_free(pool);
        }
}

static int supervisor_run(Supervisor *supervisor) {
        RoleProcess *process = supervisor->process;
        int r;

        r = role_event_new(process, on_stop, on_reload, supervisor);
        if (r == 0)
                r = sd_event_add_signal(process->env.event, NULL, SIGCHLD, on_child, supervisor);
        if (r >= 0)
                r = sd_event_add_time_relative(process->env.event, &supervisor->status_timer,
                                               CLOCK_MONOTONIC, STATUS_PERIOD_USEC, USEC_PER_SEC,
                                               on_status_timer, supervisor);
        if (r >= 0)
                r = supervisor_new_pool(supervisor);
        if (r < 0)
                return r;
        supervisor_spawn(supervisor);
        supervisor_balance(supervisor);
        role_notify_ready(process->notify);
        return sd_event_loop(process->env.event);
}

int role_workers_run(RoleProcess *process) {
        Supervisor supervisor = { .process = process };
        int r;

        r = supervisor_run(&supervisor);
        supervisor_deinit(&supervisor);
        if (r < 0) {
                log_fatal(LOG_ID_START_FAILED, "supervisor: %s", strerror(-r));
                return ROLE_EXIT_FAILURE;
        }
        return r;
}
