/*
 * A role that does nothing but what its client asks for, to try the skeleton with: one program,
 * three kinds, chosen by the name it is started as (probe-workers, probe-loop, probe-scanner).
 * Never installed.
 *
 *   workers   a request is a MESSAGE "probe" with a verb and a number, the answer one with the
 *             process and its setting of mail_name
 *   loop      stream: greets with one line and closes; datagram: logs it
 *   scanner   removes the files of queue_directory, logging each; a file "fail" makes it fail
 */

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "common/base/log.h"
#include "common/base/macro.h"
#include "common/role/role.h"

typedef struct Probe {
        Str verb; /* echo, sleep, crash, exit, refuse, fail */
        uint32_t number;
        Str text;
} Probe;

static const IpcField probe_fields[] = {
        { "verb", IPC_STR, offsetof(Probe, verb), 32 },
        { "number", IPC_U32, offsetof(Probe, number), UINT32_MAX },
        { "text", IPC_STR, offsetof(Probe, text), 1024 },
};
static const IpcSchema probe_schema = IPC_SCHEMA("probe", probe_fields);

/* ---- workers ---- */

static void sleep_msec(uint32_t msec) {
        struct timespec left = { .tv_sec = msec / 1000, .tv_nsec = (long)(msec % 1000) * 1000000 };

        while (nanosleep(&left, &left) < 0 && errno == EINTR)
                ;
}

static int workers_start(RoleEnv *env) {
        /* A configuration on which every worker dies at its start. */
        if (strcmp(config_string(env->config, PARAM_mail_name), "crash-at-start") == 0)
                abort();
        return 0;
}

static int workers_serve(RoleEnv *env, IpcConn *conn) {
        Probe probe, answer = { 0 };
        int r;

        r = ipc_conn_receive_message(conn, &probe_schema, &probe);
        if (r != 0)
                return r;
        if (str_equal(probe.verb, STR("crash")))
                (void)raise(SIGKILL); /* a sanitizer would catch SIGSEGV */
        if (str_equal(probe.verb, STR("exit")))
                _exit((int)probe.number);
        if (str_equal(probe.verb, STR("sleep")))
                sleep_msec(probe.number);
        if (str_equal(probe.verb, STR("fail")))
                return -EIO;
        answer.verb = STR("done");
        answer.number = (uint32_t)getpid();
        answer.text = str_from_cstr(config_string(env->config, PARAM_mail_name));
        r = ipc_conn_receive_end(conn);
        if (r != 0)
                return r;
        r = ipc_conn_send_message(conn, &probe_schema, &answer);
        return r != 0 ? r : ipc_conn_send_end(conn);
}

static const Role workers = {
        .name = "probe-workers",
        .kind = ROLE_WORKERS,
        .request_limit_usec = 2 * USEC_PER_SEC,
        .connections_per_uid = 60,
        .start = workers_start,
        .serve = workers_serve,
};

static const Role workers_for_daemon = {
        .name = "probe-daemon-only",
        .kind = ROLE_WORKERS,
        .peers = (const char *const[]){ "daemon", NULL },
        .serve = workers_serve,
};

/* ---- loop ---- */

static void loop_accept(RoleEnv *env, int fd, const char *listener_name) {
        char text[256];
        int n = snprintf(text, sizeof(text), "%s %d %s\n", listener_name, (int)getpid(),
                         config_string(env->config, PARAM_mail_name));

        (void)send(fd, text, (size_t)n, MSG_NOSIGNAL);
        (void)close(fd);
}

static void loop_datagram(RoleEnv *env, Str payload, const IpcPeer *sender) {
        log_info("datagram of uid %u: %.*s", sender->uid, STR_FMT(payload));
}

static const Role loop = {
        .name = "probe-loop",
        .kind = ROLE_LOOP,
        .accept = loop_accept,
        .datagram = loop_datagram,
};

/* ---- scanner ---- */

static int scanner_path(RoleEnv *env, Buf *ret) {
        return buf_append_cstr(ret, config_string(env->config, PARAM_queue_directory));
}

static int scanner_scan(RoleEnv *env) {
        DIR *dir = opendir(config_string(env->config, PARAM_queue_directory));
        const struct dirent *entry;
        int n = 0;

        if (!dir)
                return -errno;
        while ((entry = readdir(dir))) {
                if (entry->d_name[0] == '.')
                        continue;
                if (strcmp(entry->d_name, "fail") == 0) {
                        n = -EIO;
                        log_info("scan failed");
                        break;
                }
                if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
                        log_info("took %s", entry->d_name);
                n++;
        }
        (void)closedir(dir);
        return n;
}

static const Role scanner = {
        .name = "probe-scanner",
        .kind = ROLE_SCANNER,
        .scan = scanner_scan,
        .scan_path = scanner_path,
};

int main(int argc, char **argv) {
        static const Role *const roles[] = { &workers, &workers_for_daemon, &loop, &scanner };
        const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
        const char *name = slash ? slash + 1 : argv[0];

        for (size_t i = 0; i < ARRAY_LEN(roles); i++)
                if (name && strcmp(name, roles[i]->name) == 0)
                        return role_main(roles[i], argc, argv);
        (void)fprintf(stderr, "probe-role: to be started under the name of one of its roles\n");
        return EXIT_FAILURE;
}
