/*
 * services/cleanup/message: what becomes of a message, from its sink's calls to the file in
 * incoming/.
 */

#include <stdlib.h>

#include "common/base/log.h"
#include "services/cleanup/message.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static TempTree tree;
static Config *config;
static Queue *queue;

static void set_up_with(const char *override) {
        const char *overrides[] = { "myhostname=h.example", "myorigin=o.example", override, NULL };
        ConfigSource source = { .root = tree.root, .overrides = overrides };
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);

        config = config_free(config);
        ck_assert_int_eq(config_load(&source, &config, &error), 0);
}

static void set_up(void) {
        static const char *const dirs[] = { "incoming", "corrupt", "hold" };
        char path[512];

        temp_tree_make(&tree);
        for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
                ck_assert_int_eq(mkdir(temp_tree_path(&tree, dirs[i], path, sizeof(path)), 0755),
                                 0);
        set_up_with(NULL);
        ck_assert_int_eq(queue_open(tree.root, 1U << QUEUE_INCOMING, &queue), 0);
}

static void tear_down(void) {
        queue = queue_free(queue);
        config = config_free(config);
        temp_tree_remove(&tree);
}

typedef struct Submission {
        const char *id, *sender;
        const char *recipients[4]; /* up to NULL */
        const char *content;
} Submission;

/* One message through the sink; TEXT gets "STATUS DSN". */
static MailStatus submit(const Submission *submission, char *ret_dsn, QueueId *ret_id) {
        _cleanup_(message_deinit) Message message;
        MailResult result = { .status = 99 };
        Envelope envelope = {
                .queue_id = str_from_cstr(submission->id),
                .sender = str_from_cstr(submission->sender),
                .full_name = STR("Jo"),
                .uid = 1000,
                .flags = ENVELOPE_LOCAL_ORIGIN,
        };
        int r;

        message_init(&message, config, queue);
        r = message_sink.begin(&message, &envelope);
        for (size_t i = 0; r == 0 && submission->recipients[i]; i++) {
                Recipient recipient = { .address = str_from_cstr(submission->recipients[i]) };

                r = message_sink.recipient(&message, &recipient);
        }
        if (r == 0)
                r = message_sink.content(&message, str_from_cstr(submission->content));
        message_sink.finish(&message, r, &result);
        ck_assert_int_lt(snprintf(ret_dsn, DSN_CODE_MAX, "%.*s", STR_FMT(result.dsn)),
                         DSN_CODE_MAX);
        ck_assert_uint_le(result.status, MAIL_REFUSED);
        if (result.status == MAIL_ACCEPTED)
                ck_assert(queue_id_parse(result.queue_id, ret_id));
        return (MailStatus)result.status;
}

static size_t n_incoming(void) {
        _cleanup_(queue_walk_freep) QueueWalk *walk = NULL;
        const char *name;
        size_t n = 0;

        ck_assert_int_eq(queue_walk_new(queue, QUEUE_INCOMING, 0, &walk), 0);
        while (queue_walk_next(walk, &name) == 0)
                n++;
        return n;
}

START_TEST(an_accepted_message_is_in_incoming_with_qualified_addresses) {
        Submission submission = { .sender = "jo",
                                  .recipients = { "root", "a@b", "ROOT" },
                                  .content = "Bcc: x\nMessage-Id: <m>\n\nbody" };
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        _cleanup_(fd_closep) int fd = -1;
        QueueFileRecipient got;
        char dsn[DSN_CODE_MAX];
        uint64_t cursor = 0;
        QueueId id;

        ck_assert_int_eq(submit(&submission, dsn, &id), MAIL_ACCEPTED);
        ck_assert_int_eq(queue_open_message(queue, QUEUE_INCOMING, id.text, O_RDONLY, &fd), 0);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert(str_equal(queue_file_envelope(file)->sender, STR("jo@o.example")));
        ck_assert_uint_eq(queue_file_envelope(file)->uid, 1000);
        ck_assert_uint_eq(queue_file_n_recipients(file), 2); /* the third is the first again */
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &got), 0);
        ck_assert(str_equal(got.recipient.address, STR("root@o.example")));
        ck_assert(str_equal(got.recipient.original, STR("root")));
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &got), 0);
        ck_assert(str_equal(got.recipient.address, STR("a@b")));
}
END_TEST

