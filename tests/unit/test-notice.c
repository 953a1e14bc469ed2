/* Notices: RFC 3464 and 6522 form, and nothing of a hostile queue file can begin a line of it. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "services/bounce/notice.h"
#include "tests/unit/unit.h"

static char dir_path[] = "/tmp/unitpost-test-notice-XXXXXX";
static int dir_fd = -1;

static QueueId id;
static int fd = -1;
static QueueFile *file;
static NoticeSpec spec;
static Buf out;

static void setup(void) {
        memcpy(dir_path + sizeof(dir_path) - 7, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(dir_path));
        dir_fd = file_open_dir(AT_FDCWD, dir_path);
        ck_assert_int_ge(dir_fd, 0);
        id = queue_id_new(1795557651000000);
        out = BUF_INIT(64 << 20);
        spec = (NoticeSpec){
                .queue_id = str_from_cstr(id.text),
                .notice_id = STR("6610D85736B5B9E3AD82"),
                .recipient = STR("ann@example.org"),
                .hostname = STR("mx.example.org"),
                .mail_name = STR("unitpost"),
                .boundary = STR("B0UNDARY"),
                .now_usec = 1795557651000000,
                .original_max_bytes = 50000,
        };
}

/* Room for the next message of a test. */
static void discard_message(void) {
        file = queue_file_free(file);
        fd_closep(&fd);
        (void)unlinkat(dir_fd, id.text, 0);
        buf_reset(&out);
}

static void teardown(void) {
        discard_message();
        buf_deinit(&out);
        fd_closep(&dir_fd);
        ck_assert_int_eq(rmdir(dir_path), 0);
}

typedef struct Wanted {
        Recipient recipient;
        RecipientState state;
        DsnStatus status; /* 0: bounced */
        const char *code, *text;
} Wanted;

static void mark(const Wanted *wanted, size_t n) {
        QueueFile *reader _cleanup_(queue_file_freep) = NULL;
        QueueFileRecipient found;
        uint64_t cursor = 0;
        Dsn dsn;

        ck_assert_int_eq(queue_file_open(fd, &reader), 0);
        for (size_t i = 0; i < n; i++) {
                ck_assert_int_eq(queue_file_next_recipient(reader, &cursor, false, &found), 0);
                if (!wanted[i].code) {
                        ck_assert_int_eq(queue_file_mark(fd, found.offset, wanted[i].state), 0);
                        continue;
                }
                dsn_set(&dsn, wanted[i].status ? wanted[i].status : DSN_BOUNCED, wanted[i].code,
                        "%s", wanted[i].text);
                ck_assert_int_eq(queue_file_write_diagnosis(fd, found.offset, &dsn,
                                                            1795557650000000, wanted[i].state),
                                 0);
        }
}

/* A message with these recipients, opened as bounce opens it. */
static void make_message(Envelope envelope, Str content, const Wanted *wanted, size_t n) {
        QueueFileWriter *writer _cleanup_(queue_file_writer_freep) = NULL;

        envelope.arrival_usec = 1795557600000000;
        if (!envelope.sender.data)
                envelope.sender = STR("ann@example.org");
        ck_assert_int_eq(queue_file_writer_new(dir_fd, &envelope, NULL, &writer), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, content), 0);
        for (size_t i = 0; i < n; i++)
                ck_assert_int_eq(queue_file_writer_add_recipient(writer, &wanted[i].recipient), 0);
        ck_assert_int_eq(queue_file_writer_commit(writer, &id), 0);
        fd = openat(dir_fd, id.text, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        mark(wanted, n);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        spec.file = file;
        spec.fd = fd;
}

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

static void build(void) {
        ck_assert_int_eq(notice_build(&spec, collect, &out), 0);
}

static bool has(const char *text) {
        return memmem(out.data, out.len, text, strlen(text)) != NULL;
}

/* In the notice, or not. */
#define check_has(text)   ck_assert_msg(has(text), "no '%s': %.*s", text, STR_FMT(buf_str(&out)))
#define check_lacks(text) ck_assert_msg(!has(text), "'%s': %.*s", text, STR_FMT(buf_str(&out)))

