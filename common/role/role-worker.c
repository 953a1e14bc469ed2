/*
 * A worker: waits at the listeners (EPOLLEXCLUSIVE: one of all workers is woken), takes a
 * connection, says hello, serves request after request, one at a time.
 *
 * It holds one connection at most. While that has nothing to say the worker waits at the listeners
 * too, and gives it up for a newcomer: otherwise kept connections could use up all workers, and a
 * second connection in the hands of one worker would wait behind a long request of the first
 * while other workers are idle. Closing a kept connection loses nothing: its receiving side is shut
 * first, so the peer's next send fails (IPC_E_CLOSED from a send: not taken), and what had been
 * sent before is looked for once more and served.
 *
 * An exclusive wake-up that a worker cannot follow, because its kept connection speaks up at the
 * same moment, it passes on by the baton, an eventfd that all watch.
 *
 * SIGTERM (from a supervisor that died, or by hand) retires the pool: the request in hand is
 * finished first.
 */

#include "common/role/role-worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-deadline.h"
#include "common/role/role-watch.h"

#define KEPT_IDLE_USEC    (5 * USEC_PER_SEC)  /* a connection between two requests */
#define FIRST_WAIT_USEC   (10 * USEC_PER_SEC) /* a new connection before its first */
#define RETIRED_WAIT_USEC USEC_PER_SEC        /* the same, when the service is to go */
#define WATCHERS_MAX      16                  /* workers that watch their tables' files */
#define ACCEPT_PAUSE_MSEC 100                 /* after EMFILE and its like */

/* What an epoll event is about: index of a listener, or one of these. */
enum {
        EVENT_CONN = 1U << 30,
        EVENT_RETIRE,
        EVENT_BATON,
};

typedef struct Worker {
        RoleProcess *process;
        RolePool *pool;
        size_t slot;
        int epoll_fd;
        IpcConn *conn; /* kept, registered with epoll; or NULL */
        usec_t kept_until_usec;
        usec_t idle_until_usec;
} Worker;

/* What one epoll_wait() said. */
typedef struct Wakeup {
        bool conn;
        bool retire;
        bool baton;
        bool listener;
        size_t listener_index; /* one of them; the others stay readable */
} Wakeup;

static int retire_fd = -1; /* for the signal handler */

static void on_term(int number) {
        int saved = errno;

        (void)!eventfd_write(retire_fd, 1);
        errno = saved;
}

static void on_ignored(int number) {
}

/* A handler, not SIG_IGN: what a worker executes (a user's command) begins with the default. */
static int worker_set_signals(const Worker *worker) {
        struct sigaction term = { .sa_handler = on_term, .sa_flags = SA_RESTART };
        struct sigaction ignored = { .sa_handler = on_ignored, .sa_flags = SA_RESTART };
        sigset_t none;

        retire_fd = worker->pool->retire_fd;
        (void)sigemptyset(&none);
        if (sigaction(SIGTERM, &term, NULL) < 0 || sigaction(SIGINT, &ignored, NULL) < 0 ||
            sigaction(SIGHUP, &ignored, NULL) < 0 || prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 ||
            sigprocmask(SIG_SETMASK, &none, NULL) < 0)
                return -errno;
        return 0;
}

static usec_t worker_max_idle(const Worker *worker) {
        return config_time_usec(worker->process->env.config, PARAM_max_idle);
}

/* ---- what to wait for ---- */

static int worker_watch(Worker *worker, int fd, uint32_t events, uint32_t tag) {
        struct epoll_event event = { .events = events, .data.u32 = tag };

        return epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int worker_watch_listeners(Worker *worker) {
        const RoleProcess *process = worker->process;

        for (size_t i = 0; i < process->n_listeners; i++) {
                int r = worker_watch(worker, process->listeners[i].fd, EPOLLIN | EPOLLEXCLUSIVE,
                                     (uint32_t)i);

                if (r < 0)
                        return r;
        }
        return 0;
}

static void worker_unwatch_listeners(Worker *worker) {
        for (size_t i = 0; i < worker->process->n_listeners; i++)
                (void)epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, worker->process->listeners[i].fd,
                                NULL);
}

