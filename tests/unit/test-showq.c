/* showq: asked over a socket pair, on a queue with good, odd and hostile files. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/base/file.h"
#include "common/mail/queue-file.h"
#include "common/mail/queue.h"
#include "common/role/protocol-showq.h"
#include "services/showq/authorize.h"
#include "services/showq/names.h"
#include "services/showq/showq.h"
#include "tests/unit/unit.h"

static char root[] = "/tmp/unitpost-test-showq-XXXXXX";
static const char *const dirs[] = { "maildrop", "incoming", "active", "deferred", "hold" };
static Buf listing; /* "QUEUE ID SENDER ADDRESS=REASON ..." a line for each message */

static void setup(void) {
        int fd;

        memcpy(root + sizeof(root) - 7, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(root));
        fd = file_open_dir(AT_FDCWD, root);
        for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
                ck_assert_int_eq(mkdirat(fd, dirs[i], 0700), 0);
        ck_assert_int_eq(mkdirat(fd, "deferred/1795557632", 0700), 0);
        ck_assert_int_eq(mkdirat(fd, "deferred/1795557696", 0700), 0);
        (void)close(fd);
        listing = BUF_INIT(1 << 20);
}

static void teardown(void) {
        char command[] = "-rf";
        int status;

        buf_deinit(&listing);
        if (fork() == 0) {
                (void)execlp("rm", "rm", command, "--", root, (char *)NULL);
                _exit(1);
        }
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
}

static int open_dir(const char *dir) {
        int root_fd = file_open_dir(AT_FDCWD, root), fd = file_open_dir(root_fd, dir);

        ck_assert_int_ge(fd, 0);
        (void)close(root_fd);
        return fd;
}

/* A message with a to-do recipient that has a diagnosis, and one that is done. */
static QueueId make_message(const char *dir, usec_t arrival_usec, const char *sender) {
        QueueFileWriter *writer _cleanup_(queue_file_writer_freep) = NULL;
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        Recipient bob = { .address = STR("bob@x") }, eve = { .address = STR("eve@x") };
        Envelope envelope = { .arrival_usec = arrival_usec, .sender = str_from_cstr(sender) };
        QueueFileRecipient found;
        QueueId id = queue_id_new(arrival_usec);
        uint64_t cursor = 0;
        int dir_fd = open_dir(dir), fd;
        Dsn dsn;

        ck_assert_int_eq(queue_file_writer_new(dir_fd, &envelope, NULL, &writer), 0);
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &bob), 0);
        ck_assert_int_eq(queue_file_writer_add_recipient(writer, &eve), 0);
        ck_assert_int_eq(queue_file_writer_add_content(writer, STR("x: y\n")), 0);
        ck_assert_int_eq(queue_file_writer_commit(writer, &id), 0);
        fd = openat(dir_fd, id.text, O_RDWR | O_CLOEXEC);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(queue_file_open(fd, &file), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &found), 0);
        dsn_set(&dsn, DSN_DEFERRED, "4.4.1", "no route");
        ck_assert_int_eq(queue_file_write_diagnosis(fd, found.offset, &dsn, 1, RECIPIENT_TODO), 0);
        ck_assert_int_eq(queue_file_next_recipient(file, &cursor, false, &found), 0);
        ck_assert_int_eq(queue_file_mark(fd, found.offset, RECIPIENT_SENT), 0);
        (void)close(fd);
        (void)close(dir_fd);
        return id;
}

/* showq in a child, with these settings; returns our end. */
static IpcConn *start_showq(uid_t uid, const char *override) {
        char queue_setting[256];
        const char *overrides[] = { queue_setting, override, NULL };
        int fds[2];
        IpcConn *conn;

        (void)snprintf(queue_setting, sizeof(queue_setting), "queue_directory=%s", root);
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        if (fork() == 0) {
                ConfigSource source = { .root = root, .overrides = overrides };
                Buf error = BUF_INIT(4096);
                RoleEnv env = { .role = "showq" };
                Config *config;
                int r;

                (void)close(fds[0]);
                if (config_load(&source, &config, &error) != 0)
                        _exit(1);
                env.config = config;
                if (showq_start(&env) != 0 || ipc_conn_new(fds[1], &conn) != 0)
                        _exit(2);
                /* A socket pair has the credentials of its maker on both ends. */
                ((IpcPeer *)(uintptr_t)ipc_conn_peer(conn))->uid = uid;
                r = showq_serve(&env, conn);
                (void)ipc_conn_free(conn);
                showq_stop(&env);
                (void)config_free(config);
                _exit(r == 0 ? 0 : 3);
        }
        (void)close(fds[1]);
        ck_assert_int_eq(ipc_conn_new(fds[0], &conn), 0);
        ipc_conn_set_timeout(conn, 20 * USEC_PER_SEC);
        return conn;
}

static void ask(IpcConn *conn, const char *verb, const char *queue_id) {
        ShowqRequest request = { str_from_cstr(verb), str_from_cstr(queue_id) };

        ck_assert_int_eq(ipc_conn_send_message(conn, &showq_request_schema, &request), 0);
        ck_assert_int_eq(ipc_conn_send_end(conn), 0);
}