/* clang-format off */
#define FAILED(addr)                                                                               \
        {                                                                                          \
                .recipient = { .address = STR(addr) }, .state = RECIPIENT_FAILED, .code = "5.1.1", \
                .text = "unknown user: \"bob\""                                                    \
        }
/* clang-format on */

static const Wanted bob = FAILED("bob@example.org");

START_TEST(a_notice_has_the_fields_of_rfc_3464) {
        make_message((Envelope){ 0 }, STR("Subject: hello\n\nbody\n"), &bob, 1);
        build();
        check_has("From: MAILER-DAEMON@mx.example.org (Mail Delivery System)\n"
                  "To: ann@example.org\nSubject: Undelivered Mail Returned to Sender\n"
                  "Auto-Submitted: auto-replied\nMIME-Version: 1.0\n"
                  "Content-Type: multipart/report; report-type=delivery-status;\n"
                  "\tboundary=\"B0UNDARY\"\n");
        check_has("Received: by mx.example.org (unitpost)\n\tid 6610D85736B5B9E3AD82; ");
        check_has("\nMessage-ID: <");
        check_has("\nReporting-MTA: dns; mx.example.org\nX-Unitpost-Queue-ID: ");
        check_has("\nX-Unitpost-Sender: rfc822; ann@example.org\nArrival-Date: ");
        check_has("\n\nFinal-Recipient: rfc822; bob@example.org\nAction: failed\nStatus: 5.1.1\n"
                  "Diagnostic-Code: X-Unitpost; unknown user: \"bob\"\n"
                  "Last-Attempt-Date: Tue, 24 Nov 2026 ");
        check_lacks("Will-Retry-Until");
        check_has("\n\n<bob@example.org>: unknown user: \"bob\"\n\n");
        check_has("Content-Type: message/rfc822\n\nSubject: hello\n\nbody\n\n--B0UNDARY--\n");
        check_lacks("8bit");
}
END_TEST

START_TEST(only_recipients_that_failed_are_reported) {
        const Wanted wanted[] = {
                FAILED("failed@x"),
                { .recipient = { .address = STR("todo@x") }, .state = RECIPIENT_TODO },
                { .recipient = { .address = STR("sent@x") }, .state = RECIPIENT_SENT },
                { .recipient = { .address = STR("told@x") }, .state = RECIPIENT_RETURNED },
        };
        uint64_t n;

        make_message((Envelope){ 0 }, STR("x\n"), wanted, ARRAY_LEN(wanted));
        ck_assert_int_eq(notice_count(&spec, &n), 0);
        ck_assert_uint_eq(n, 1);
        build();
        check_has("failed@x");
        check_lacks("todo@x");
        check_lacks("sent@x");
        check_lacks("told@x");
}
END_TEST

/* RFC 3461 4.1. */
START_TEST(notify_decides_who_is_reported) {
        static const struct {
                uint32_t notify;
                unsigned n;
        } cases[] = {
                { 0, 1 },
                { RECIPIENT_NOTIFY_NEVER, 0 },
                { RECIPIENT_NOTIFY_FAILURE, 1 },
                { RECIPIENT_NOTIFY_SUCCESS | RECIPIENT_NOTIFY_DELAY, 0 },
                { RECIPIENT_NOTIFY_SUCCESS | RECIPIENT_NOTIFY_FAILURE, 1 },
        };
        Wanted wanted = bob;
        uint64_t n;

        wanted.recipient.notify = cases[_i].notify;
        make_message((Envelope){ 0 }, STR("x\n"), &wanted, 1);
        ck_assert_int_eq(notice_count(&spec, &n), 0);
        ck_assert_uint_eq(n, cases[_i].n);
        spec.kind = NOTICE_ONE;
        spec.one = &wanted.recipient;
        ck_assert_int_eq(notice_count(&spec, &n), 0);
        spec.one = NULL;
        ck_assert_uint_eq(n, cases[_i].n);
}
END_TEST

/* clang-format off */
#define DEFERRED(addr)                                                                             \
        {                                                                                          \
                .recipient = { .address = STR(addr) }, .state = RECIPIENT_TODO, .code = "4.2.0",   \
                .text = "mailbox is locked", .status = DSN_DEFERRED                                \
        }
/* clang-format on */

static const Wanted late = DEFERRED("late@example.org");

