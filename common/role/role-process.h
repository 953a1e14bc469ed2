#pragma once

/*
 * What the parts of the skeleton share: one RoleProcess per process, made by role_main(). Only
 * common/role/role*.c include this.
 */

#include "common/base/clock.h"
#include "common/role/role-notify.h"
#include "common/role/role-options.h"
#include "common/role/role.h"

/* Exit status, see role.h. */
enum {
        ROLE_EXIT_OK = 0,
        ROLE_EXIT_USAGE = 64,
        ROLE_EXIT_FAILURE = 75,
        ROLE_EXIT_CONFIG = 78,
        ROLE_EXIT_TIME_LIMIT = 124, /* of a worker: its request took too long */
};

/* PID 1 shall never see a clean exit sooner than this after the start. */
#define ROLE_LIFE_MIN_USEC USEC_PER_SEC

typedef struct RoleListener {
        int fd;
        int type; /* SOCK_STREAM, SOCK_DGRAM */
        bool is_unix;
        char *name; /* FileDescriptorName= */
} RoleListener;

typedef struct RoleProcess {
        const Role *role;
        RoleEnv env;
        RoleOptions options;
        Config *config; /* owned; env.config is the same */
        RoleNotify *notify;
        RoleListener *listeners;
        size_t n_listeners;
        uid_t *peer_uids; /* of role->peers */
        size_t n_peer_uids;
        usec_t started_usec; /* monotonic */
} RoleProcess;

/* ---- role.c ---- */

/* Time limit of one request or scan. */
usec_t role_request_limit_usec(const Role *role);

/*
 * Load the configuration again. 0, and env.config is another one; or the error was logged and
 * the old one stays.
 */
int role_reload_config(RoleProcess *process);

/*
 * A loop for TERM and INT (ON_STOP), HUP (ON_RELOAD) and the watchdog. Blocks these signals and
 * SIGCHLD. 0 or negative errno.
 */
int role_event_new(RoleProcess *process, sd_event_signal_handler_t on_stop,
                   sd_event_signal_handler_t on_reload, void *userdata);

/* ---- role-listen.c ---- */

/* Take over what systemd passed, non-blocking. 0 or negative errno. */
int role_listeners_init(RoleProcess *process);
void role_listeners_deinit(RoleProcess *process);

/* Resolve role->peers. 0, or negative errno (logged) when a user does not exist. */
int role_peers_init(RoleProcess *process);

/* May UID talk to us? When not, that is logged, once a second at most. */
bool role_peer_is_allowed(const RoleProcess *process, uid_t uid);

/*
 * accept(2) once, with FLAGS and SOCK_CLOEXEC. 0; IPC_E_AGAIN (nobody there any more); negative
 * errno for what would fail again at once (-EMFILE ...): logged, once a second at most; wait.
 */
int role_listener_accept(const RoleListener *listener, int flags, int *ret_fd);

/* Is a connection or datagram waiting at any listener? */
bool role_listeners_have_input(const RoleProcess *process);

/* ---- the kinds ---- */

/* Live as one of the kinds; each returns the exit status. */
int role_workers_run(RoleProcess *process);
int role_loop_run(RoleProcess *process);
int role_scanner_run(RoleProcess *process);

/* Serve the connected socket on standard input, and end. */
int role_loop_run_stdin(RoleProcess *process);
int role_worker_run_stdin(RoleProcess *process);