static int worker_init(Worker *worker) {
        int r;

        worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (worker->epoll_fd < 0)
                return -errno;
        r = worker_watch_listeners(worker);
        if (r == 0)
                r = worker_watch(worker, worker->pool->retire_fd, EPOLLIN, EVENT_RETIRE);
        if (r == 0)
                r = worker_watch(worker, worker->pool->baton_fd, EPOLLIN | EPOLLEXCLUSIVE,
                                 EVENT_BATON);
        if (r == 0)
                r = worker_set_signals(worker);
        if (r == 0)
                r = role_deadline_init(
                        usec_add(role_request_limit_usec(worker->process->role), USEC_PER_SEC),
                        NULL);
        worker->idle_until_usec = usec_add(clock_monotonic_usec(), worker_max_idle(worker));
        return r;
}

/* ---- one connection ---- */

static void log_end_of_connection(const IpcConn *conn, int r) {
        const IpcPeer *peer = ipc_conn_peer(conn);

        if (r == IPC_E_CLOSED)
                log_info("uid %u, process %d: went away in the middle of a request", peer->uid,
                         (int)peer->pid);
        else if (r > 0 && r != ROLE_SERVE_CLOSE)
                log_warning(LOG_ID_PROTOCOL, "uid %u, process %d: %s", peer->uid, (int)peer->pid,
                            ipc_error_name(r));
        else if (r < 0)
                log_error(LOG_ID_PROTOCOL, "request of uid %u, process %d: %s", peer->uid,
                          (int)peer->pid, strerror(-r));
}

/* Serve what has begun to arrive. True when the connection may stay. */
static bool serve_requests(RoleProcess *process, IpcConn *conn, RoleSlot *slot) {
        usec_t limit = role_request_limit_usec(process->role);
        int r;

        do {
                role_deadline_begin();
                ipc_conn_set_timeout(conn, limit);
                r = process->role->serve(&process->env, conn);
                role_deadline_end();
                if (slot && (r == 0 || r == ROLE_SERVE_CLOSE))
                        atomic_fetch_add(&slot->n_served, 1);
        } while (r == 0 && ipc_conn_has_input(conn));
        log_end_of_connection(conn, r);
        return r == 0;
}

static bool worker_is_retired(const Worker *worker) {
        return atomic_load(&worker->pool->page->is_retired);
}

/*
 * The connection is over. Taken out of epoll first: a child that has yet to exec keeps it open, and
 * epoll would go on about it.
 */
static void worker_drop(Worker *worker) {
        if (worker->conn)
                (void)epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, ipc_conn_fd(worker->conn), NULL);
        worker->conn = ipc_conn_free(worker->conn);
        role_pool_remove_peer(worker->pool, worker->slot);
}

/* Serve the request that has begun on the kept connection. */
static void worker_serve_kept(Worker *worker, bool keep) {
        role_pool_set_busy(worker->pool, worker->slot);
        if (!serve_requests(worker->process, worker->conn,
                            &worker->pool->page->slots[worker->slot]))
                keep = false;
        if (!keep)
                worker_drop(worker);
        else
                worker->kept_until_usec = usec_add(clock_monotonic_usec(), KEPT_IDLE_USEC);
        role_pool_set_idle(worker->pool, worker->slot);
        worker->idle_until_usec = usec_add(clock_monotonic_usec(), worker_max_idle(worker));
}

static void worker_pass_baton(const Worker *worker) {
        (void)!eventfd_write(worker->pool->baton_fd, 1);
}

/*
 * Shut the receiving side of a connection that is to be closed, and look for the last time. True
 * when the peer had sent something by then. From now on its sends fail: it knows that what it
 * sends was not taken.
 */
static bool conn_last_look(IpcConn *conn) {
        (void)shutdown(ipc_conn_fd(conn), SHUT_RD);
        return ipc_conn_fill(conn) == 0;
}

/* Give up the kept connection without losing what its peer has sent. */
static void worker_retire_conn(Worker *worker, bool somebody_waits) {
        if (!worker->conn)
                return;
        if (!conn_last_look(worker->conn)) {
                worker_drop(worker);
                return;
        }
        if (somebody_waits)
                worker_pass_baton(worker);
        worker_serve_kept(worker, false);
}

/*
 * Wait for the first bytes. False when there are none in time; a service that stops or reloads has
 * said hello and waits a moment more.
 */