static void make_late_message(const Wanted *wanted, size_t n) {
        make_message((Envelope){ 0 }, STR("Subject: hello\nMessage-ID: <1@x>\n\nbody\n"), wanted,
                     n);
        spec.kind = NOTICE_DELAY;
        spec.retry_until_usec = 1795989600000000;
}

START_TEST(a_notice_of_delay_says_until_when_and_returns_the_header) {
        const Wanted wanted[] = {
                DEFERRED("late@example.org"),
                FAILED("failed@x"),
                { .recipient = { .address = STR("sent@x") }, .state = RECIPIENT_SENT },
        };

        make_late_message(wanted, ARRAY_LEN(wanted));
        build();
        check_has("Subject: Delayed Mail: Still Being Tried\nAuto-Submitted: auto-replied\n");
        check_has("NO NEED TO SEND IT AGAIN");
        check_has("\nDelivery will be tried until: Sun, 29 Nov 2026 ");
        check_has("\n\n<late@example.org>: mailbox is locked\n\n");
        check_has("\n\nFinal-Recipient: rfc822; late@example.org\nAction: delayed\n"
                  "Status: 4.2.0\nDiagnostic-Code: X-Unitpost; mailbox is locked\n"
                  "Last-Attempt-Date: Tue, 24 Nov 2026 ");
        check_has("\nWill-Retry-Until: Sun, 29 Nov 2026 ");
        check_has("Content-Type: text/rfc822-headers\n\nSubject: hello\n");
        check_lacks("failed@x");
        check_lacks("sent@x");
        check_lacks("body\n");
}
END_TEST

/* RFC 3461 4.1. */
START_TEST(notify_decides_who_is_reported_as_late) {
        static const struct {
                uint32_t notify;
                unsigned n;
        } cases[] = {
                { 0, 1 },
                { RECIPIENT_NOTIFY_NEVER, 0 },
                { RECIPIENT_NOTIFY_DELAY, 1 },
                { RECIPIENT_NOTIFY_DELAY | RECIPIENT_NOTIFY_NEVER, 0 },
                { RECIPIENT_NOTIFY_SUCCESS | RECIPIENT_NOTIFY_FAILURE, 0 },
        };
        Wanted wanted = late;
        uint64_t n;

        wanted.recipient.notify = cases[_i].notify;
        make_late_message(&wanted, 1);
        ck_assert_int_eq(notice_count(&spec, &n), 0);
        ck_assert_uint_eq(n, cases[_i].n);
        spec.reader = NOTICE_COPY;
        ck_assert_int_eq(notice_count(&spec, &n), 0);
        ck_assert_uint_eq(n, 1);
}
END_TEST

/* RFC 3464 2.3.4: an action and a status that contradict each other help nobody. */
START_TEST(what_is_only_late_has_no_status_of_a_failure) {
        Wanted wanted = late;

        wanted.status = DSN_BOUNCED;
        wanted.code = "5.1.1";
        make_late_message(&wanted, 1);
        build();
        check_has("Action: delayed\nStatus: 4.0.0\n");
}
END_TEST

/* Its state says that it is given up, its last diagnosis why it had to wait. */
START_TEST(an_expired_recipient_shows_what_it_waited_for) {
        Wanted wanted = late;

        wanted.state = RECIPIENT_FAILED;
        make_message((Envelope){ 0 }, STR("x: y\n"), &wanted, 1);
        build();
        check_has("<late@example.org>: mailbox is locked\n");
        check_has("Action: failed\nStatus: 4.2.0\n"
                  "Diagnostic-Code: X-Unitpost; mailbox is locked\n");
}
END_TEST

START_TEST(a_copy_has_the_report_and_the_header_only) {
        make_message((Envelope){ 0 }, STR("Subject: hello\n\nsecret\n"), &bob, 1);
        spec.reader = NOTICE_COPY;
        spec.recipient = STR("postmaster");
        build();
        check_has("To: postmaster\nSubject: Postmaster Copy: Undelivered Mail\n");
        check_has("\nX-Unitpost-Sender: rfc822; ann@example.org\n");
        check_has("Final-Recipient: rfc822; bob@example.org\nAction: failed\n");
        check_has("text/rfc822-headers\n\nSubject: hello\n");
        check_lacks("secret");
}
END_TEST

