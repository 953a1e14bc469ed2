/*
 * bounce, asked over a socket pair, with a cleanup that is played by a child: who is told, from
 * whom, and what is answered when cleanup will not or cannot.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "common/base/file.h"
#include "common/mail/queue-file.h"
#include "common/role/ipc-address.h"
#include "common/role/protocol-delivery.h"
#include "common/role/protocol-mail.h"
#include "services/bounce/bounce.h"
#include "tests/unit/unit.h"

static char root[] = "/tmp/unitpost-test-bounce-XXXXXX";
static int root_fd = -1;
static QueueId id;

/* What cleanup got, in memory shared with the child that plays it. */
typedef struct Got {
        unsigned n_messages;
        size_t len;
        uint32_t flags;
        char queue_id[QUEUE_ID_LEN + 1];
        char sender[200], recipient[200];
        char recipients[200]; /* of all messages, each with a comma */
        char content[1 << 20];
} Got;

static Got *got;
static MailStatus cleanup_status;
static uint32_t message_flags; /* of what make_message() makes */

static void setup(void) {
        memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(root));
        root_fd = file_open_dir(AT_FDCWD, root);
        ck_assert_int_ge(root_fd, 0);
        ipc_address_set_directory(root);
        id = queue_id_new(1795557651000000);
        got = mmap(NULL, sizeof(*got), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(got, MAP_FAILED);
        cleanup_status = MAIL_ACCEPTED;
        message_flags = 0;
}

static void teardown(void) {
        (void)unlinkat(root_fd, id.text, 0);
        (void)unlinkat(root_fd, "cleanup", 0);
        fd_closep(&root_fd);
        ck_assert_int_eq(rmdir(root), 0);
}

/* ---- the cleanup ---- */

static void copy(char *to, size_t size, Str text) {
        (void)snprintf(to, size, "%.*s", STR_FMT(text));
}

static int on_begin(void *userdata, const Envelope *envelope) {
        got->n_messages++;
        got->flags = envelope->flags;
        got->len = 0;
        copy(got->queue_id, sizeof(got->queue_id), envelope->queue_id);
        copy(got->sender, sizeof(got->sender), envelope->sender);
        return 0;
}

static int on_recipient(void *userdata, const Recipient *recipient) {
        size_t n = strlen(got->recipients);

        copy(got->recipient, sizeof(got->recipient), recipient->address);
        (void)snprintf(got->recipients + n, sizeof(got->recipients) - n, "%.*s,",
                       STR_FMT(recipient->address));
        return 0;
}

static int on_content(void *userdata, Str data) {
        if (got->len + data.len > sizeof(got->content))
                return 1;
        memcpy(got->content + got->len, data.data, data.len);
        got->len += data.len;
        return 0;
}

static void on_finish(void *userdata, int code, MailResult *result) {
        *result = (MailResult){
                .status = cleanup_status,
                .queue_id =
                        cleanup_status == MAIL_ACCEPTED ? str_from_cstr(got->queue_id) : STR_NULL,
                .dsn = cleanup_status == MAIL_ACCEPTED ? STR("2.0.0") : STR("4.3.1"),
                .text = cleanup_status == MAIL_ACCEPTED ? STR("ok") : STR("no space"),
        };
}

static int serve_cleanup(int listener) {
        static const MailSink sink = { on_begin, on_recipient, on_content, on_finish };
        IpcConn *conn _cleanup_(ipc_conn_freep) = NULL;
        int fd = accept(listener, NULL, NULL);

        if (fd < 0 || ipc_conn_new(fd, &conn) != 0 || ipc_conn_send_hello(conn, "cleanup") != 0 ||
            ipc_conn_flush(conn) != 0)
                return 1;
        (void)mail_server_receive(conn, &sink, NULL);
        return 0;
}

