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
static Settings *settings;
static Queue *queue; /* the settings' */

/* OVERRIDES: "name=value" up to NULL, at most 8. */
static void set_up_all(const char *const *overrides) {
        const char *all[11] = { "myhostname=h.example", "myorigin=o.example" };
        ConfigSource source = { .root = tree.root, .overrides = all };
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
        RoleEnv env = { .role = "cleanup" };

        for (size_t i = 0; overrides[i]; i++)
                all[i + 2] = overrides[i];
        settings = settings_free(settings);
        config = config_free(config);
        ck_assert_int_eq(config_load(&source, &config, &error), 0);
        env.config = config;
        ck_assert_int_eq(settings_new(&env, &settings), 0);
        ck_assert_int_eq(queue_open(tree.root, 1U << QUEUE_INCOMING, &settings->queue), 0);
        queue = settings->queue;
}

static void set_up_with(const char *override) {
        const char *const overrides[] = { override, NULL };

        set_up_all(overrides);
}

static void set_up(void) {
        static const char *const dirs[] = { "incoming", "corrupt", "hold" };
        char path[512];

        temp_tree_make(&tree);
        for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
                ck_assert_int_eq(mkdir(temp_tree_path(&tree, dirs[i], path, sizeof(path)), 0755),
                                 0);
        set_up_with(NULL);
}

static void tear_down(void) {
        settings = settings_free(settings);
        config = config_free(config);
        temp_tree_remove(&tree);
}

typedef struct Submission {
        const char *id, *sender;
        const char *recipients[4]; /* up to NULL */
        const char *content;
} Submission;

static uint32_t extra_flags, without_flags; /* of the envelope */