static bool wait_for_request(const Worker *worker, IpcConn *conn) {
        struct pollfd pollfds[] = {
                { .fd = ipc_conn_fd(conn), .events = POLLIN },
                { .fd = worker->pool->retire_fd, .events = POLLIN },
        };
        usec_t until = usec_add(clock_monotonic_usec(), FIRST_WAIT_USEC);
        int r;

        while ((r = ipc_conn_fill(conn)) == IPC_E_AGAIN) {
                usec_t now = clock_monotonic_usec();

                if (now >= until)
                        return conn_last_look(conn);
                (void)poll(pollfds, ARRAY_LEN(pollfds), (int)((until - now) / USEC_PER_MSEC) + 1);
                if (pollfds[1].revents != 0) {
                        pollfds[1] = (struct pollfd){ .fd = -1 };
                        until = usec_add(now, RETIRED_WAIT_USEC);
                }
        }
        if (r != 0 && r != IPC_E_CLOSED)
                log_end_of_connection(conn, r);
        return r == 0;
}

/* Keep CONN for the next request, if it can be watched. */
static void worker_keep(Worker *worker, IpcConn *conn) {
        worker->conn = conn;
        worker->kept_until_usec = usec_add(clock_monotonic_usec(), KEPT_IDLE_USEC);
        if (worker_is_retired(worker) ||
            worker_watch(worker, ipc_conn_fd(conn), EPOLLIN, EVENT_CONN) < 0)
                worker_drop(worker);
}

/* A new connection, the worker's only one now. FD is taken over. */
static void worker_take(Worker *worker, int fd) {
        const Role *role = worker->process->role;
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        uid_t uid;

        if (ipc_conn_new(fd, &conn) != 0)
                return;
        uid = ipc_conn_peer(conn)->uid;
        if (!role_peer_is_allowed(worker->process, uid))
                return;
        if (!role_pool_add_peer(worker->pool, worker->slot, uid, role->connections_per_uid)) {
                role_pool_remove_peer(worker->pool, worker->slot);
                return;
        }
        if (ipc_conn_send_hello(conn, role->name) == 0 && wait_for_request(worker, conn) &&
            serve_requests(worker->process, conn, &worker->pool->page->slots[worker->slot]))
                worker_keep(worker, TAKE_PTR(conn));
        else
                role_pool_remove_peer(worker->pool, worker->slot);
}

/* ---- the listeners ---- */

/* Accept one connection at LISTENER and serve it. False when there was none. */
static bool worker_accept(Worker *worker, size_t listener) {
        int fd, r;

        r = role_listener_accept(&worker->process->listeners[listener], SOCK_NONBLOCK, &fd);
        if (r < 0)
                (void)poll(NULL, 0, ACCEPT_PAUSE_MSEC);
        if (r != 0)
                return false;
        role_pool_set_busy(worker->pool, worker->slot);
        worker_take(worker, fd);
        role_pool_set_idle(worker->pool, worker->slot);
        worker->idle_until_usec = usec_add(clock_monotonic_usec(), worker_max_idle(worker));
        return true;
}

/* Somebody may wait at a listener. A kept connection makes room first. */
static void worker_handle_newcomer(Worker *worker, const Wakeup *wakeup) {
        eventfd_t count;

        if (wakeup->baton)
                (void)!eventfd_read(worker->pool->baton_fd, &count);
        if (worker->conn && !role_listeners_have_input(worker->process))
                return; /* another worker was faster: keep what we have */
        worker_retire_conn(worker, true);
        if (wakeup->listener) {
                (void)worker_accept(worker, wakeup->listener_index);
                return;
        }
        for (size_t i = 0; i < worker->process->n_listeners; i++)
                if (worker_accept(worker, i))
                        return;
}

/* The kept connection has input, or is over. */
static void worker_handle_conn(Worker *worker, bool somebody_waits) {
        int r = ipc_conn_fill(worker->conn);

        if (r == IPC_E_AGAIN)
                return;
        if (r != 0) {
                if (r != IPC_E_CLOSED)
                        log_end_of_connection(worker->conn, r);
                worker_drop(worker);
                return;
        }
        if (somebody_waits)
                worker_pass_baton(worker);
        worker_serve_kept(worker, true);
}

/* ---- the life of a worker ---- */

/*
 * Nothing to do for max_idle. First leave the listeners, so that no wake-up is spent on us, then
 * look once more. True when it may end.
 */