/* It takes N messages, each over a connection of its own. */
static pid_t start_cleanup_for(unsigned n) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        pid_t pid;

        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/cleanup", root);
        ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
        ck_assert_int_eq(listen(listener, 5), 0);
        pid = fork();
        if (pid == 0) {
                int r = 0;

                while (r == 0 && n-- > 0)
                        r = serve_cleanup(listener);
                _exit(r);
        }
        (void)close(listener);
        return pid;
}

static pid_t start_cleanup(void) {
        return start_cleanup_for(1);
}

/* ---- the message, and the request ---- */

/* To bob, whose last outcome is STATUS. */
static int make_message_with(const char *sender, uint32_t notify, DsnStatus status) {
        bool is_late = status == DSN_DEFERRED;
        QueueFileWriter *writer _cleanup_(queue_file_writer_freep) = NULL;
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        Envelope envelope = { .sender = str_from_cstr(sender),
                              .arrival_usec = 1795557651000000,
                              .flags = message_flags };
        Recipient bob = { .address = STR("bob@x"), .notify = notify };
        QueueFileRecipient found;
        uint64_t cursor = 0;
        int fd;
        Dsn dsn;

        ck_assert_int_eq(queue_file_writer_new(root_fd, &envelope, NULL, &writer), 0);
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &bob), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("Subject: hi\n\nbody\n")), 0);
        ck_assert_int_eq(queue_file_writer_commit(writer, &id), 0);
        fd = openat(root_fd, id.text, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &found), 0);
        dsn_set(&dsn, status, is_late ? "4.2.0" : "5.1.1", "unknown user: \"bob\"");
        ck_assert_int_eq(queue_file_write_diagnosis(fd, found.offset, &dsn, 1,
                                                    is_late ? RECIPIENT_TODO : RECIPIENT_FAILED),
                         0);
        (void)unlinkat(root_fd, id.text, 0);
        return fd;
}

static int make_message(const char *sender, uint32_t notify) {
        return make_message_with(sender, notify, DSN_BOUNCED);
}

static void serve(int fd, const char *override) {
        const char *overrides[] = { "myhostname=mx.example.org", "myorigin=example.org", override,
                                    NULL };
        ConfigSource source = { .root = root, .overrides = overrides };
        Buf error = BUF_INIT(4096);
        RoleEnv env = { .role = "bounce" };
        Config *config;
        IpcConn *conn;
        int r;

        if (config_load(&source, &config, &error) != 0 || ipc_conn_new(fd, &conn) != 0)
                _exit(1);
        env.config = config;
        ipc_conn_set_timeout(conn, 10 * USEC_PER_SEC);
        r = bounce_serve(&env, conn);
        (void)ipc_conn_free(conn);
        (void)config_free(config);
        _exit(r == 0 ? 0 : 3);
}

typedef struct Answer {
        bool ok;
        char notice_id[QUEUE_ID_LEN + 1];
        char text[DSN_TEXT_MAX];
        int exit_status;
} Answer;

static Answer ask(const NoticeRequest *request, int message_fd, const char *override) {
        IpcConn *conn _cleanup_(ipc_conn_freep) = NULL;
        NoticeResult result;
        Answer answer = { 0 };
        int fds[2], status;
        pid_t pid;

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        pid = fork();
        if (pid == 0) {
                (void)close(fds[0]);
                serve(fds[1], override);
        }
        (void)close(fds[1]);
        ck_assert_int_eq(ipc_conn_new(fds[0], &conn), 0);
        ipc_conn_set_timeout(conn, 20 * USEC_PER_SEC);
        if (message_fd >= 0)
                ck_assert_int_eq(ipc_conn_send_fd(conn, message_fd), 0);
        ck_assert_int_eq(ipc_conn_send_message(conn, &notice_request_schema, request), 0);
        ck_assert_int_eq(ipc_conn_send_end(conn), 0);
        if (ipc_conn_receive_message(conn, &notice_result_schema, &result) == 0) {
                answer.ok = result.ok;
                copy(answer.notice_id, sizeof(answer.notice_id), result.notice_id);
                copy(answer.text, sizeof(answer.text), result.text);
                ck_assert_int_eq(ipc_conn_receive_end(conn), 0);
        }
        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        answer.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return answer;
}