/* One message through the sink; TEXT gets "STATUS DSN". */
static MailStatus submit(const Submission *submission, char *ret_dsn, QueueId *ret_id) {
        _cleanup_(message_deinit) Message message;
        MailResult result = { .status = 99 };
        Envelope envelope = {
                .queue_id = str_from_cstr(submission->id),
                .sender = str_from_cstr(submission->sender),
                .full_name = STR("Jo"),
                .uid = 1000,
                .flags = (ENVELOPE_LOCAL_ORIGIN | extra_flags) & ~without_flags,
        };
        int r;

        message_init(&message, settings);
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

/* ---- aliases and copies ---- */

/* What the message in incoming/ID says of its recipients: "address(original)notify ...". */
static void describe_recipients(const QueueId *id, Buf *ret) {
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        _cleanup_(fd_closep) int fd = -1;
        QueueFileRecipient got;
        uint64_t cursor = 0;

        ck_assert_int_eq(queue_open_message(queue, QUEUE_INCOMING, id->text, O_RDONLY, &fd), 0);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        while (queue_file_next_recipient(file, &cursor, false, &got) == 0) {
                (void)buf_append_cstr(ret, ret->len > 0 ? " " : "");
                (void)buf_append_str(ret, got.recipient.address);
                (void)buf_printf(ret, "(%.*s)", STR_FMT(got.recipient.original));
                if (got.recipient.notify)
                        (void)buf_printf(ret, "%u", got.recipient.notify);
        }
}

static void assert_recipients(const char *recipient, const char *want) {
        Submission submission = { .sender = "jo", .recipients = { recipient }, .content = "" };
        _cleanup_(buf_deinit) Buf got = BUF_INIT(100000);
        char dsn[DSN_CODE_MAX];
        QueueId id;

        ck_assert_msg(submit(&submission, dsn, &id) == MAIL_ACCEPTED, "%s: %s", recipient, dsn);
        describe_recipients(&id, &got);
        ck_assert_msg(str_equal(buf_str(&got), str_from_cstr(want)), "%s: %.*s, not %s", recipient,
                      STR_FMT(buf_str(&got)), want);
}

static void assert_waits(const char *recipient, const char *want_dsn) {
        Submission submission = { .sender = "jo", .recipients = { recipient }, .content = "" };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        ck_assert_msg(submit(&submission, dsn, &id) == MAIL_TRY_AGAIN, "%s", recipient);
        ck_assert_str_eq(dsn, want_dsn);
}

/* As Debian's Postfix 3.10 writes them into its queue file (postcat), with the same table. */
static const char *const alias_settings[] = {
        "virtual_alias_maps=inline:{ {list@va.example = a@x.example, b@y.example bob} "
        "{@dom.example = @other.example} {ext@va.example = target@t.example} "
        "{base@va.example = @o2.example} {chain1@va.example = chain2@va.example} "
        "{chain2@va.example = end@e.example} {loop1@va.example = loop2@va.example} "
        "{loop2@va.example = loop1@va.example} "
        "{self@va.example = SELF@va.example, more@va.example} "
        "{u = plain@p.example} {\"quo ted\"@va.example = q@q.example} "
        "{grp@va.example = Friends: f1, \"F 2\" <f2@x>;} {bad@va.example = <<} "
        "{twice@va.example = a@x.example, A@X.example} }",
        "recipient_delimiter=+",
        NULL,
};

START_TEST(recipients_are_what_virtual_aliases_stand_for) {
        set_up_all(alias_settings);
        assert_recipients("list@va.example",
                          "a@x.example(list@va.example) b@y.example(list@va.example) "
                          "bob@o.example(list@va.example)");
        assert_recipients("user+x@dom.example", "user+x@other.example(user+x@dom.example)");
        assert_recipients("ext+e1@va.example", "target+e1@t.example(ext+e1@va.example)");
        assert_recipients("base+e@va.example", "base+e@o2.example(base+e@va.example)");
        assert_recipients("chain1@va.example", "end@e.example(chain1@va.example)");
        assert_recipients("self@va.example",
                          "SELF@va.example(self@va.example) more@va.example(self@va.example)");
        assert_recipients("u+zz", "plain+zz@p.example(u+zz)");
        assert_recipients("u@elsewhere.example", "u@elsewhere.example(u@elsewhere.example)");
        assert_recipients("\"quo ted+e\"@va.example", "q+e@q.example(\"quo ted+e\"@va.example)");
        assert_recipients("grp@va.example", "f1@o.example(grp@va.example) f2@x(grp@va.example)");
        assert_recipients("twice@va.example", "a@x.example(twice@va.example)");
        assert_recipients("", "MAILER-DAEMON@o.example(MAILER-DAEMON)");
}
END_TEST

START_TEST(aliases_without_end_and_tables_that_fail_make_the_mail_wait) {
        const char *const limits[] = { alias_settings[0], "virtual_alias_expansion_limit=2",
                                       "virtual_alias_recursion_limit=2",
                                       "virtual_alias_address_length_limit=13", NULL };

        set_up_all(alias_settings);
        assert_waits("loop1@va.example", "4.6.0");
        assert_waits("bad@va.example", "4.3.0");
        set_up_all(limits);
        assert_waits("list@va.example", "4.6.0");   /* three addresses */
        assert_waits("chain1@va.example", "4.6.0"); /* a third lookup */
        assert_waits("ext@va.example", "4.6.0");    /* 16 bytes */
        assert_recipients("chain2@va.example", "end@e.example(chain2@va.example)");
        set_up_with("virtual_alias_maps=texthash:/nonexistent/x");
        assert_waits("x", "4.3.0");
        set_up_with("recipient_bcc_maps=texthash:/nonexistent/x");
        assert_waits("x", "4.3.0");
        set_up_with("sender_bcc_maps=texthash:/nonexistent/x");
        assert_waits("x", "4.3.0");
        set_up_with("sender_bcc_maps=inline:{jo=@}");
        assert_waits("x", "4.3.5");
        set_up_with("always_bcc=\"");
        assert_waits("x", "4.3.5");
        ck_assert_uint_eq(n_incoming(), 1);
}
END_TEST

START_TEST(extensions_go_on_only_where_they_are_to) {
        const char *const overrides[] = { alias_settings[0], alias_settings[1],
                                          "propagate_unmatched_extensions=canonical", NULL };

        set_up_all(overrides);
        assert_recipients("ext+e1@va.example", "target@t.example(ext+e1@va.example)");
}
END_TEST

static const char *const copy_settings[] = {
        "always_bcc=archive",
        "sender_bcc_maps=inline:{jo@o.example=sbcc@b.example}",
        "recipient_bcc_maps=inline:{list=rbcc}",
        "virtual_alias_maps=inline:{list=a@x, rbcc=r@x}",
        NULL,
};

START_TEST(new_mail_has_automatic_copies_of_which_nobody_is_told) {
        set_up_all(copy_settings);
        assert_recipients("list", "sbcc@b.example(sbcc@b.example)1 a@x(list) "
                                  "r@x(rbcc@o.example)1 archive@o.example(archive@o.example)1");
        assert_recipients("x@y", "sbcc@b.example(sbcc@b.example)1 x@y(x@y) "
                                 "archive@o.example(archive@o.example)1");
}
END_TEST

START_TEST(notices_and_mail_sent_on_get_no_copies) {
        set_up_all(copy_settings);
        extra_flags = ENVELOPE_NOTICE;
        assert_recipients("list", "a@x(list)");
        extra_flags = ENVELOPE_FORWARDED;
        assert_recipients("list", "a@x(list)");
        extra_flags = 0;
}
END_TEST

START_TEST(copies_alone_are_no_recipients) {
        Submission submission = { .sender = "jo", .recipients = { NULL }, .content = "" };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        set_up_all(copy_settings);
        ck_assert_int_eq(submit(&submission, dsn, &id), MAIL_REFUSED);
        ck_assert_str_eq(dsn, "5.5.4");
}
END_TEST

START_TEST(without_originals_a_mailbox_is_named_once) {
        Submission submission = { .sender = "jo",
                                  .recipients = { "a@x", "b@x", "B@X" },
                                  .content = "" };
        const char *const overrides[] = { "virtual_alias_maps=inline:{a@x=b@x}",
                                          "enable_original_recipient=no", NULL };
        _cleanup_(buf_deinit) Buf got = BUF_INIT(1000);
        char dsn[DSN_CODE_MAX];
        QueueId id;

        set_up_all(overrides);
        ck_assert_int_eq(submit(&submission, dsn, &id), MAIL_ACCEPTED);
        describe_recipients(&id, &got);
        ck_assert(str_equal(buf_str(&got), STR("b@x(a@x)")));
}
END_TEST

START_TEST(mailer_daemon_of_this_machine_is_the_null_sender) {
        static const struct {
                const char *sender, *want;
        } rows[] = {
                { "MAILER-DAEMON", "" },
                { "mailer-daemon@O.example", "" },
                { "MAILER-DAEMON@x", "MAILER-DAEMON@x" },
                { "h!jo", "jo@h" },
                { "@a,@b:jo@c", "jo@c" },
                { "jo%c", "jo@c" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Submission submission = { .sender = rows[i].sender,
                                          .recipients = { "root" },
                                          .content = "" };
                _cleanup_(queue_file_freep) QueueFile *file = NULL;
                _cleanup_(fd_closep) int fd = -1;
                char dsn[DSN_CODE_MAX];
                QueueId id;

                ck_assert_msg(submit(&submission, dsn, &id) == MAIL_ACCEPTED, "%s", rows[i].sender);
                ck_assert_int_eq(queue_open_message(queue, QUEUE_INCOMING, id.text, O_RDONLY, &fd),
                                 0);
                ck_assert_int_eq(queue_file_open(fd, &file), 0);
                ck_assert_msg(
                        str_equal(queue_file_envelope(file)->sender, str_from_cstr(rows[i].want)),
                        "%s", rows[i].sender);
        }
}
END_TEST

/* ---- header addresses ---- */

static void assert_stored(const char *content, const char *want) {
        Submission submission = { .sender = "jo", .recipients = { "x" }, .content = content };
        _cleanup_(queue_file_freep) QueueFile *file = NULL;
        _cleanup_(fd_closep) int fd = -1;
        char dsn[DSN_CODE_MAX], stored[1000];
        QueueId id;
        ssize_t n;

        ck_assert_int_eq(submit(&submission, dsn, &id), MAIL_ACCEPTED);
        ck_assert_int_eq(queue_open_message(queue, QUEUE_INCOMING, id.text, O_RDONLY, &fd), 0);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        n = pread(fd, stored, size_min(queue_file_content_size(file), sizeof(stored) - 1),
                  (off_t)queue_file_content_offset(file));
        ck_assert_int_ge(n, 0);
        stored[n] = '\0';
        ck_assert_msg(strstr(stored, want), "no %s in\n%s", want, stored);
}

START_TEST(only_our_own_mail_has_its_header_addresses_completed) {
        const char *const remote[] = { "remote_header_rewrite_domain=far.invalid", NULL };

        assert_stored("To: bob\n\n", "\nTo: bob@o.example\n");
        without_flags = ENVELOPE_LOCAL_ORIGIN;
        assert_stored("To: bob\n\n", "\nTo: bob\n");
        extra_flags = ENVELOPE_NOTICE;
        assert_stored("To: bob\n\n", "To: bob@o.example\n");
        extra_flags = 0;
        set_up_all(remote);
        assert_stored("To: bob, a@b\n\n", "\nTo: bob@far.invalid, a@b\n");
        without_flags = 0;
        assert_stored("To: bob\n\n", "\nTo: bob@o.example\n");
}
END_TEST

/* ---- the rest ---- */

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
                { { .sender = "a", .recipients = { "@b" } }, "5.1.3" },
                { { .sender = "@b", .recipients = { "b" } }, "5.1.7" },
                { { .sender = "a", .recipients = { "ok", "\"b" } }, "5.1.3" },
                { { .sender = "a", .recipients = { NULL } }, "5.5.4" },
                { { .sender = "a", .recipients = { "b" }, .content = "Received: 1\n\n" }, "5.4.0" },
                { { .sender = "a", .recipients = { "b" }, .content = "0123456789012345678901\n" },
                  "5.3.4" },
        };
        char dsn[DSN_CODE_MAX];
        QueueId id;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                set_up_with(i == 8 ? "hopcount_limit=2" : "message_size_limit=20");
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
        tcase_add_test(tcase, recipients_are_what_virtual_aliases_stand_for);
        tcase_add_test(tcase, aliases_without_end_and_tables_that_fail_make_the_mail_wait);
        tcase_add_test(tcase, extensions_go_on_only_where_they_are_to);
        tcase_add_test(tcase, new_mail_has_automatic_copies_of_which_nobody_is_told);
        tcase_add_test(tcase, notices_and_mail_sent_on_get_no_copies);
        tcase_add_test(tcase, copies_alone_are_no_recipients);
        tcase_add_test(tcase, without_originals_a_mailbox_is_named_once);
        tcase_add_test(tcase, mailer_daemon_of_this_machine_is_the_null_sender);
        tcase_add_test(tcase, only_our_own_mail_has_its_header_addresses_completed);
        tcase_add_test(tcase, the_proposed_id_is_taken_once);
        tcase_add_test(tcase, the_faults_of_a_message_are_refused_for_good);
        tcase_add_test(tcase, a_full_disk_is_no_fault_of_the_message);
        tcase_add_test(tcase, twice_named_recipients_are_remembered_up_to_the_limit);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