static void check_child(int expected) {
        int status;

        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(WIFEXITED(status), 1);
        ck_assert_int_eq(WEXITSTATUS(status), expected);
}

static void add_to_listing(Str payload) {
        ShowqRecipient recipient;
        ShowqMessage message;

        if (ipc_message_parse(payload, &showq_message_schema, &message) == 0) {
                ck_assert_uint_eq(message.size, 5);
                (void)buf_printf(&listing, "\n%.*s %.*s %.*s", STR_FMT(message.queue_name),
                                 STR_FMT(message.queue_id), STR_FMT(message.sender));
                return;
        }
        ck_assert_int_eq(ipc_message_parse(payload, &showq_recipient_schema, &recipient), 0);
        (void)buf_printf(&listing, " %.*s=%.*s", STR_FMT(recipient.address),
                         STR_FMT(recipient.reason));
}

static void list(void) {
        IpcConn *conn _cleanup_(ipc_conn_freep) = start_showq(1000, NULL);
        IpcFrame frame;

        ask(conn, "list", "");
        for (;;) {
                ck_assert_int_eq(ipc_conn_receive(conn, &frame), 0);
                if (frame.type == IPC_FRAME_END)
                        break;
                add_to_listing(frame.payload);
        }
        (void)buf_append_char(&listing, '\n');
        check_child(0);
}

START_TEST(every_queue_is_listed_in_postfixs_order_by_arrival) {
        QueueId hold = make_message("hold", 1000, "h@x");
        QueueId late = make_message("deferred/1795557696", 2000, "d@x");
        QueueId soon = make_message("deferred/1795557632", 9000, "s@x");
        QueueId third = make_message("incoming", 3000, "i@x");
        QueueId second = make_message("incoming", 2000, "i@x");
        QueueId first = make_message("incoming", 1000, "");
        QueueId active = make_message("active", 1000, "a@x");
        QueueId drop = make_message("maildrop", 1000, "m@x");
        _cleanup_(buf_deinit) Buf expected = BUF_INIT(4096);

        (void)buf_printf(&expected,
                         "\nmaildrop %s m@x bob@x=no route\nactive %s a@x bob@x=no route\n"
                         "incoming %s  bob@x=no route\nincoming %s i@x bob@x=no route\n"
                         "incoming %s i@x bob@x=no route\ndeferred %s s@x bob@x=no route\n"
                         "deferred %s d@x bob@x=no route\nhold %s h@x bob@x=no route\n",
                         drop.text, active.text, first.text, second.text, third.text, soon.text,
                         late.text, hold.text);
        list();
        ck_assert_msg(str_equal(buf_str(&listing), buf_str(&expected)), "%.*s",
                      STR_FMT(buf_str(&listing)));
}
END_TEST

START_TEST(names_come_sorted_whatever_the_directory_order_is) {
        Queue *queue _cleanup_(queue_freep) = NULL;
        Names *names _cleanup_(names_freep) = NULL;
        QueueId id, last = { 0 };
        int fd = open_dir("incoming");
        unsigned n = 0;

        for (unsigned i = 0; i < 500; i++) {
                id = queue_id_new((i * 7919 % 500) * USEC_PER_SEC);
                ck_assert_int_eq(mknodat(fd, id.text, S_IFREG | 0600, 0), 0);
        }
        (void)close(fd);
        ck_assert_int_eq(queue_open(root, 1U << QUEUE_INCOMING, &queue), 0);
        ck_assert_int_eq(names_new(queue, QUEUE_INCOMING, 0, &names), 0);
        for (; names_next(names, &id) == 0; n++, last = id)
                ck_assert_str_gt(id.text, last.text);
        ck_assert_uint_eq(n, 500);
}
END_TEST

START_TEST(an_empty_queue_gives_an_empty_answer) {
        list();
        ck_assert(str_equal(buf_str(&listing), STR("\n")));
}
END_TEST

