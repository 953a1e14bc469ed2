/*
 * services/qmgr, the whole manager on a real queue in a temporary directory, with agents that are
 * child processes speaking the real protocol. What an agent makes of a recipient is in its name:
 * ok, soft, hard; "die" ends the agent in the middle.
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

static void deliver(void *context, const Delivery *delivery, const DeliveryRecipient *recipient,
                    Dsn *dsn) {
        if (str_has_prefix(recipient->address, STR("ok")))
                dsn_set(dsn, DSN_SENT, "2.0.0", "delivered");
        else if (str_has_prefix(recipient->address, STR("soft")))
                dsn_set(dsn, DSN_DEFERRED, "4.2.0", "not now");
        else if (str_has_prefix(recipient->address, STR("hard")))
                dsn_set(dsn, DSN_BOUNCED, "5.1.1", "never");
        else
                _exit(1);
}

static void serve_delivery(IpcConn *conn) {
        while (delivery_serve(conn, 1000, deliver, NULL) == 0)
                ipc_conn_set_timeout(conn, WAIT_USEC);
}

/* Says yes when at least one recipient is FAILED in the file that came, else no. */
static void serve_notice(IpcConn *conn) {
        NoticeRequest request;
        NoticeResult result = { .notice_id = STR("NOTICE") };
        QueueFileRecipient recipient;
        QueueFile *file = NULL;
        uint64_t cursor = 0;
        int fd;

        if (ipc_conn_receive_message(conn, &notice_request_schema, &request) != 0 ||
            ipc_conn_receive_end(conn) != 0)
                return;
        fd = ipc_conn_take_fd(conn);
        if (queue_file_open(fd, &file) != 0)
                _exit(1);
        while (queue_file_next_recipient(file, &cursor, true, &recipient) == 0)
                if (recipient.state == RECIPIENT_FAILED && recipient.has_diagnosis)
                        result.ok = 1;
        queue_file_free(file);
        (void)close(fd);
        (void)ipc_conn_send_message(conn, &notice_result_schema, &result);
        (void)ipc_conn_send_end(conn);
}

static void start_agent(const char *name, void (*serve)(IpcConn *conn)) {
        struct sockaddr_un address;
        IpcConn *conn;
        pid_t pid;
        int listener;

        ck_assert_int_eq(ipc_address_fill(name, &address), 0);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 100), 0);
        pid = fork();
        if (pid == 0) {
                (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
                for (;;) {
                        if (ipc_conn_new(accept(listener, NULL, NULL), &conn) != 0)
                                _exit(0);
                        ipc_conn_set_timeout(conn, WAIT_USEC);
                        (void)ipc_conn_send_hello(conn, name);
                        serve(conn);
                        ipc_conn_free(conn);
                }
        }
        (void)close(listener);
        agents[n_agents++] = pid;
}

/* ---- the world ---- */

