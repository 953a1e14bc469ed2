/* services/postdrop/submission: what a user may hand over, and what becomes of it. */

#include <stdlib.h>

#include "services/postdrop/submission.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static Config *config;
static Queue *queue;

static void set_up_with(const char *override) {
        const char *overrides[] = { "myhostname=h.example", override, NULL };
        ConfigSource source = { .root = tree.root, .overrides = overrides };
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);

        config = config_free(config);
        ck_assert_int_eq(config_load(&source, &config, &error), 0);
}

static void set_up(void) {
        char path[512];

        temp_tree_make(&tree);
        ck_assert_int_eq(mkdir(temp_tree_path(&tree, "maildrop", path, sizeof(path)), 0755), 0);
        set_up_with(NULL);
        ck_assert_int_eq(queue_open(tree.root, 1U << QUEUE_MAILDROP, &queue), 0);
}

static void tear_down(void) {
        queue = queue_free(queue);
        config = config_free(config);
        temp_tree_remove(&tree);
}

static size_t n_files(void) {
        _cleanup_(queue_walk_freep) QueueWalk *walk = NULL;
        const char *name;
        size_t n = 0;

        ck_assert_int_eq(queue_walk_new(queue, QUEUE_MAILDROP, 0, &walk), 0);
        while (queue_walk_next(walk, &name) == 0)
                n++;
        return n;
}

/* One message; status, code and ID of the answer. */
static MailStatus submit(const Envelope *envelope, const Recipient *recipient, Str content,
                         char *ret_dsn, QueueId *ret_id) {
        _cleanup_(submission_deinit) Submission submission;
        MailResult result = { .status = 99 };
        int r;

        submission_init(&submission, config, queue, 4711);
        r = submission_sink.begin(&submission, envelope);
        if (r == 0 && recipient)
                r = submission_sink.recipient(&submission, recipient);
        if (r == 0)
                r = submission_sink.content(&submission, content);
        submission_sink.finish(&submission, r, &result);
        ck_assert_uint_le(result.status, MAIL_REFUSED);
        ck_assert_int_lt(snprintf(ret_dsn, DSN_CODE_MAX, "%.*s", STR_FMT(result.dsn)),
                         DSN_CODE_MAX);
        if (result.status == MAIL_ACCEPTED)
                ck_assert(queue_id_parse(result.queue_id, ret_id));
        return (MailStatus)result.status;
}

START_TEST(who_sends_and_what_it_is_called_is_not_the_users_to_say) {
        Envelope envelope = { .arrival_usec = 1,
                              .queue_id = STR("0123456789ABC0000001"),
                              .sender = STR("jo"),
                              .uid = 0,
                              .flags = ENVELOPE_LOCAL_ORIGIN | ENVELOPE_NOTICE };
        Recipient recipient = { .address = STR("root"), .original = STR("somebody@else") };
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        _cleanup_(fd_closep) int fd = -1;
        QueueFileRecipient got;
        char dsn[DSN_CODE_MAX];
        uint64_t cursor = 0;
        QueueId id;

        ck_assert_int_eq(submit(&envelope, &recipient, STR("x\0y\r\n"), dsn, &id), MAIL_ACCEPTED);
        ck_assert_str_ne(id.text, "0123456789ABC0000001");
        ck_assert_int_eq(queue_open_message(queue, QUEUE_MAILDROP, id.text, O_RDONLY, &fd), 0);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert_uint_eq(queue_file_envelope(file)->uid, 4711);
        ck_assert_uint_eq(queue_file_envelope(file)->flags, ENVELOPE_LOCAL_ORIGIN);
        ck_assert_uint_gt(queue_file_envelope(file)->arrival_usec, 1);
        ck_assert_uint_eq(queue_file_content_size(file), 5); /* as it came */
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &got), 0);
        ck_assert(str_equal(got.recipient.original, STR("root")));
}
END_TEST

