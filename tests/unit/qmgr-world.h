#pragma once

/*
 * The whole queue manager on a real queue in a temporary directory, with agents that are child
 * processes speaking the real protocol, one for each connection. What an agent makes of a recipient
 * is in its name: ok, soft, hard; slow takes 300 ms, hang 20 s; flaky ends the agent in the middle
 * now and then, die always. What is delivered leaves a byte in the file "delivered"; asking
 * for a notice, an f or d (failure, delay) in "noticed".
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/mail/queue-file.h"
#include "common/role/ipc-address.h"
#include "common/role/protocol-delivery.h"
#include "common/role/protocol-queue.h"
#include "services/qmgr/manager.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

#define WAIT_USEC (10 * USEC_PER_SEC)

static TempTree tree;
static RoleEnv env;
static pid_t agents[4];
static size_t n_agents;

/* ---- agents ---- */

static inline void append_to(const char *name, const char *byte) {
        char path[128];
        int fd;

        (void)snprintf(path, sizeof(path), "%s/%s", tree.root, name);
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0 || write(fd, byte, 1) != 1)
                _exit(1);
        (void)close(fd);
}

static inline size_t count_deliveries(void) {
        struct stat st;
        char path[128];

        (void)snprintf(path, sizeof(path), "%s/delivered", tree.root);
        return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

static inline bool deliver(void *context, const Delivery *delivery,
                           const DeliveryRecipient *recipient, Dsn *dsn) {
        if (str_has_prefix(recipient->address, STR("slow")))
                (void)usleep(300 * 1000);
        else if (str_has_prefix(recipient->address, STR("hang")))
                (void)sleep(20);
        else if (str_has_prefix(recipient->address, STR("flaky")) && clock_monotonic_usec() % 9 > 0)
                (void)usleep(1000);
        else if (str_has_prefix(recipient->address, STR("flaky")) ||
                 str_has_prefix(recipient->address, STR("die")))
                _exit(1);
        if (!str_equal(delivery->request.envid, STR("QQ314")) ||
            delivery->request.ret != ENVELOPE_RET_HDRS)
                _exit(1);
        dsn_set(dsn, DSN_SENT, "2.0.0", "delivered");
        if (str_has_prefix(recipient->address, STR("soft")))
                dsn_set(dsn, DSN_DEFERRED, "4.2.0", "not now");
        else if (str_has_prefix(recipient->address, STR("hard")))
                dsn_set(dsn, DSN_BOUNCED, "5.1.1", "never");
        if (dsn->status == DSN_SENT)
                append_to("delivered", ".");
        return false;
}

static inline void serve_delivery(IpcConn *conn) {
        while (delivery_serve(conn, 1000, deliver, NULL) == 0)
                ipc_conn_set_timeout(conn, WAIT_USEC);
}

/* Yes when the file that came holds a diagnosis for what the notice is about, else no. */
static inline void judge_notice(IpcConn *conn, RecipientState state, NoticeResult *result) {
        int fd _cleanup_(fd_closep) = ipc_conn_take_fd(conn);
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        QueueFileRecipient recipient;
        uint64_t cursor = 0;

        if (queue_file_open(fd, &file) != 0)
                _exit(1);
        while (queue_file_next_recipient(file, &cursor, true, &recipient) == 0)
                if (recipient.state == state && recipient.has_diagnosis)
                        result->ok = 1;
}

static inline void serve_notice(IpcConn *conn) {
        NoticeRequest request;

        while (ipc_conn_receive_message(conn, &notice_request_schema, &request) == 0) {
                NoticeResult result = { .notice_id = STR("NOTICE") };
                bool is_delay = str_equal(request.kind, STR("delay"));

                append_to("noticed", is_delay ? "d" : "f");
                if (ipc_conn_receive_end(conn) != 0)
                        return;
                judge_notice(conn, is_delay ? RECIPIENT_TODO : RECIPIENT_FAILED, &result);
                (void)ipc_conn_send_message(conn, &notice_result_schema, &result);
                (void)ipc_conn_send_end(conn);
                ipc_conn_set_timeout(conn, WAIT_USEC);
        }
}

/* The kinds of notices that were asked of serve_notice(), one letter each. */
static inline void notices_asked(char *ret, size_t size) {
        char path[128];
        ssize_t n = 0;
        int fd;

        (void)snprintf(path, sizeof(path), "%s/noticed", tree.root);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0)
                n = read(fd, ret, size - 1);
        ret[n > 0 ? n : 0] = '\0';
        fd_closep(&fd);
}