static Answer ask_failure(int message_fd, const char *override) {
        NoticeRequest request = { .queue_id = str_from_cstr(id.text), .kind = STR("failure") };
        Answer answer = ask(&request, message_fd, override);

        (void)close(message_fd);
        ck_assert_int_eq(answer.exit_status, 0);
        return answer;
}

static void end_cleanup(pid_t pid) {
        int status;

        ck_assert_int_eq(waitpid(pid, &status, 0), pid);
        ck_assert_int_eq(status, 0);
}

static bool content_has(const char *text) {
        return memmem(got->content, got->len, text, strlen(text)) != NULL;
}

static void check_none_due(Answer answer) {
        ck_assert(answer.ok);
        ck_assert_str_eq(answer.notice_id, "");
        ck_assert_uint_eq(got->n_messages, 0);
}

START_TEST(the_sender_is_told_from_the_null_sender) {
        pid_t cleanup = start_cleanup();
        Answer answer = ask_failure(make_message("ann@example.org", 0), NULL);

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_uint_eq(got->n_messages, 1);
        ck_assert_str_eq(answer.notice_id, got->queue_id);
        ck_assert_str_ne(answer.notice_id, id.text);
        ck_assert_str_eq(got->sender, "");
        ck_assert_str_eq(got->recipient, "ann@example.org");
        ck_assert_uint_eq(got->flags, ENVELOPE_NOTICE);
        ck_assert(content_has("To: ann@example.org\n"));
        ck_assert(content_has("Status: 5.1.1\n"));
        ck_assert(content_has("\n\nSubject: hi\n\nbody\n"));
}
END_TEST

START_TEST(a_refused_submission_is_reported_with_its_reason) {
        NoticeRequest request = { .queue_id = str_from_cstr(id.text),
                                  .kind = STR("refused"),
                                  .code = STR("5.3.4"),
                                  .text = STR("message too large") };
        int fd = make_message("ann@example.org", RECIPIENT_NOTIFY_FAILURE);
        pid_t cleanup = start_cleanup();
        Answer answer = ask(&request, fd, NULL);

        end_cleanup(cleanup);
        (void)close(fd);
        ck_assert(answer.ok);
        ck_assert(content_has("Status: 5.3.4\nDiagnostic-Code: X-Unitpost; message too large\n"));
}
END_TEST

static Answer ask_about_one(const char *message_sender, const char *owner, uint32_t notify,
                            const char *override) {
        NoticeRequest request = { .queue_id = str_from_cstr(id.text),
                                  .kind = STR("one"),
                                  .code = STR("5.3.0"),
                                  .text = STR("Command died with status 1"),
                                  .recipient = STR("|false"),
                                  .original = STR("list@example.org"),
                                  .sender = str_from_cstr(owner),
                                  .notify = notify };
        int fd = make_message(message_sender, 0);
        Answer answer = ask(&request, fd, override);

        (void)close(fd);
        ck_assert_int_eq(answer.exit_status, 0);
        return answer;
}

START_TEST(one_failure_goes_to_whom_the_request_names) {
        pid_t cleanup = start_cleanup();
        Answer answer = ask_about_one("ann@example.org", "owner-list@example.org",
                                      RECIPIENT_NOTIFY_FAILURE, NULL);

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(answer.notice_id, got->queue_id);
        ck_assert_str_eq(got->sender, "");
        ck_assert_str_eq(got->recipient, "owner-list@example.org");
        ck_assert(content_has("Final-Recipient: rfc822; |false\nAction: failed\nStatus: 5.3.0\n"));
        ck_assert(!content_has("bob@x"));
}
END_TEST

