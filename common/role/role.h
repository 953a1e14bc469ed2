#pragma once

/*
 * The skeleton of every role (DESIGN 5). A role's main.c is one `static const Role` and
 * `return role_main(&role, argc, argv)`. The skeleton does options (-o name=value, --check,
 * --version, -v), log, configuration, systemd's listening sockets, READY/STATUS/STOPPING,
 * watchdog, reload (SIGHUP), stop (SIGTERM), idle exit, and for workers their supervision.
 *
 * Exit status: 0 after idleness or stop; 78 (EX_CONFIG) for a bad configuration; 75 for anything
 * else that systemd's Restart= shall pace. A role never exits 0 within a second of its start, so
 * that PID 1 is never made to spin.
 *
 * Without systemd a role takes one connected socket on standard input (tests), serves it, and
 * exits.
 */

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "common/role/config.h"
#include "common/role/ipc-conn.h"

typedef struct RoleEnv {
        const char *role;     /* "smtpd" */
        const char *service;  /* "smtpd", "submission", "NAME" of a template instance */
        const Config *config; /* replaced on reload; do not keep pointers into it */
        sd_event *event;      /* NULL in a worker process */
        void *context;        /* the role's own, set by start() */

        struct RoleNotify *notify; /* the skeleton's; NULL in a worker process and in tests */
} RoleEnv;

typedef enum RoleKind {
        ROLE_WORKERS, /* forked processes on a shared listener, blocking code: .serve */
        ROLE_LOOP,    /* one sd_event loop, nothing blocks: .accept or .datagram */
        ROLE_SCANNER, /* no listener: .scan works off a directory, blocking, then sleeps on it */
} RoleKind;

/* What .serve may say besides 0 (answered; the connection may carry another request). */
enum {
        ROLE_SERVE_CLOSE = 100
};

typedef struct Role {
        const char *name;
        RoleKind kind;

        /* User names whose connections are taken (SO_PEERCRED); NULL: everybody's. */
        const char *const *peers;

        /* Longest time for one request of a worker, or one scan; 0: 1000 s. Then the process ends
         * (logged, LOG_ID_TIME_LIMIT), which costs that request only. */
        usec_t request_limit_usec;

        /* Connections that one uid may have open at a worker service; 0: no limit. One more is
         * closed without a hello, so ipc_conn_connect() says IPC_E_CLOSED: try again later. */
        unsigned connections_per_uid;

        /*
         * Make the context: called once in a loop or scanner, in every worker after its fork.
         * 0 or negative errno (logged by start itself; exit 75).
         */
        int (*start)(RoleEnv *env);
        void (*stop)(RoleEnv *env);

        /* Loops: take over a changed env->config. Workers are replaced instead. */
        void (*reload)(RoleEnv *env);

        /*
         * Workers: serve one request on CONN (hello is sent already, the peer is checked). 0;
         * ROLE_SERVE_CLOSE; IPC_E_*: the skeleton logs and closes; negative errno likewise.
         */
        int (*serve)(RoleEnv *env, IpcConn *conn);

        /* Loops on a stream listener: owns FD. */
        void (*accept)(RoleEnv *env, int fd, const char *listener_name);

        /* Loops on a datagram listener: one datagram, from a peer in .peers. */
        void (*datagram)(RoleEnv *env, Str payload, const IpcPeer *sender);

        /* Loops: is there nothing in hand, so that the process may go when idle? Asked after
         * every event: to be cheap. */
        bool (*is_idle)(RoleEnv *env);

        /*
         * Loops, may be NULL: SIGTERM came; begin nothing new. The process ends as soon as
         * is_idle() says yes, and after 30 s in any case. NULL: it ends at once.
         */
        void (*drain)(RoleEnv *env);

        /*
         * Scanners: work off what is there. Returns the number of entries dealt with (so 0: wait
         * for the directory to change), or negative errno (logged by the role; wait a second).
         */
        int (*scan)(RoleEnv *env);
        /* Scanners: path of the directory to watch, from the configuration; appended to RET. */
        int (*scan_path)(RoleEnv *env, Buf *ret);
} Role;

/* The whole life of a role: main()'s return value. */
int role_main(const Role *role, int argc, char **argv);

/* STATUS= for systemctl status, at most once in 5 s. */
void role_set_status(RoleEnv *env, const char *format, ...) _printf_(2, 3);