static inline void refuse_notice(IpcConn *conn) {
        NoticeRequest request;
        NoticeResult result = { .text = STR("no room") };

        if (ipc_conn_receive_message(conn, &notice_request_schema, &request) != 0 ||
            ipc_conn_receive_end(conn) != 0)
                return;
        (void)ipc_conn_send_message(conn, &notice_result_schema, &result);
        (void)ipc_conn_send_end(conn);
}

static inline int listen_at(const char *name) {
        struct sockaddr_un address;
        int listener;

        ck_assert_int_eq(ipc_address_fill(name, &address), 0);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 100), 0);
        ck_assert_int_eq(chmod(address.sun_path, 0777), 0);
        return listener;
}

static inline void serve_connection(int fd, const char *name, void (*serve)(IpcConn *conn)) {
        IpcConn *conn;

        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ipc_conn_new(fd, &conn) != 0)
                _exit(0);
        ipc_conn_set_timeout(conn, WAIT_USEC);
        (void)ipc_conn_send_hello(conn, name);
        serve(conn);
        _exit(0);
}

/* The agents of service NAME; before any hello they call BEFORE with the listener. */
static inline void start_odd_agent(const char *name, void (*serve)(IpcConn *conn),
                                   void (*before)(int listener)) {
        int listener = listen_at(name), fd;
        pid_t pid = fork();

        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void)signal(SIGCHLD, SIG_IGN);
                if (before)
                        before(listener);
                for (;;) {
                        fd = accept(listener, NULL, NULL);
                        if (fd < 0) /* and no fork(2) for nothing, again and again */
                                _exit(1);
                        if (fork() == 0)
                                serve_connection(fd, name, serve);
                        (void)close(fd);
                }
        }
        (void)close(listener);
        agents[n_agents++] = pid;
}

static inline void start_agent(const char *name, void (*serve)(IpcConn *conn)) {
        start_odd_agent(name, serve, NULL);
}

/* ---- the world ---- */

static inline void start_manager(const char *more) {
        ConfigSource source = { .root = tree.root };
        Buf error _cleanup_(buf_deinit) = BUF_INIT(1024);
        char text[512];
        Config *config;

        (void)snprintf(text, sizeof(text),
                       "queue_directory = %s/queue\nmydestination = localhost\n"
                       "myhostname = host.example\nlocal_destination_concurrency_limit = 1\n%s",
                       tree.root, more);
        temp_tree_write_text(&tree, "etc/unitpost/main.cf", text);
        ck_assert_int_eq(config_load(&source, &config, &error), 0);
        env.config = config;
        ck_assert_int_ge(sd_event_new(&env.event), 0);
        ck_assert_int_eq(manager_start(&env), 0);
}

static inline void stop_manager(void) {
        manager_stop(&env);
        sd_event_unref(env.event);
        config_free((Config *)env.config);
}

static inline void set_up(const char *more) {
        static const char *const dirs[] = { "maildrop", "incoming", "active",
                                            "deferred", "hold",     "corrupt" };
        static char run[64];
        char path[128];

        temp_tree_make(&tree);
        temp_tree_write_text(&tree, "queue/x", "");
        for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
                (void)snprintf(path, sizeof(path), "%s/queue/%s", tree.root, dirs[i]);
                ck_assert_int_eq(mkdir(path, 0700), 0);
        }
        (void)temp_tree_path(&tree, "run", run, sizeof(run));
        ck_assert_int_eq(mkdir(run, 0700), 0);
        ipc_address_set_directory(run);
        start_agent("local", serve_delivery);
        env = (RoleEnv){ .role = "qmgr", .service = "qmgr" };
        start_manager(more);
}

static inline void tear_down(void) {
        stop_manager();
        while (n_agents > 0) {
                (void)kill(agents[--n_agents], SIGKILL);
                (void)waitpid(agents[n_agents], NULL, 0);
        }
        temp_tree_remove(&tree);
}