static const struct {
        const char *content;
        const char *message_id; /* NULL: there is none that could be quoted */
} threads[] = {
        { "Subject: x\nMessage-ID: <1@x>\n\n", "<1@x>" },
        { "message-id:<1@x> (a comment)\n", "<1@x>" },
        { "Message-Id : \r\n\t<1@x>\r\n\r\n", "<1@x>" },
        { "Message-ID: <1@x>\nMessage-ID: <2@x>\n\n", "<1@x>" },
        { "A: b\n\tMessage-ID: <1@x>\nMessage-ID: <2@x>\n\n", "<2@x>" },
        { "Subject: x\n\nMessage-ID: <1@x>\n", NULL },
        { "no header\nMessage-ID: <1@x>\n", NULL },
        { "Message-ID:\n<1@x>\n", NULL },
        { "Message-ID: <1@x\n y>\n", NULL },
        { "Message-ID: <1@x\n", NULL },
        { "Message-ID: <1 2@x>\n", NULL },
        { "Message-ID: <<1@x>\n", NULL },
        { "Message-ID: <\xc3\xa4@x>\n", NULL },
        { "Message-ID: 1@x>\n", NULL },
        { "Message-ID:", NULL },
        { "", NULL },
};

START_TEST(a_threaded_notice_refers_to_a_sound_message_id) {
        Buf expected _cleanup_(buf_deinit) = BUF_INIT(1000);

        make_message((Envelope){ 0 }, str_from_cstr(threads[_i].content), &bob, 1);
        spec.is_threaded = true;
        build();
        if (!threads[_i].message_id) {
                check_lacks("In-Reply-To:");
                check_lacks("References:");
                return;
        }
        (void)buf_printf(&expected, "Sender\nIn-Reply-To: %s\nReferences: %s\nAuto-Submitted:",
                         threads[_i].message_id, threads[_i].message_id);
        check_has(buf_cstr(&expected));
        spec.is_threaded = false;
        buf_reset(&out);
        build();
        check_lacks("In-Reply-To:");
}
END_TEST

START_TEST(a_long_message_id_makes_no_long_line) {
        Buf content _cleanup_(buf_deinit) = BUF_INIT(2000);

        (void)buf_append_cstr(&content, "Message-ID: <");
        for (int i = 0; i < 897; i++)
                (void)buf_append_char(&content, 'a');
        (void)buf_append_cstr(&content, "b>\n\n");
        make_message((Envelope){ 0 }, buf_str(&content), &bob, 1);
        spec.is_threaded = true;
        spec.original_max_bytes = 10;
        build();
        check_has("ab>\nReferences: <a");
        (void)buf_truncate(&content, content.len - 4);
        (void)buf_append_cstr(&content, "ab>\n\n");
        discard_message();
        make_message((Envelope){ 0 }, buf_str(&content), &bob, 1);
        build();
        check_lacks("References:");
}
END_TEST

START_TEST(a_refusal_reports_all_with_its_reason) {
        const Wanted wanted[] = {
                { .recipient = { .address = STR("a@x") }, .state = RECIPIENT_TODO },
                { .recipient = { .address = STR("b@x") }, .state = RECIPIENT_TODO },
        };
        Dsn refusal;

        dsn_set(&refusal, DSN_BOUNCED, "5.3.4", "message too large");
        make_message((Envelope){ 0 }, STR("x\n"), wanted, 2);
        spec.kind = NOTICE_REFUSED;
        spec.outcome = &refusal;
        build();
        check_has("Final-Recipient: rfc822; a@x\nAction: failed\nStatus: 5.3.4\n");
        check_has("Final-Recipient: rfc822; b@x\nAction: failed\nStatus: 5.3.4\n");
        check_has("<b@x>: message too large\n");
}
END_TEST