START_TEST(one_failure_goes_to_the_sender_where_nobody_is_named) {
        pid_t cleanup = start_cleanup();
        Answer answer = ask_about_one("ann@example.org", "", 0, NULL);

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(got->recipient, "ann@example.org");
}
END_TEST

static const struct {
        const char *sender, *owner;
        uint32_t notify;
} silent[] = {
        { "", "owner-list@example.org", 0 },
        { "double-bounce@example.org", "owner-list@example.org", 0 },
        { "ann@example.org", "double-bounce@example.org", 0 },
        { "ann@example.org", "owner-list@example.org", RECIPIENT_NOTIFY_NEVER },
        { "ann@example.org", "owner-list@example.org", RECIPIENT_NOTIFY_SUCCESS },
};

START_TEST(one_failure_is_never_a_bounce_of_a_bounce_nor_unwanted) {
        check_none_due(ask_about_one(silent[_i].sender, silent[_i].owner, silent[_i].notify, NULL));
}
END_TEST

START_TEST(one_failure_of_a_notice_is_for_the_postmaster_when_asked_for) {
        pid_t cleanup = start_cleanup();
        Answer answer = ask_about_one("", "owner-list@example.org", 0, "notify_classes=2bounce");

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(got->recipient, "postmaster");
}
END_TEST

/* About bob, who waits. */
static Answer ask_about_delay(const char *sender, uint32_t notify, const char *override) {
        NoticeRequest request = { .queue_id = str_from_cstr(id.text), .kind = STR("delay") };
        int fd = make_message_with(sender, notify, DSN_DEFERRED);
        Answer answer = ask(&request, fd, override);

        (void)close(fd);
        ck_assert_int_eq(answer.exit_status, 0);
        return answer;
}

START_TEST(the_sender_is_told_of_a_delay) {
        pid_t cleanup = start_cleanup();
        Answer answer = ask_about_delay("ann@example.org", 0, "maximal_queue_lifetime=1d");

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(answer.notice_id, got->queue_id);
        ck_assert_str_eq(got->sender, "");
        ck_assert_str_eq(got->recipient, "ann@example.org");
        ck_assert(content_has("Action: delayed\nStatus: 4.2.0\n"));
        ck_assert(content_has("Will-Retry-Until: Wed, 25 Nov 2026 "));
        ck_assert(!content_has("\nbody\n"));
}
END_TEST

START_TEST(nobody_hears_of_the_delay_of_a_notice_or_of_what_was_not_wanted) {
        check_none_due(ask_about_delay("", 0, "notify_classes=bounce 2bounce"));
        check_none_due(ask_about_delay("double-bounce@example.org", 0, "notify_classes=delay"));
        check_none_due(ask_about_delay("ann@example.org", RECIPIENT_NOTIFY_NEVER, NULL));
        check_none_due(ask_about_delay("ann@example.org", RECIPIENT_NOTIFY_FAILURE, NULL));
}
END_TEST

START_TEST(the_delay_of_a_notice_is_for_the_postmaster_when_asked_for) {
        pid_t cleanup = start_cleanup();
        Answer answer = ask_about_delay("", 0, "notify_classes=delay");

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(got->sender, "double-bounce@example.org");
        ck_assert_str_eq(got->recipients, "postmaster,");
        ck_assert(content_has("Subject: Postmaster Copy: Delayed Mail\n"));
}
END_TEST

static const struct {
        const char *kind, *override, *recipients;
        uint32_t notify;
} copies[] = {
        { "failure", "notify_classes=bounce", "ann@example.org,postmaster,", 0 },
        { "failure", "notify_classes=2bounce,delay", "ann@example.org,", 0 },
        { "failure", "notify_classes=bounce", "postmaster,", RECIPIENT_NOTIFY_NEVER },
        { "delay", "notify_classes=delay", "ann@example.org,postmaster,", 0 },
        { "delay", "notify_classes=bounce", "ann@example.org,", 0 },
};