static void start_manager(const char *more) {
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

static void stop_manager(void) {
        manager_stop(&env);
        sd_event_unref(env.event);
        config_free((Config *)env.config);
}

static void set_up(const char *more) {
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

static void tear_down(void) {
        stop_manager();
        while (n_agents > 0) {
                (void)kill(agents[--n_agents], SIGKILL);
                (void)waitpid(agents[n_agents], NULL, 0);
        }
        temp_tree_remove(&tree);
}

/* A message in DIR for the words of RECIPIENTS, arrived AGE ago. */
static QueueId put_message(const char *dir, const char *recipients, usec_t age) {
        Envelope envelope = {
                .arrival_usec = clock_realtime_usec() - age,
                .sender = STR("sender@host.example"),
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

static void command(QmgrCommand verb, const QueueId *id) {
        char text[64];
        IpcPeer peer = { 0 };
        int n = snprintf(text, sizeof(text), "%c%s", verb, id ? id->text : "");

        manager_datagram(&env, str_from(text, (size_t)n), &peer);
}

static size_t count_messages(const Queue *queue, QueueDir dir, uint64_t bucket) {
        QueueWalk *walk _cleanup_(queue_walk_freep) = NULL;
        const char *name;
        size_t n = 0;

        if (queue_walk_new(queue, dir, bucket, &walk) == 0)
                while (queue_walk_next(walk, &name) == 0)
                        n++;
        return n;
}

/* Messages in all buckets; *RET_BUCKET is the last one's name. */
static size_t count_deferred(uint64_t *ret_bucket) {
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
static void run_until_settled(void) {
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

/* The states of the only deferred message's recipients, one letter each. */
static void deferred_states(const QueueId *id, char *ret, size_t size) {
        const Manager *manager = env.context;
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        int fd _cleanup_(fd_closep) = -1;
        QueueFileRecipient recipient;
        char path[QUEUE_PATH_MAX];
        uint64_t bucket, cursor = 0;
        size_t n = 0;

        ck_assert_uint_eq(count_deferred(&bucket), 1);
        ck_assert_int_eq(queue_deferred_path(bucket, id->text, path), 0);
        ck_assert_int_eq(queue_open_message(manager->queue, QUEUE_DEFERRED, path, O_RDONLY, &fd),
                         0);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        while (n + 1 < size && queue_file_next_recipient(file, &cursor, false, &recipient) == 0)
                ret[n++] = (char)recipient.state;
        ret[n] = '\0';
}

/* ---- the cases ---- */

START_TEST(an_announced_message_is_delivered_and_removed) {
        uint64_t bucket;
        QueueId id;

        set_up("");
        id = put_message("incoming", "ok ok2@localhost ok3@LOCALHOST", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        tear_down();
}
END_TEST

START_TEST(mail_that_nobody_announced_is_found_at_start) {
        uint64_t bucket;

        set_up("");
        stop_manager();
        for (int i = 0; i < 120; i++)
                (void)put_message(i % 2 ? "incoming" : "active", "ok ok2", 0);
        start_manager("");
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        ck_assert(manager_is_idle(&env));
        tear_down();
}
END_TEST

START_TEST(a_temporary_failure_waits_in_its_bucket_with_what_is_done_marked) {
        usec_t now = clock_realtime_usec();
        uint64_t bucket;
        char states[8];
        QueueId id;

        set_up("");
        id = put_message("incoming", "ok soft ok2 soft2", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "STST");
        ck_assert_uint_eq(count_deferred(&bucket), 1);
        ck_assert_uint_ge(bucket * USEC_PER_SEC, now + 300 * USEC_PER_SEC);
        ck_assert_uint_le(bucket * USEC_PER_SEC, now + 370 * USEC_PER_SEC);
        ck_assert(manager_is_idle(&env)); /* more than a minute away: the timer's business */
        tear_down();
}
END_TEST

START_TEST(what_failed_is_marked_returned_when_the_notice_is_on_disk) {
        char states[8];
        QueueId id;

        set_up("");
        start_agent("bounce", serve_notice);
        id = put_message("incoming", "ok hard soft", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "SRT");
        tear_down();
}
END_TEST

START_TEST(without_bounce_a_failure_stays_to_be_told) {
        uint64_t bucket;
        char states[8];
        QueueId id;

        set_up("");
        id = put_message("incoming", "hard", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "F");
        start_agent("bounce", serve_notice);
        command(QMGR_FLUSH, NULL);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        tear_down();
}
END_TEST

/* No byte can be appended, as on a full disk: the reason is lost, the failure is not. */
START_TEST(a_failure_is_kept_where_its_reason_finds_no_room) {
        struct rlimit limit, no_room = { .rlim_max = RLIM_INFINITY };
        char states[8];
        QueueId id;

        set_up("");
        (void)signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
        no_room.rlim_max = limit.rlim_max;
        id = put_message("incoming", "hard", 0);
        no_room.rlim_cur = 200; /* within the records of the message */
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &no_room), 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "F");
        tear_down();
}
END_TEST

START_TEST(an_expired_message_is_returned) {
        uint64_t bucket;
        QueueId id;

        set_up("maximal_queue_lifetime = 1h\n");
        start_agent("bounce", serve_notice);
        id = put_message("incoming", "soft", 7200 * USEC_PER_SEC);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        tear_down();
}
END_TEST

START_TEST(an_agent_that_dies_costs_a_deferral) {
        char states[8];
        QueueId id;

        set_up("");
        id = put_message("incoming", "die", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "T");
        tear_down();
}
END_TEST

START_TEST(a_missing_transport_defers_and_a_flush_tries_again) {
        uint64_t bucket;
        char states[8];
        QueueId id;

        set_up("default_transport = other:\n");
        id = put_message("incoming", "ok@elsewhere.example", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "T");
        start_agent("other", serve_delivery);
        command(QMGR_FLUSH_ONE, &id);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 1); /* still dead for a minute */
        command(QMGR_FLUSH, NULL);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        tear_down();
}
END_TEST

START_TEST(memory_for_recipients_is_bounded) {
        Buf recipients _cleanup_(buf_deinit) = BUF_INIT(100000);
        const Manager *manager;
        usec_t end = clock_monotonic_usec() + WAIT_USEC;
        unsigned most = 0;
        QueueId id;

        for (int i = 0; i < 500; i++)
                (void)buf_printf(&recipients, "ok%d@localhost ", i);
        set_up("qmgr_message_recipient_limit = 40\n");
        manager = env.context;
        id = put_message("incoming", buf_cstr(&recipients), 0);
        command(QMGR_INCOMING, &id);
        do {
                ck_assert_int_ge(sd_event_run(env.event, 20 * USEC_PER_MSEC), 0);
                most = manager->n_entries > most ? manager->n_entries : most;
        } while (manager->n_messages > 0 && clock_monotonic_usec() < end);
        ck_assert_uint_eq(manager->n_messages, 0);
        ck_assert_uint_le(most, 40);
        tear_down();
}
END_TEST

START_TEST(files_with_foreign_names_are_quarantined_and_cost_nobody) {
        const Manager *manager;

        set_up("");
        stop_manager();
        temp_tree_write_text(&tree, "queue/incoming/README", "x");
        temp_tree_write_text(&tree, "queue/active/00000000000000000000", "x");
        (void)put_message("incoming", "ok", 0);
        start_manager("");
        manager = env.context;
        run_until_settled();
        ck_assert_uint_eq(count_messages(manager->queue, QUEUE_CORRUPT, 0), 2);
        tear_down();
}
END_TEST

int main(void) {
        return unit_main("qmgr", an_announced_message_is_delivered_and_removed,
                         mail_that_nobody_announced_is_found_at_start,
                         a_temporary_failure_waits_in_its_bucket_with_what_is_done_marked,
                         what_failed_is_marked_returned_when_the_notice_is_on_disk,
                         without_bounce_a_failure_stays_to_be_told,
                         a_failure_is_kept_where_its_reason_finds_no_room,
                         an_expired_message_is_returned, an_agent_that_dies_costs_a_deferral,
                         a_missing_transport_defers_and_a_flush_tries_again,
                         memory_for_recipients_is_bounded,
                         files_with_foreign_names_are_quarantined_and_cost_nobody, NULL);
}