START_TEST(the_proposed_id_is_taken_once) {
        Submission submission = {
                .id = "0123456789ABC0000001", .sender = "", .recipients = { "root" }, .content = ""
        };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        ck_assert_int_eq(submit(&submission, dsn, &id), MAIL_ACCEPTED);
        ck_assert_str_eq(id.text, submission.id);
        ck_assert_int_eq(submit(&submission, dsn, &id), MAIL_TRY_AGAIN);
        ck_assert_uint_eq(n_incoming(), 1);
}
END_TEST

START_TEST(the_faults_of_a_message_are_refused_for_good) {
        static const struct {
                Submission submission;
                const char *dsn;
        } rows[] = {
                { { .id = "short", .sender = "a", .recipients = { "b" } }, "5.3.0" },
                { { .sender = "a b", .recipients = { "b" } }, "5.1.7" },
                { { .sender = "a\nb", .recipients = { "b" } }, "5.1.7" },
                { { .sender = "a", .recipients = { "b\rc" } }, "5.1.3" },
                { { .sender = "a", .recipients = { "" } }, "5.1.3" },
                { { .sender = "a", .recipients = { "ok", "\"b" } }, "5.1.3" },
                { { .sender = "a", .recipients = { NULL } }, "5.5.4" },
                { { .sender = "a", .recipients = { "b" }, .content = "Received: 1\n\n" }, "5.4.0" },
                { { .sender = "a", .recipients = { "b" }, .content = "0123456789012345678901\n" },
                  "5.3.4" },
        };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                set_up_with(i == 7 ? "hopcount_limit=2" : "message_size_limit=20");
                ck_assert_msg(submit(&rows[i].submission, dsn, &id) == MAIL_REFUSED, "row %zu", i);
                ck_assert_str_eq(dsn, rows[i].dsn);
        }
        ck_assert_uint_eq(n_incoming(), 0);
}
END_TEST

START_TEST(a_full_disk_is_no_fault_of_the_message) {
        Submission submission = { .sender = "a", .recipients = { "b" }, .content = "x\n" };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        set_up_with("queue_minfree=9000000000000000000");
        ck_assert_int_eq(submit(&submission, dsn, &id), MAIL_TRY_AGAIN);
        ck_assert_str_eq(dsn, "4.3.1");
        ck_assert_uint_eq(n_incoming(), 0);
}
END_TEST

START_TEST(twice_named_recipients_are_remembered_up_to_the_limit) {
        DuplicateFilter filter;
        Recipient a = { .address = STR("a@b"), .original = STR("a") };
        Recipient same = { .address = STR("A@B"), .original = STR("a") };
        Recipient other_original = { .address = STR("a@b"), .original = STR("x") };
        Recipient other_notify = { .address = STR("a@b"), .original = STR("a"), .notify = 1 };

        duplicate_filter_init(&filter, 2);
        ck_assert(!duplicate_filter_seen(&filter, &a));
        ck_assert(duplicate_filter_seen(&filter, &same));
        ck_assert(!duplicate_filter_seen(&filter, &other_original));
        ck_assert(!duplicate_filter_seen(&filter, &other_notify));
        ck_assert(duplicate_filter_seen(&filter, &other_original));
        ck_assert(!duplicate_filter_seen(&filter, &other_notify)); /* it was one too many */
        duplicate_filter_deinit(&filter);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("cleanup-message");
        TCase *tcase = tcase_create("cleanup-message");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, an_accepted_message_is_in_incoming_with_qualified_addresses);
        tcase_add_test(tcase, the_proposed_id_is_taken_once);
        tcase_add_test(tcase, the_faults_of_a_message_are_refused_for_good);
        tcase_add_test(tcase, a_full_disk_is_no_fault_of_the_message);
        tcase_add_test(tcase, twice_named_recipients_are_remembered_up_to_the_limit);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