START_TEST(the_postmaster_gets_copies_of_the_classes_asked_for) {
        bool is_delay = copies[_i].kind[0] == 'd';
        unsigned n = 0;
        pid_t cleanup;
        Answer answer;

        for (const char *c = copies[_i].recipients; *c; c++)
                n += *c == ',';
        cleanup = start_cleanup_for(n);
        answer = is_delay ? ask_about_delay("ann@example.org", copies[_i].notify,
                                            copies[_i].override)
                          : ask_failure(make_message("ann@example.org", copies[_i].notify),
                                        copies[_i].override);
        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(got->recipients, copies[_i].recipients);
        if (strstr(copies[_i].recipients, "postmaster")) {
                ck_assert_str_eq(got->sender, "double-bounce@example.org");
                ck_assert(!content_has("\nbody\n"));
        }
}
END_TEST

START_TEST(the_postmaster_hears_once_of_a_notice_that_failed) {
        pid_t cleanup = start_cleanup_for(2);

        (void)ask_failure(make_message("", 0), "notify_classes=bounce,2bounce");
        (void)kill(cleanup, SIGKILL); /* it waits for the second message, if all is well */
        ck_assert_int_eq(waitpid(cleanup, NULL, 0), cleanup);
        ck_assert_str_eq(got->recipients, "postmaster,");
}
END_TEST

/* Else the sender would be told again and again. */
START_TEST(a_copy_that_fails_does_not_make_the_notice_fail) {
        pid_t cleanup = start_cleanup(); /* one message, then nobody */
        Answer answer = ask_failure(make_message("ann@example.org", 0), "notify_classes=bounce");

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_ne(answer.notice_id, "");
        ck_assert_str_eq(got->recipients, "ann@example.org,");
}
END_TEST

/* XP4 */
START_TEST(who_wants_no_notice_gets_none) {
        check_none_due(ask_failure(make_message("ann@example.org", RECIPIENT_NOTIFY_NEVER), NULL));
}
END_TEST

START_TEST(mail_from_the_null_sender_is_never_answered) {
        check_none_due(ask_failure(make_message("", 0), NULL));
}
END_TEST

START_TEST(a_double_bounce_goes_to_the_postmaster_when_asked_for) {
        pid_t cleanup = start_cleanup();
        Answer answer = ask_failure(make_message("", 0), "notify_classes=2bounce");

        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(got->sender, "double-bounce@example.org");
        ck_assert_str_eq(got->recipient, "postmaster");
        ck_assert(content_has("Subject: Postmaster Copy: Undelivered Mail\n"));
}
END_TEST

START_TEST(a_double_bounce_that_fails_ends_the_chain) {
        check_none_due(ask_failure(make_message("Double-Bounce@Example.org", 0),
                                   "notify_classes=2bounce"));
}
END_TEST

START_TEST(what_is_flagged_as_a_notice_is_never_answered_whoever_sent_it) {
        message_flags = ENVELOPE_NOTICE;
        check_none_due(ask_failure(make_message("old-double-bounce@example.org", 0),
                                   "notify_classes=2bounce,bounce"));
}
END_TEST

START_TEST(without_cleanup_the_answer_is_later) {
        Answer answer = ask_failure(make_message("ann@example.org", 0), NULL);

        ck_assert(!answer.ok);
        ck_assert_str_ne(answer.text, "");
        ck_assert_str_eq(answer.notice_id, "");
}
END_TEST

START_TEST(a_cleanup_without_space_means_later) {
        pid_t cleanup;
        Answer answer;

        cleanup_status = MAIL_TRY_AGAIN;
        cleanup = start_cleanup();
        answer = ask_failure(make_message("ann@example.org", 0), NULL);
        end_cleanup(cleanup);
        ck_assert(!answer.ok);
        ck_assert_str_eq(answer.text, "no space");
}
END_TEST

