/*
 * services/qmgr when things go wrong: agents that die, hang or say nothing, descriptors and rights
 * that are missing, files that go away. No mail may wait for ever, be lost, or come twice.
 */

#include "tests/unit/qmgr-world.h"

static void run_for(usec_t time_usec) {
        usec_t end = clock_monotonic_usec() + time_usec;

        while (clock_monotonic_usec() < end)
                ck_assert_int_ge(sd_event_run(env.event, 10 * USEC_PER_MSEC), 0);
}

/* Two connections end without a hello, the second while the first one's pause is on. */
static void close_two(int listener) {
        int a = accept(listener, NULL, NULL), b = accept(listener, NULL, NULL);

        (void)close(a);
        (void)usleep(150 * 1000);
        (void)close(b);
}

START_TEST(pauses_that_overlap_do_not_leave_mail_waiting_for_ever) {
        uint64_t bucket;
        QueueId id;

        set_up("default_transport = other:\nother_destination_recipient_limit = 1\n");
        start_odd_agent("other", serve_delivery, close_two);
        id = put_message("incoming", "ok1@x.example ok2@x.example", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        tear_down();
}
END_TEST

/* Workers that say hello and take nothing, for ever. */
static void say_hello_only(int listener) {
        IpcConn *conn;
        int fd;

        while ((fd = accept(listener, NULL, NULL)) >= 0) {
                (void)shutdown(fd, SHUT_RD);
                if (ipc_conn_new(fd, &conn) != 0)
                        _exit(1);
                (void)ipc_conn_send_hello(conn, "other");
                (void)usleep(2000);
                ipc_conn_free(conn);
        }
}

START_TEST(agents_that_take_no_request_cost_a_deferral) {
        char states[8];
        QueueId id;

        set_up("default_transport = other:\n");
        start_odd_agent("other", serve_delivery, say_hello_only);
        id = put_message("incoming", "ok@x.example", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "T");
        tear_down();
}
END_TEST

START_TEST(a_lack_of_descriptors_is_not_the_death_of_a_transport_that_answers) {
        const Manager *manager;
        struct rlimit limit, tight;
        uint64_t bucket;
        QueueId first, second;
        int lowest;

        set_up("");
        manager = env.context;
        first = put_message("incoming", "slow", 0);
        second = put_message("incoming", "ok", 0);
        command(QMGR_INCOMING, &first);
        run_for(80 * USEC_PER_MSEC); /* the agent has it */
        ck_assert_uint_eq(manager->n_messages, 1);
        command(QMGR_INCOMING, &second);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        lowest = dup(0);
        (void)close(lowest);
        tight = (struct rlimit){ .rlim_cur = (rlim_t)lowest, .rlim_max = limit.rlim_max };
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
        run_for(80 * USEC_PER_MSEC);
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        tear_down();
}
END_TEST

START_TEST(a_flush_reaches_mail_that_was_just_given_to_a_dead_transport) {
        uint64_t bucket;
        QueueId id;

        set_up("default_transport = other:\n");
        id = put_message("incoming", "ok@elsewhere.example", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        start_agent("other", serve_delivery);
        id = put_message("incoming", "ok2@elsewhere.example", 0);
        command(QMGR_INCOMING, &id);
        command(QMGR_FLUSH, NULL);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        tear_down();
}
END_TEST

START_TEST(a_message_whose_recipients_wait_leaves_room_for_others) {
        Buf recipients _cleanup_(buf_deinit) = BUF_INIT(100000);
        QueueId id;

        for (int i = 0; i < 100; i++)
                (void)buf_printf(&recipients, "ok%d@elsewhere.example ", i);
        set_up("default_transport = other:\nqmgr_message_recipient_limit = 40\n");
        (void)listen_at("other"); /* never a hello */
        id = put_message("incoming", buf_cstr(&recipients), 0);
        command(QMGR_INCOMING, &id);
        id = put_message("incoming", "ok", 0);
        command(QMGR_INCOMING, &id);
        run_until_delivered(1);
        tear_down();
}
END_TEST

START_TEST(room_is_used_as_soon_as_recipients_are_done) {
        QueueId id;

        set_up("default_transport = other:\nqmgr_message_recipient_limit = 10\n");
        start_agent("other", serve_delivery);
        id = put_message("incoming", "ok1@x ok2@x ok3@x ok4@x ok5@x ok6@x ok7@x ok8@x ok9@x hang@x",
                         0);
        command(QMGR_INCOMING, &id);
        id = put_message("incoming", "ok", 0);
        command(QMGR_INCOMING, &id);
        run_until_delivered(10);
        tear_down();
}
END_TEST

/* Let the time come for what was put off after an error. */
static void retry_now(void) {
        const Manager *manager = env.context;

        ck_assert_int_ge(sd_event_source_set_time_relative(manager->active_retry, 0), 0);
        run_for(100 * USEC_PER_MSEC);
}

START_TEST(what_is_delivered_and_cannot_be_removed_is_not_delivered_again) {
        const Manager *manager;
        char path[128];
        QueueId id;

        set_up("");
        manager = env.context;
        id = put_message("active", "ok", 0);
        (void)snprintf(path, sizeof(path), "%s/queue/active/%s", tree.root, id.text);
        ck_assert_int_eq(chmod(path, 0644), 0);
        ck_assert_int_eq(chmod(tree.root, 0755), 0);
        (void)snprintf(path, sizeof(path), "%s/queue/active", tree.root);
        ck_assert_int_eq(chmod(path, 0755), 0);
        (void)snprintf(path, sizeof(path), "%s/queue", tree.root);
        ck_assert_int_eq(chmod(path, 0755), 0);
        (void)snprintf(path, sizeof(path), "%s/run", tree.root);
        ck_assert_int_eq(chmod(path, 0755), 0);
        ck_assert_int_eq(seteuid(65534), 0);
        run_until_delivered(1);
        retry_now();
        retry_now();
        ck_assert_int_eq(seteuid(0), 0);
        ck_assert_uint_eq(count_deliveries(), 1);
        ck_assert_uint_eq(manager->n_messages, 1);
        retry_now();
        run_until_settled();
        ck_assert_uint_eq(count_deliveries(), 1);
        tear_down();
}
END_TEST

START_TEST(files_taken_away_under_our_feet_cost_nothing) {
        const Manager *manager;
        QueueId ids[100];
        char path[256];

        set_up("qmgr_message_active_limit = 20\n");
        manager = env.context;
        for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
                ids[i] = put_message("incoming", "ok soft hard flaky", 0);
                command(QMGR_INCOMING, &ids[i]);
        }
        for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
                ck_assert_int_ge(sd_event_run(env.event, 20 * USEC_PER_MSEC), 0);
                (void)snprintf(path, sizeof(path), "%s/queue/%s/%.20s", tree.root,
                               i % 3 ? "active" : "incoming", ids[i].text);
                (void)unlink(path);
        }
        run_until_settled();
        ck_assert_uint_eq(manager->n_messages, 0);
        tear_down();
}
END_TEST