START_TEST(a_notice_about_one_recipient_asks_the_file_for_no_other) {
        const Recipient one = { .address = STR("\"|/usr/bin/false\""),
                                .original = STR("list@example.org"),
                                .orcpt = STR("rfc822;list@example.org") };
        Dsn outcome;

        dsn_set(&outcome, DSN_BOUNCED, "5.3.0", "Command died with status 1");
        make_message((Envelope){ 0 }, STR("x: y\n"), &bob, 1);
        spec.kind = NOTICE_ONE;
        spec.reader = NOTICE_TO_OWNER;
        spec.recipient = STR("owner-list@example.org");
        spec.one = &one;
        spec.outcome = &outcome;
        build();
        check_has("To: owner-list@example.org\n");
        check_has("you answer for the list");
        check_has("<\"|/usr/bin/false\"> (sent to list@example.org): Command died with status");
        check_has("\nX-Unitpost-Sender: rfc822; ann@example.org\n");
        check_has("\n\nOriginal-Recipient: rfc822; list@example.org\n"
                  "Final-Recipient: rfc822; \"|/usr/bin/false\"\nAction: failed\nStatus: 5.3.0\n");
        check_lacks("bob@example.org");
}
END_TEST

START_TEST(without_orcpt_the_address_that_was_written_is_told) {
        static const struct {
                Str original;
                const char *want;
        } rows[] = {
                { STR("boss"), "Original-Recipient: rfc822; boss@o.example\nFinal-Recipient: " },
                { STR("\"a b\"@x"), "Original-Recipient: rfc822; a b@x\nFinal-Recipient: " },
                { STR(""), "\n\nFinal-Recipient: " },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Wanted wanted = bob;

                wanted.recipient.original = rows[i].original;
                if (i > 0) { /* a message is made once in a tree */
                        teardown();
                        setup();
                }
                make_message((Envelope){ 0 }, STR("x\n"), &wanted, 1);
                spec.origin = STR("o.example");
                build();
                check_has(rows[i].want);
                discard_message();
        }
}
END_TEST

START_TEST(orcpt_and_envid_are_decoded_and_made_safe) {
        Wanted wanted = bob;

        wanted.recipient.original = STR("robert");
        wanted.recipient.orcpt = STR("rfc822;a+2Bb+0D+0AX-Evil:+20y@x+");
        make_message((Envelope){ .envid = STR("id+3D1+0AX-Evil: z") }, STR("x\n"), &wanted, 1);
        build();
        check_has("Original-Envelope-Id: id=1?X-Evil: z\n");
        check_has("Original-Recipient: rfc822; a+b??X-Evil: y@x+\n");
        check_has("<bob@example.org> (sent to robert): ");
        check_lacks("\nX-Evil");
}
END_TEST

START_TEST(ret_hdrs_returns_the_header_only) {
        make_message((Envelope){ .ret = ENVELOPE_RET_HDRS },
                     STR("Subject: hello\nX: y\n folded\n\nsecret\n"), &bob, 1);
        build();
        check_has("Content-Type: text/rfc822-headers\n\nSubject: hello\nX: y\n folded\n"
                  "\n--B0UNDARY--");
        check_lacks("secret");
}
END_TEST

static const struct {
        const char *content;
        const char *returned;
} headers[] = {
        { "A: b\n\nbody", "A: b\n" },
        { "A: b\r\n\r\nbody", "A: b\r\n" },
        { "A: b\nno header line\nbody", "A: b\n" },
        { "no header at all\nA: b\n", "" },
        { "\nbody", "" },
        { "A: b\n\tc\n\nbody", "A: b\n\tc\n" },
        { "A: b\nC: d\n", "A: b\nC: d\n" },
};

START_TEST(the_header_ends_where_the_body_begins) {
        _cleanup_(buf_deinit) Buf expected = BUF_INIT(1000);

        make_message((Envelope){ .ret = ENVELOPE_RET_HDRS }, str_from_cstr(headers[_i].content),
                     &bob, 1);
        build();
        (void)buf_printf(&expected, "text/rfc822-headers\n\n%s\n--B0UNDARY--\n",
                         headers[_i].returned);
        ck_assert_ptr_nonnull(buf_cstr(&expected));
        check_has(buf_cstr(&expected));
}
END_TEST

