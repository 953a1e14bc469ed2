/* services/qmgr: what becomes of mail, and of each recipient, when agents answer. */

#include "tests/unit/qmgr-world.h"

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

START_TEST(a_notice_that_cannot_be_made_is_asked_for_again) {
        uint64_t bucket;
        char states[8];
        QueueId id;

        set_up("");
        start_agent("bounce", refuse_notice);
        id = put_message("incoming", "ok hard soft", 0);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        deferred_states(&id, states, sizeof(states));
        ck_assert_str_eq(states, "SFT");
        ck_assert_uint_eq(count_deferred(&bucket), 1);
        tear_down();
}
END_TEST

/* Is the mark in the only deferred message? */
static bool deferred_is_delay_noticed(const QueueId *id) {
        int fd _cleanup_(fd_closep) = -1;
        QueueFile *file _cleanup_(queue_file_freep) = open_deferred(id, &fd);

        return queue_file_is_delay_noticed(file);
}

START_TEST(a_delay_is_told_of_once_even_by_another_queue_manager) {
        static const char more[] = "delay_warning_time = 1h\n";
        char kinds[8];
        QueueId id;

        set_up(more);
        stop_manager(); /* agents inherit its lock */
        start_agent("bounce", serve_notice);
        start_manager(more);
        id = put_message("incoming", "ok hard soft", 7200 * USEC_PER_SEC);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        ck_assert(deferred_is_delay_noticed(&id));
        command(QMGR_FLUSH, NULL);
        run_until_settled();
        stop_manager();
        start_manager(more);
        command(QMGR_FLUSH, NULL);
        run_until_settled();
        ck_assert(deferred_is_delay_noticed(&id));
        notices_asked(kinds, sizeof(kinds));
        ck_assert_str_eq(kinds, "fd");
        tear_down();
}
END_TEST

START_TEST(no_delay_is_told_of_before_its_time_or_when_that_is_off) {
        static const char *const more[] = { "", "delay_warning_time = 1\n" };
        static const unsigned age_seconds[] = { 7200, 3500 };
        char kinds[8];

        for (size_t i = 0; i < ARRAY_LEN(more); i++) {
                QueueId id;

                set_up(more[i]);
                start_agent("bounce", serve_notice);
                id = put_message("incoming", "soft", age_seconds[i] * USEC_PER_SEC);
                command(QMGR_INCOMING, &id);
                run_until_settled();
                ck_assert(!deferred_is_delay_noticed(&id));
                notices_asked(kinds, sizeof(kinds));
                ck_assert_str_eq(kinds, "");
                tear_down();
        }
}
END_TEST

START_TEST(a_bounce_that_fails_does_not_hold_delayed_mail) {
        char kinds[8];
        QueueId id;

        set_up("delay_warning_time = 1h\n");
        id = put_message("incoming", "soft", 7200 * USEC_PER_SEC);
        command(QMGR_INCOMING, &id);
        run_until_settled();
        ck_assert(!deferred_is_delay_noticed(&id));
        start_agent("bounce", serve_notice);
        command(QMGR_FLUSH, NULL);
        run_until_settled();
        ck_assert(deferred_is_delay_noticed(&id));
        notices_asked(kinds, sizeof(kinds));
        ck_assert_str_eq(kinds, "d");
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
                         files_with_foreign_names_are_quarantined_and_cost_nobody,
                         a_notice_that_cannot_be_made_is_asked_for_again,
                         a_delay_is_told_of_once_even_by_another_queue_manager,
                         no_delay_is_told_of_before_its_time_or_when_that_is_off,
                         a_bounce_that_fails_does_not_hold_delayed_mail, NULL);
}