/* It was complete once, so it is no leftover of a crash that may be removed. */
START_TEST(a_deferred_message_that_was_cut_short_goes_to_corrupt) {
        const Manager *manager;
        char path[QUEUE_PATH_MAX];
        uint64_t bucket = 0;
        QueueId id;
        int fd;

        set_up("");
        manager = env.context;
        id = put_message("incoming", "soft", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        ck_assert_uint_eq(count_deferred(&bucket), 1);
        ck_assert_int_eq(queue_deferred_path(bucket, id.text, path), 0);
        ck_assert_int_eq(queue_open_message(manager->queue, QUEUE_DEFERRED, path, O_RDWR, &fd), 0);
        ck_assert_int_eq(ftruncate(fd, 100), 0);
        (void)close(fd);
        command(QMGR_FLUSH, NULL);
        run_until_settled();
        ck_assert_uint_eq(count_messages(manager->queue, QUEUE_CORRUPT, 0), 1);
        tear_down();
}
END_TEST

START_TEST(all_mail_arrives_through_agents_that_die_within_few_active_places) {
        const Manager *manager;
        uint64_t bucket;
        size_t n = 200;
        QueueId id;

        set_up("qmgr_message_active_limit = 5\n");
        manager = env.context;
        for (size_t i = 0; i < n; i++) {
                id = put_message("incoming", i % 2 ? "flaky1" : "ok", 0);
                command(QMGR_INCOMING, &id);
                ck_assert_uint_le(manager->n_messages, 5);
        }
        run_until_settled();
        for (int i = 0; i < 20 && count_deferred(&bucket) > 0; i++) {
                command(QMGR_FLUSH, NULL);
                run_until_settled();
        }
        ck_assert_uint_eq(count_deferred(&bucket), 0);
        ck_assert_uint_eq(count_deliveries(), n);
        tear_down();
}
END_TEST

int main(void) {
        return unit_main("qmgr-fault", pauses_that_overlap_do_not_leave_mail_waiting_for_ever,
                         agents_that_take_no_request_cost_a_deferral,
                         a_lack_of_descriptors_is_not_the_death_of_a_transport_that_answers,
                         a_flush_reaches_mail_that_was_just_given_to_a_dead_transport,
                         a_message_whose_recipients_wait_leaves_room_for_others,
                         room_is_used_as_soon_as_recipients_are_done,
                         what_is_delivered_and_cannot_be_removed_is_not_delivered_again,
                         files_taken_away_under_our_feet_cost_nothing,
                         a_deferred_message_that_was_cut_short_goes_to_corrupt,
                         all_mail_arrives_through_agents_that_die_within_few_active_places, NULL);
}