START_TEST(what_cannot_be_kept_is_refused) {
        static const struct {
                Envelope envelope;
                Recipient recipient;
                Str content;
                const char *dsn;
        } rows[] = {
                { { .sender = STR("a b") }, { .address = STR("r") }, STR(""), "5.1.7" },
                { { .sender = STR("a\nb") }, { .address = STR("r") }, STR(""), "5.1.7" },
                { { .sender = STR("a\0b") }, { .address = STR("r") }, STR(""), "5.1.7" },
                { { .sender = STR("a") }, { .address = STR("") }, STR(""), "5.1.3" },
                { { .sender = STR("a") }, { .address = STR("r\rx") }, STR(""), "5.1.3" },
                { { .sender = STR("a") }, { .address = STR("r"), .notify = 9 }, STR(""), "5.5.4" },
                { { .full_name = STR("a\nb") }, { .address = STR("r") }, STR(""), "5.6.0" },
                { { .envid = STR("a\nb") }, { .address = STR("r") }, STR(""), "5.6.0" },
                { { .sender = STR("") },
                  { .address = STR("r"), .orcpt = STR("r;\r\n") },
                  STR(""),
                  "5.6.0" },
                { { .sender = STR("") }, { .address = STR("r") }, STR("12345678901"), "5.3.4" },
                { { .sender = STR("") }, { .address = STR("recipient@x") }, STR(""), "5.3.4" },
        };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        set_up_with("message_size_limit=35"); /* recipient "r" takes 26 of it */
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                ck_assert_msg(submit(&rows[i].envelope, &rows[i].recipient, rows[i].content, dsn,
                                     &id) == MAIL_REFUSED,
                              "row %zu", i);
                ck_assert_str_eq(dsn, rows[i].dsn);
        }
        ck_assert_uint_eq(n_files(), 0);
}
END_TEST

/* Each of them costs room in the queue however short it is. */
START_TEST(a_million_short_recipients_are_refused_by_their_size) {
        Envelope envelope = { .sender = STR("a") };
        Recipient recipient = { .address = STR("r") };
        _cleanup_(submission_deinit) Submission submission;
        size_t n = 0;

        set_up_with("message_size_limit=100000");
        submission_init(&submission, config, queue, 1);
        ck_assert_int_eq(submission_sink.begin(&submission, &envelope), 0);
        while (n < 1000000 && submission_sink.recipient(&submission, &recipient) == 0)
                n++;
        ck_assert_uint_ge(n, 3000);
        ck_assert_uint_le(n, 100000 / 25);
}
END_TEST

START_TEST(a_message_without_recipient_is_refused) {
        Envelope envelope = { .sender = STR("a") };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        ck_assert_int_eq(submit(&envelope, NULL, STR("x"), dsn, &id), MAIL_REFUSED);
        ck_assert_str_eq(dsn, "5.5.4");
        ck_assert_uint_eq(n_files(), 0);
}
END_TEST

START_TEST(a_full_disk_is_try_again) {
        Envelope envelope = { .sender = STR("a") };
        Recipient recipient = { .address = STR("r") };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        set_up_with("queue_minfree=9000000000000000000");
        ck_assert_int_eq(submit(&envelope, &recipient, STR("x"), dsn, &id), MAIL_TRY_AGAIN);
        ck_assert_str_eq(dsn, "4.3.1");
        ck_assert_uint_eq(n_files(), 0);
}
END_TEST

START_TEST(what_was_not_finished_leaves_nothing) {
        Envelope envelope = { .sender = STR("a") };
        Recipient recipient = { .address = STR("r") };
        static char much[200000];
        Submission submission;

        submission_init(&submission, config, queue, 1);
        ck_assert_int_eq(submission_sink.begin(&submission, &envelope), 0);
        ck_assert_int_eq(submission_sink.recipient(&submission, &recipient), 0);
        ck_assert_int_eq(submission_sink.content(&submission, str_from(much, sizeof(much))), 0);
        submission_deinit(&submission);
        ck_assert_uint_eq(n_files(), 0);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("postdrop");
        TCase *tcase = tcase_create("postdrop");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, who_sends_and_what_it_is_called_is_not_the_users_to_say);
        tcase_add_test(tcase, what_cannot_be_kept_is_refused);
        tcase_add_test(tcase, a_million_short_recipients_are_refused_by_their_size);
        tcase_add_test(tcase, a_message_without_recipient_is_refused);
        tcase_add_test(tcase, a_full_disk_is_try_again);
        tcase_add_test(tcase, what_was_not_finished_leaves_nothing);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