/* A message in DIR for the words of RECIPIENTS, arrived AGE ago. */
static inline QueueId put_message(const char *dir, const char *recipients, usec_t age) {
        Envelope envelope = {
                .arrival_usec = clock_realtime_usec() - age,
                .sender = STR("sender@host.example"),
                .envid = STR("QQ314"),
                .ret = ENVELOPE_RET_HDRS,
                .uid = 0,
        };
        QueueId id = queue_id_new(envelope.arrival_usec);
        QueueFileWriter *writer;
        char path[128];
        Str rest = str_from_cstr(recipients), word;
        int fd;

        (void)snprintf(path, sizeof(path), "%s/queue/%s", tree.root, dir);
        fd = file_open_dir(AT_FDCWD, path);
        ck_assert_int_eq(queue_file_writer_new(fd, &envelope, NULL, &writer), 0);
        while (str_next_word(&rest, &word)) {
                Recipient recipient = { .address = word };

                ck_assert_int_eq(queue_file_writer_add_recipient(writer, &recipient), 0);
        }
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("Subject: x\n\nx\n")), 0);
        ck_assert_int_eq(queue_file_writer_commit(writer, &id), 0);
        queue_file_writer_free(writer);
        (void)close(fd);
        return id;
}

static inline void command(QmgrCommand verb, const QueueId *id) {
        char text[64];
        IpcPeer peer = { 0 };
        int n = snprintf(text, sizeof(text), "%c%s", verb, id ? id->text : "");

        manager_datagram(&env, str_from(text, (size_t)n), &peer);
}

static inline size_t count_messages(const Queue *queue, QueueDir dir, uint64_t bucket) {
        QueueWalk *walk _cleanup_(queue_walk_freep) = NULL;
        const char *name;
        size_t n = 0;

        if (queue_walk_new(queue, dir, bucket, &walk) == 0)
                while (queue_walk_next(walk, &name) == 0)
                        n++;
        return n;
}

/* Messages in all buckets; *RET_BUCKET is the last one's name. */
static inline size_t count_deferred(uint64_t *ret_bucket) {
        const Manager *manager = env.context;
        uint64_t *buckets _cleanup_(freep) = NULL;
        size_t n_buckets = 0, n = 0;

        ck_assert_int_eq(queue_list_buckets(manager->queue, &buckets, &n_buckets), 0);
        for (size_t i = 0; i < n_buckets; i++) {
                n += count_messages(manager->queue, QUEUE_DEFERRED, buckets[i]);
                *ret_bucket = buckets[i];
        }
        return n;
}

/* Run the loop until no message is in memory, incoming/ or active/. */
static inline void run_until_settled(void) {
        const Manager *manager = env.context;
        usec_t end = clock_monotonic_usec() + WAIT_USEC;

        do {
                ck_assert_int_ge(sd_event_run(env.event, 20 * USEC_PER_MSEC), 0);
                ck_assert_msg(clock_monotonic_usec() < end, "nothing settles");
        } while (manager->n_messages > 0 || !intake_is_idle(manager->intake, 0) ||
                 count_messages(manager->queue, QUEUE_INCOMING, 0) > 0 ||
                 count_messages(manager->queue, QUEUE_ACTIVE, 0) > 0);
        ck_assert_uint_eq(manager->n_entries, 0);
}

/* The file of the only deferred message; *RET_FD is to be closed after it. */
static inline QueueFile *open_deferred(const QueueId *id, int *ret_fd) {
        const Manager *manager = env.context;
        QueueFile *file;
        char path[QUEUE_PATH_MAX];
        uint64_t bucket;

        ck_assert_uint_eq(count_deferred(&bucket), 1);
        ck_assert_int_eq(queue_deferred_path(bucket, id->text, path), 0);
        ck_assert_int_eq(queue_open_message(manager->queue, QUEUE_DEFERRED, path, O_RDONLY, ret_fd),
                         0);
        ck_assert_int_eq(queue_file_open(*ret_fd, &file), 0);
        return file;
}

/* The states of its recipients, one letter each. */
static inline void deferred_states(const QueueId *id, char *ret, size_t size) {
        int fd _cleanup_(fd_closep) = -1;
        QueueFile *file _cleanup_(queue_file_freep) = open_deferred(id, &fd);
        QueueFileRecipient recipient;
        uint64_t cursor = 0;
        size_t n = 0;

        while (n + 1 < size && queue_file_next_recipient(file, &cursor, false, &recipient) == 0)
                ret[n++] = (char)recipient.state;
        ret[n] = '\0';
}

/* Run the loop until N deliveries are made. */
static inline void run_until_delivered(size_t n) {
        usec_t end = clock_monotonic_usec() + WAIT_USEC;

        while (count_deliveries() < n) {
                ck_assert_int_ge(sd_event_run(env.event, 20 * USEC_PER_MSEC), 0);
                ck_assert_msg(clock_monotonic_usec() < end, "not delivered");
        }
}