START_TEST(a_message_over_bounce_size_limit_comes_without_its_body) {
        _cleanup_(buf_deinit) Buf content = BUF_INIT(1 << 20);

        (void)buf_append_cstr(&content, "Subject: hello\n\n");
        for (unsigned i = 0; i < 10000; i++)
                (void)buf_printf(&content, "body\n");
        make_message((Envelope){ 0 }, buf_str(&content), &bob, 1);
        build();
        check_has("text/rfc822-headers\n\nSubject: hello\n\n--B0UNDARY--");
        check_lacks("body\nbody\n");
        spec.original_max_bytes = content.len;
        buf_reset(&out);
        build();
        check_has("body\nbody\n\n--B0UNDARY--");
}
END_TEST

START_TEST(an_endless_header_is_cut_at_the_limit) {
        _cleanup_(buf_deinit) Buf content = BUF_INIT(1 << 20);

        for (unsigned i = 0; i < 10000; i++)
                (void)buf_printf(&content, "X-%05u: x\n", i);
        make_message((Envelope){ 0 }, buf_str(&content), &bob, 1);
        build();
        check_has("X-00000: x\n");
        check_has(": x\n\n--B0UNDARY--");
        ck_assert_uint_lt(out.len, 53000);
}
END_TEST

START_TEST(eight_bit_content_is_declared) {
        bool is_8bit = false;

        make_message((Envelope){ 0 }, STR("Subject: \xc3\xa4\n\n"), &bob, 1);
        ck_assert_int_eq(notice_is_8bit(&spec, &is_8bit), 0);
        ck_assert(is_8bit);
        build();
        check_has("boundary=\"B0UNDARY\"\nContent-Transfer-Encoding: 8bit\n");
        check_has("message/rfc822\nContent-Transfer-Encoding: 8bit\n\n");
}
END_TEST

/* RFC 6533 */
START_TEST(an_smtputf8_message_gets_an_international_notice) {
        Wanted wanted = bob;

        wanted.recipient.address = STR("j\xc3\xb6rg@example.org");
        make_message((Envelope){ .flags = ENVELOPE_SMTPUTF8 }, STR("x: y\n"), &wanted, 1);
        build();
        check_has("message/global-delivery-status");
        check_has("Final-Recipient: utf-8; j\xc3\xb6rg@example.org\n");
        check_has("Content-Type: message/global\n");
}
END_TEST

START_TEST(without_smtputf8_the_report_is_ascii) {
        Wanted wanted = bob;

        wanted.recipient.address = STR("j\xc3\xb6rg@example.org");
        make_message((Envelope){ 0 }, STR("x: y\n"), &wanted, 1);
        build();
        for (size_t i = 0; i < out.len; i++)
                ck_assert_int_lt((unsigned char)out.data[i], 0x80);
}
END_TEST

START_TEST(a_lost_diagnosis_still_gives_a_status) {
        Wanted wanted = { .recipient = { .address = STR("b@x") }, .state = RECIPIENT_FAILED };

        make_message((Envelope){ 0 }, STR("x\n"), &wanted, 1);
        build();
        check_has("Status: 5.0.0\n");
}
END_TEST

/* Long words are cut, lines stay below RFC 5322's 998 bytes. */
START_TEST(no_line_of_ours_is_too_long) {
        static char address[2000];
        Wanted wanted = bob;
        Str rest, line;

        memset(address, 'a', sizeof(address));
        wanted.recipient.address = str_from(address, sizeof(address));
        wanted.recipient.orcpt = STR("rfc822;x");
        make_message((Envelope){ .sender = wanted.recipient.address }, STR("x: y\n"), &wanted, 1);
        spec.recipient = wanted.recipient.address;
        build();
        rest = buf_str(&out);
        while (str_next_part(&rest, '\n', &line))
                ck_assert_uint_le(line.len, 998);
}
END_TEST

START_TEST(a_double_bounce_says_so) {
        make_message((Envelope){ .sender = STR(""), .flags = ENVELOPE_NOTICE }, STR("x: y\n"), &bob,
                     1);
        spec.reader = NOTICE_TO_POSTMASTER;
        spec.recipient = STR("postmaster");
        build();
        check_has("To: postmaster\nSubject: Postmaster Copy: Undelivered Mail\n");
        check_has("the postmaster");
}
END_TEST

#define N_MANY 100000