/* Else the message would stay in the queue for ever. */
START_TEST(a_notice_that_is_refused_is_given_up) {
        pid_t cleanup;
        Answer answer;

        cleanup_status = MAIL_REFUSED;
        cleanup = start_cleanup();
        answer = ask_failure(make_message("ann@example.org", 0), NULL);
        end_cleanup(cleanup);
        ck_assert(answer.ok);
        ck_assert_str_eq(answer.notice_id, "");
}
END_TEST

START_TEST(a_damaged_queue_file_is_no_notice) {
        int fd = make_message("ann@example.org", 0);
        Answer answer;

        ck_assert_int_eq(ftruncate(fd, 80), 0);
        answer = ask_failure(fd, NULL);
        ck_assert(!answer.ok);
        ck_assert_uint_eq(got->n_messages, 0);
}
END_TEST

START_TEST(malformed_requests_end_the_connection) {
        static const NoticeRequest requests[] = {
                { { "short", 5 }, { "failure", 7 }, { 0 }, { 0 } },
                { { "0123456789ABCDEF0123", 20 }, { "other", 5 }, { 0 }, { 0 } },
                { { "0123456789ABCDEF0123", 20 }, { "refused", 7 }, { "bad", 3 }, { 0 } },
                { { "0123456789ABCDEF0123", 20 }, { "one", 3 }, { "5.0.0", 5 }, { 0 } },
        };
        int fd = make_message("ann@example.org", 0);

        ck_assert_int_eq(ask(&requests[_i], fd, NULL).exit_status, 3);
        (void)close(fd);
}
END_TEST

START_TEST(a_request_without_descriptor_ends_the_connection) {
        NoticeRequest request = { .queue_id = str_from_cstr(id.text), .kind = STR("failure") };

        ck_assert_int_eq(ask(&request, -1, NULL).exit_status, 3);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("bounce");
        TCase *tcase = tcase_create("bounce");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_test(tcase, the_sender_is_told_from_the_null_sender);
        tcase_add_test(tcase, a_refused_submission_is_reported_with_its_reason);
        tcase_add_test(tcase, one_failure_goes_to_whom_the_request_names);
        tcase_add_test(tcase, one_failure_goes_to_the_sender_where_nobody_is_named);
        tcase_add_loop_test(tcase, one_failure_is_never_a_bounce_of_a_bounce_nor_unwanted, 0,
                            ARRAY_LEN(silent));
        tcase_add_test(tcase, one_failure_of_a_notice_is_for_the_postmaster_when_asked_for);
        tcase_add_test(tcase, the_sender_is_told_of_a_delay);
        tcase_add_test(tcase, nobody_hears_of_the_delay_of_a_notice_or_of_what_was_not_wanted);
        tcase_add_test(tcase, the_delay_of_a_notice_is_for_the_postmaster_when_asked_for);
        tcase_add_loop_test(tcase, the_postmaster_gets_copies_of_the_classes_asked_for, 0,
                            ARRAY_LEN(copies));
        tcase_add_test(tcase, the_postmaster_hears_once_of_a_notice_that_failed);
        tcase_add_test(tcase, a_copy_that_fails_does_not_make_the_notice_fail);
        tcase_add_test(tcase, who_wants_no_notice_gets_none);
        tcase_add_test(tcase, mail_from_the_null_sender_is_never_answered);
        tcase_add_test(tcase, a_double_bounce_goes_to_the_postmaster_when_asked_for);
        tcase_add_test(tcase, a_double_bounce_that_fails_ends_the_chain);
        tcase_add_test(tcase, what_is_flagged_as_a_notice_is_never_answered_whoever_sent_it);
        tcase_add_test(tcase, without_cleanup_the_answer_is_later);
        tcase_add_test(tcase, a_cleanup_without_space_means_later);
        tcase_add_test(tcase, a_notice_that_is_refused_is_given_up);
        tcase_add_test(tcase, a_damaged_queue_file_is_no_notice);
        tcase_add_loop_test(tcase, malformed_requests_end_the_connection, 0, 4);
        tcase_add_test(tcase, a_request_without_descriptor_ends_the_connection);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