/* XL5: nothing in the queue can harm the listing of the rest. */
START_TEST(odd_files_are_left_out) {
        QueueId id = make_message("incoming", 1000, "i@x");
        int fd = open_dir("incoming"), file;

        file = openat(fd, "00000000000000000001", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ck_assert_int_eq(file_write_all(file, "garbage", 7), 0);
        (void)close(file);
        ck_assert_int_eq(symlinkat("/etc/passwd", fd, "00000000000000000002"), 0);
        ck_assert_int_eq(symlinkat(id.text, fd, "00000000000000000003"), 0);
        ck_assert_int_eq(mkfifoat(fd, "00000000000000000004", 0600), 0);
        ck_assert_int_eq(mkdirat(fd, "00000000000000000005", 0700), 0);
        ck_assert_int_eq(linkat(fd, id.text, fd, "no-queue-id", 0), 0);
        file = openat(fd, "00000000000000000006", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        (void)close(file);
        (void)close(fd);
        list();
        ck_assert_uint_eq(listing.len, strlen("\nincoming  i@x bob@x=no route\n") + QUEUE_ID_LEN);
}
END_TEST

START_TEST(a_directory_that_vanished_does_not_hide_the_others) {
        QueueId id = make_message("hold", 1000, "h@x");
        int fd = open_dir("deferred");

        (void)id;
        ck_assert_int_eq(unlinkat(fd, "1795557632", AT_REMOVEDIR), 0);
        (void)close(fd);
        list();
        ck_assert_ptr_nonnull(memmem(listing.data, listing.len, "hold", 4));
}
END_TEST

static void check_result(IpcConn *conn, bool ok, const char *text) {
        ShowqResult result;

        ck_assert_int_eq(ipc_conn_receive_message(conn, &showq_result_schema, &result), 0);
        ck_assert_int_eq(result.ok, ok);
        ck_assert_msg(str_equal(result.text, str_from_cstr(text)), "%.*s", STR_FMT(result.text));
        ck_assert_int_eq(ipc_conn_receive_end(conn), 0);
}

START_TEST(a_user_that_is_not_listed_sees_nothing) {
        IpcConn *conn _cleanup_(ipc_conn_freep) =
                start_showq(4711, "authorized_mailq_users=root, daemon");

        make_message("hold", 1000, "h@x");
        ask(conn, "list", "");
        check_result(conn, false, "you may not see the mail queue");
        check_child(0);
}
END_TEST

START_TEST(a_user_that_is_not_listed_flushes_nothing) {
        IpcConn *conn _cleanup_(ipc_conn_freep) =
                start_showq(4711, "authorized_flush_users=!unknown, static:all");

        ask(conn, "flush", "");
        check_result(conn, false, "you may not flush the mail queue");
        check_child(0);
}
END_TEST

START_TEST(a_table_that_does_not_answer_is_no_permission) {
        IpcConn *conn _cleanup_(ipc_conn_freep) =
                start_showq(4711, "authorized_flush_users=nonsense:all");

        ask(conn, "flush", "");
        check_result(conn, false, "cannot find out what you may do; try again later");
        check_child(0);
}
END_TEST

START_TEST(malformed_requests_end_the_connection) {
        static const char *const cases[][2] = {
                { "drop", "" }, { "flush-one", "" }, { "flush-one", "../../etc/passwd" }, { "", "" }
        };
        IpcConn *conn _cleanup_(ipc_conn_freep) = start_showq(0, NULL);

        ask(conn, cases[_i][0], cases[_i][1]);
        check_child(3);
}
END_TEST

static const struct {
        const char *users, *name;
        Authorize answer;
} lists[] = {
        { "static:anyone", "joe", AUTHORIZE_YES },
        { "", "joe", AUTHORIZE_NO },
        { "joe", "joe", AUTHORIZE_YES },
        { "ann, joe", "joe", AUTHORIZE_YES },
        { "joey", "joe", AUTHORIZE_NO },
        { "!joe, static:all", "joe", AUTHORIZE_NO },
        { "!joe, static:all", "ann", AUTHORIZE_YES },
        { "!ann", "joe", AUTHORIZE_NO },
        { "inline:{joe=x}", "joe", AUTHORIZE_YES },
        { "inline:{joe=x}", "ann", AUTHORIZE_NO },
        { "joe, texthash:/nonexistent/x", "joe", AUTHORIZE_YES },
        { "texthash:/nonexistent/x, joe", "joe", AUTHORIZE_ERROR },
        { "joe, nonsense:x", "joe", AUTHORIZE_ERROR },
};

START_TEST(lists_of_users_decide_by_the_first_that_fits) {
        ck_assert_int_eq(authorize_name(lists[_i].users, lists[_i].name), lists[_i].answer);
}
END_TEST

START_TEST(root_and_the_mail_system_may_always) {
        ck_assert_int_eq(authorize_user("nobody-else", 0), AUTHORIZE_YES);
        ck_assert_int_eq(authorize_user("nobody-else", geteuid()), AUTHORIZE_YES);
        ck_assert_int_eq(authorize_user("root", 4711), AUTHORIZE_NO);
        ck_assert_int_eq(authorize_user("unknown", 4711), AUTHORIZE_YES);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("showq");
        TCase *tcase = tcase_create("list"), *users = tcase_create("users");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, every_queue_is_listed_in_postfixs_order_by_arrival);
        tcase_add_test(tcase, names_come_sorted_whatever_the_directory_order_is);
        tcase_add_test(tcase, an_empty_queue_gives_an_empty_answer);
        tcase_add_test(tcase, odd_files_are_left_out);
        tcase_add_test(tcase, a_directory_that_vanished_does_not_hide_the_others);
        tcase_add_test(tcase, a_user_that_is_not_listed_sees_nothing);
        tcase_add_test(tcase, a_user_that_is_not_listed_flushes_nothing);
        tcase_add_test(tcase, a_table_that_does_not_answer_is_no_permission);
        tcase_add_loop_test(tcase, malformed_requests_end_the_connection, 0, 4);
        tcase_add_loop_test(users, lists_of_users_decide_by_the_first_that_fits, 0,
                            ARRAY_LEN(lists));
        tcase_add_test(users, root_and_the_mail_system_may_always);
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, users);
        return unit_run(suite);
}