/* The text stays short, the report is cut at the limit, and says how much is missing. */
START_TEST(a_hundred_thousand_recipients_stay_within_the_message_size_limit) {
        static Wanted wanted[N_MANY];
        static char addresses[N_MANY][24];

        for (unsigned i = 0; i < N_MANY; i++) {
                (void)snprintf(addresses[i], sizeof(addresses[i]), "u%u@example.org", i);
                wanted[i] = (Wanted){ .recipient = { .address = str_from_cstr(addresses[i]) },
                                      .state = RECIPIENT_FAILED };
        }
        make_message((Envelope){ 0 }, STR("x: y\n"), wanted, N_MANY);
        spec.total_max_bytes = 10240000;
        build();
        ck_assert_uint_lt(out.len, 10240000 * 3 / 4);
        check_has("... and 99900 more, see the attached report.\n");
        check_has("X-Unitpost-Omitted: ");
        check_has("--B0UNDARY--\n");
}
END_TEST

static int stop(void *userdata, Str data) {
        return 7;
}

START_TEST(the_output_can_stop_it) {
        make_message((Envelope){ 0 }, STR("x: y\n"), &bob, 1);
        ck_assert_int_eq(notice_build(&spec, stop, NULL), NOTICE_E_OUTPUT);
}
END_TEST

START_TEST(a_file_that_shrinks_meanwhile_is_an_error) {
        make_message((Envelope){ 0 }, STR("Subject: hello\n\nbody\n"), &bob, 1);
        ck_assert_int_eq(ftruncate(fd, 100), 0);
        ck_assert_int_eq(notice_build(&spec, collect, &out), NOTICE_E_SOURCE);
}
END_TEST

static TCase *content_case(void) {
        TCase *tcase = tcase_create("content");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, ret_hdrs_returns_the_header_only);
        tcase_add_loop_test(tcase, the_header_ends_where_the_body_begins, 0, ARRAY_LEN(headers));
        tcase_add_test(tcase, a_message_over_bounce_size_limit_comes_without_its_body);
        tcase_add_test(tcase, an_endless_header_is_cut_at_the_limit);
        tcase_add_test(tcase, eight_bit_content_is_declared);
        tcase_add_test(tcase, an_smtputf8_message_gets_an_international_notice);
        tcase_add_test(tcase, without_smtputf8_the_report_is_ascii);
        return tcase;
}

static TCase *report_case(void) {
        TCase *tcase = tcase_create("report");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, a_notice_has_the_fields_of_rfc_3464);
        tcase_add_test(tcase, only_recipients_that_failed_are_reported);
        tcase_add_loop_test(tcase, notify_decides_who_is_reported, 0, 5);
        tcase_add_test(tcase, a_notice_of_delay_says_until_when_and_returns_the_header);
        tcase_add_loop_test(tcase, notify_decides_who_is_reported_as_late, 0, 5);
        tcase_add_test(tcase, what_is_only_late_has_no_status_of_a_failure);
        tcase_add_test(tcase, an_expired_recipient_shows_what_it_waited_for);
        tcase_add_test(tcase, a_copy_has_the_report_and_the_header_only);
        tcase_add_loop_test(tcase, a_threaded_notice_refers_to_a_sound_message_id, 0,
                            ARRAY_LEN(threads));
        tcase_add_test(tcase, a_long_message_id_makes_no_long_line);
        tcase_add_test(tcase, a_refusal_reports_all_with_its_reason);
        tcase_add_test(tcase, a_notice_about_one_recipient_asks_the_file_for_no_other);
        tcase_add_test(tcase, without_orcpt_the_address_that_was_written_is_told);
        tcase_add_test(tcase, orcpt_and_envid_are_decoded_and_made_safe);
        tcase_add_test(tcase, a_lost_diagnosis_still_gives_a_status);
        tcase_add_test(tcase, no_line_of_ours_is_too_long);
        tcase_add_test(tcase, a_double_bounce_says_so);
        tcase_add_test(tcase, a_hundred_thousand_recipients_stay_within_the_message_size_limit);
        tcase_add_test(tcase, the_output_can_stop_it);
        tcase_add_test(tcase, a_file_that_shrinks_meanwhile_is_an_error);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("notice");

        suite_add_tcase(suite, report_case());
        suite_add_tcase(suite, content_case());
        return unit_run(suite);
}