static bool worker_may_end(Worker *worker) {
        if (!role_pool_can_spare(worker->pool, worker->slot)) {
                worker->idle_until_usec = usec_add(clock_monotonic_usec(), worker_max_idle(worker));
                return false;
        }
        worker_unwatch_listeners(worker);
        role_pool_set_leaving(worker->pool, worker->slot);
        for (size_t i = 0; i < worker->process->n_listeners; i++)
                if (worker_accept(worker, i))
                        return worker_watch_listeners(worker) < 0;
        return true;
}

static int worker_timeout_msec(const Worker *worker) {
        usec_t until = worker->conn ? worker->kept_until_usec : worker->idle_until_usec;
        usec_t left = usec_sub(until, clock_monotonic_usec());

        return left == 0 ? 0 : (int)(left / USEC_PER_MSEC) + 1;
}

static Wakeup worker_wait(const Worker *worker) {
        struct epoll_event events[8];
        Wakeup wakeup = { 0 };
        int n;

        n = epoll_wait(worker->epoll_fd, events, ARRAY_LEN(events), worker_timeout_msec(worker));
        for (int i = 0; i < n; i++)
                switch (events[i].data.u32) {
                case EVENT_CONN:
                        wakeup.conn = true;
                        break;
                case EVENT_RETIRE:
                        wakeup.retire = true;
                        break;
                case EVENT_BATON:
                        wakeup.baton = true;
                        break;
                default:
                        wakeup.listener = true;
                        wakeup.listener_index = events[i].data.u32;
                }
        return wakeup;
}

/* True when the worker's life is over. */
static bool worker_step(Worker *worker) {
        Wakeup wakeup = worker_wait(worker);
        bool somebody_waits = wakeup.listener || wakeup.baton;

        if (wakeup.conn && worker->conn)
                worker_handle_conn(worker, somebody_waits);
        else if (wakeup.retire) {
                worker_retire_conn(worker, false);
                return true;
        } else if (somebody_waits)
                worker_handle_newcomer(worker, &wakeup);
        else if (worker->conn && clock_monotonic_usec() >= worker->kept_until_usec)
                worker_retire_conn(worker, false);
        else if (!worker->conn && clock_monotonic_usec() >= worker->idle_until_usec)
                return worker_may_end(worker);
        return false;
}

static int worker_live(Worker *worker) {
        RoleEnv *env = &worker->process->env;
        int r;

        r = worker_init(worker);
        if (r < 0) {
                log_error(LOG_ID_START_FAILED, "start of a worker: %s", strerror(-r));
                return ROLE_EXIT_FAILURE;
        }
        if (worker->process->role->start && worker->process->role->start(env) < 0)
                return ROLE_EXIT_FAILURE;
        while (!worker_is_retired(worker) && !worker_step(worker))
                ;
        worker_retire_conn(worker, false);
        if (worker->process->role->stop)
                worker->process->role->stop(env);
        return ROLE_EXIT_OK;
}

int role_worker_run(RoleProcess *process, RolePool *pool, size_t slot) {
        Worker worker = { .process = process, .pool = pool, .slot = slot, .epoll_fd = -1 };
        int status;

        role_notify_forget_environment();
        if (slot >= WATCHERS_MAX)
                role_watch_disable();
        process->env.event = NULL;
        process->env.notify = NULL;
        status = worker_live(&worker);
        worker_drop(&worker);
        fd_closep(&worker.epoll_fd);
        return status;
}

int role_worker_run_stdin(RoleProcess *process) {
        _cleanup_(ipc_conn_freep) IpcConn *conn = NULL;
        const Role *role = process->role;
        int r;

        role_notify_forget_environment();
        process->env.notify = NULL;
        r = role_deadline_init(usec_add(role_request_limit_usec(role), USEC_PER_SEC), NULL);
        if (r == 0)
                r = ipc_conn_new(STDIN_FILENO, &conn);
        if (r == 0)
                r = ipc_conn_send_hello(conn, role->name);
        if (r != 0) {
                log_error(LOG_ID_START_FAILED, "standard input: %s", ipc_error_name(r));
                return ROLE_EXIT_FAILURE;
        }
        if (role->start && role->start(&process->env) < 0)
                return ROLE_EXIT_FAILURE;
        do
                r = ipc_conn_wait_input(conn);
        while (r == 0 && serve_requests(process, conn, NULL));
        if (role->stop)
                role->stop(&process->env);
        return ROLE_EXIT_OK;
}
