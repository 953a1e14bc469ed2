/*
 * The log: one call is one datagram, nothing from outside can add a field or a second entry, no
 * call ever blocks, and what was lost is said. The journal is a socket of this test.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <syslog.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "tests/unit/unit.h"

static char dir_path[] = "/tmp/unitpost-test-log-XXXXXX";
static char socket_path[100];
static int journal_fd = -1;

static void journal_start(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_ge(journal_fd, 0);
        memcpy(address.sun_path, socket_path, strlen(socket_path));
        ck_assert_int_eq(bind(journal_fd, (struct sockaddr *)&address, sizeof(address)), 0);
}

static void journal_stop(void) {
        fd_closep(&journal_fd);
        (void)unlink(socket_path);
}

static void setup(void) {
        memcpy(dir_path + sizeof(dir_path) - 7, "XXXXXX", 6);
        ck_assert_ptr_nonnull(mkdtemp(dir_path));
        (void)snprintf(socket_path, sizeof(socket_path), "%s/socket", dir_path);
        journal_start();
        log_set_socket_path(socket_path);
        log_open("unitpost/test");
}

static void teardown(void) {
        log_close();
        journal_stop();
        ck_assert_int_eq(rmdir(dir_path), 0);
}

/* The next entry, or false when there is none. */
static bool entry_next(Buf *entry) {
        char *room;
        ssize_t n;

        buf_reset(entry);
        ck_assert_int_eq(buf_reserve(entry, 64 * 1024, &room), 0);
        n = recv(journal_fd, room, 64 * 1024, MSG_DONTWAIT);
        if (n < 0)
                return false;
        buf_commit(entry, (size_t)n);
        return true;
}

/* The value of the only field NAME; no field, or two, give the null slice. */
static Str entry_field(const Buf *entry, const char *name) {
        Str rest = buf_str(entry), line, value = STR_NULL;
        size_t n = strlen(name);

        while (str_next_part(&rest, '\n', &line))
                if (str_has_prefix(line, str_from_cstr(name)) && line.len > n &&
                    line.data[n] == '=') {
                        if (value.data)
                                return STR_NULL;
                        value = str_skip(line, n + 1);
                }
        return value;
}

static bool field_is(const Buf *entry, const char *name, const char *expected) {
        return str_equal(entry_field(entry, name), str_from_cstr(expected));
}

START_TEST(one_call_is_one_entry_with_its_fields) {
        const LogField fields[] = { { "UNITPOST_QUEUE_ID", STR("4F2A") },
                                    { "UNITPOST_SENDER", STR("") } };
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);
        char pid[32];

        (void)snprintf(pid, sizeof(pid), "%d", getpid());
        log_event(LOG_INFO, "0123456789abcdef0123456789abcdef", fields, 2, "%s: removed", "4F2A");
        ck_assert(entry_next(&entry));
        ck_assert(field_is(&entry, "MESSAGE", "4F2A: removed"));
        ck_assert(field_is(&entry, "PRIORITY", "6"));
        ck_assert(field_is(&entry, "SYSLOG_FACILITY", "2"));
        ck_assert(field_is(&entry, "SYSLOG_IDENTIFIER", "unitpost/test"));
        ck_assert(field_is(&entry, "SYSLOG_PID", pid));
        ck_assert(field_is(&entry, "MESSAGE_ID", "0123456789abcdef0123456789abcdef"));
        ck_assert(field_is(&entry, "UNITPOST_QUEUE_ID", "4F2A"));
        ck_assert_ptr_nonnull(entry_field(&entry, "UNITPOST_SENDER").data);
        ck_assert(!entry_next(&entry));
}
END_TEST

static const struct {
        void (*log)(const char *message_id, const char *format, ...);
        const char *message, *priority;
} levels[] = {
        { log_warning, "warning: low", "4" },
        { log_error, "error: low", "3" },
        { log_fatal, "fatal: low", "2" },
};

/* interfaces: pflogsumm and logwatch sort by the first word. */
START_TEST(levels_have_their_word_and_priority) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);

        levels[_i].log(NULL, "%s", "low");
        ck_assert(entry_next(&entry));
        ck_assert(field_is(&entry, "MESSAGE", levels[_i].message));
        ck_assert(field_is(&entry, "PRIORITY", levels[_i].priority));
        ck_assert_ptr_null(entry_field(&entry, "MESSAGE_ID").data);
}
END_TEST

START_TEST(debug_lines_come_only_when_asked_for) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);

        log_debug("hidden");
        log_event(LOG_DEBUG, NULL, NULL, 0, "hidden");
        ck_assert(!entry_next(&entry));
        log_set_verbose(1);
        log_debug("shown");
        ck_assert(entry_next(&entry));
        ck_assert(field_is(&entry, "MESSAGE", "shown"));
        ck_assert(field_is(&entry, "PRIORITY", "7"));
}
END_TEST

static const struct {
        Str value;
        const char *shown;
} hostile[] = {
        { STR("a\nPRIORITY=0\nX=1"), "a?PRIORITY=0?X=1" }, /* no forged field */
        { STR("a\0b"), "a?b" },                            /* no cut */
        { STR("\x1b[31m\x7f\t\r"), "?[31m???" },           /* no terminal control */
        { STR("\xc2\x9b"
              "31m"),
          "??31m" }, /* C1 neither: CSI as one character */
        { STR("gr\xc3\xbc\xc3\x9f"
              "e \xe2\x82\xac \xf0\x9f\x93\xac"),
          "gr\xc3\xbc\xc3\x9f"
          "e \xe2\x82\xac \xf0\x9f\x93\xac" },
        { STR("\xff\xfe"), "??" },
        { STR("\xc3"), "?" }, /* cut sequence */
        { STR("\xc3("), "?(" },
        { STR("\x80z"), "?z" },         /* stray continuation */
        { STR("\xc0\xaf"), "??" },      /* overlong '/' */
        { STR("\xe0\x80\x8a"), "???" }, /* overlong newline */
        { STR("\xf0\x80\x80\x8a"), "????" },
        { STR("\xe0\x9f\xbf"), "???" },      /* overlong U+07FF */
        { STR("\xf0\x8f\xbf\xbf"), "????" }, /* overlong U+FFFF */
        { { "\xc3\xbc", 1 }, "?" },          /* the slice ends, not the memory */
        { STR("\xed\xa0\x80"), "???" },      /* surrogate */
        { STR("\xf4\x90\x80\x80"), "????" }, /* beyond U+10FFFF */
        { STR("\xf8\x88\x80\x80\x80"), "?????" },
};

/* RFC 3629 3 and 10. */
START_TEST(bytes_from_outside_cannot_forge_cut_or_control) {
        const LogField field = { "UNITPOST_CLIENT", hostile[_i].value };
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);

        log_event(LOG_INFO, NULL, &field, 1, "from <%.*s>", STR_FMT(hostile[_i].value));
        ck_assert(entry_next(&entry));
        ck_assert(field_is(&entry, "UNITPOST_CLIENT", hostile[_i].shown));
        ck_assert(field_is(&entry, "PRIORITY", "6"));
        ck_assert_ptr_null(entry_field(&entry, "X").data);
        ck_assert(!entry_next(&entry));
}
END_TEST

START_TEST(messages_are_cut_at_2048_and_fields_at_1024_bytes) {
        _cleanup_(freep) char *text = malloc(5000);
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);
        const LogField field = { "UNITPOST_SENDER", { text, 5000 } };

        memset(text, 'x', 5000);
        log_event(LOG_INFO, NULL, &field, 1, "%.*s", 5000, text);
        ck_assert(entry_next(&entry));
        ck_assert_uint_eq(entry_field(&entry, "MESSAGE").len, 2048);
        ck_assert_uint_eq(entry_field(&entry, "UNITPOST_SENDER").len, 1024);
        log_warning(NULL, "%.*s", 5000, text);
        ck_assert(entry_next(&entry));
        ck_assert_uint_eq(entry_field(&entry, "MESSAGE").len, 2048);
}
END_TEST

START_TEST(a_cut_never_leaves_half_a_character) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024), text = BUF_INIT(4096);
        LogField field = { "UNITPOST_SENDER", STR_NULL };

        ck_assert_int_eq(buf_append_char(&text, 'x'), 0);
        for (int i = 0; i < 600; i++)
                ck_assert_int_eq(buf_append_cstr(&text, "\xc3\xbc"), 0);
        field.value = buf_str(&text);
        log_event(LOG_INFO, NULL, &field, 1, "x");
        ck_assert(entry_next(&entry));
        ck_assert(str_equal(entry_field(&entry, "UNITPOST_SENDER"), str_first(field.value, 1023)));
}
END_TEST

START_TEST(fields_beyond_the_line_are_left_out_and_the_entry_goes) {
        _cleanup_(freep) char *text = malloc(1024);
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);
        LogField fields[40];

        memset(text, 'x', 1024);
        for (size_t i = 0; i < ARRAY_LEN(fields); i++)
                fields[i] = (LogField){ i == 0 ? "FIRST" : "MORE", { text, 1024 } };
        log_event(LOG_INFO, NULL, fields, ARRAY_LEN(fields), "many");
        ck_assert(entry_next(&entry));
        ck_assert_uint_le(entry.len, 16 * 1024);
        ck_assert_uint_eq(entry_field(&entry, "FIRST").len, 1024);
        ck_assert_int_eq(entry.data[entry.len - 1], '\n');
}
END_TEST

START_TEST(errno_survives_a_line) {
        journal_stop();
        errno = EDOM;
        log_warning(NULL, "x: %m");
        ck_assert_int_eq(errno, EDOM);
        log_event(LOG_INFO, NULL, NULL, 0, "x");
        ck_assert_int_eq(errno, EDOM);
}
END_TEST

static void lines_send(unsigned from, unsigned n) {
        for (unsigned i = from; i < from + n; i++)
                log_info("line %u", i);
}

static bool entry_is_line(const Buf *entry, unsigned number) {
        char expected[32];

        (void)snprintf(expected, sizeof(expected), "line %u", number);
        return field_is(entry, "MESSAGE", expected);
}

START_TEST(a_hanging_journal_blocks_nobody_and_gets_all_in_order_later) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);
        unsigned n_read = 0, n_sent = 500;

        (void)alarm(20);
        lines_send(0, n_sent);
        while (n_read < n_sent) {
                while (entry_next(&entry))
                        ck_assert(entry_is_line(&entry, n_read++));
                if (n_read < n_sent)
                        lines_send(n_sent++, 1); /* sends what waits first */
        }
        ck_assert_uint_eq(log_n_dropped(), 0);
}
END_TEST

START_TEST(lines_beyond_the_buffer_are_counted_and_the_count_is_told_once) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);
        _cleanup_(freep) char *text = malloc(2000);
        unsigned n_lost = 0, n_reports = 0;
        char expected[100];

        (void)alarm(20);
        memset(text, 'x', 2000);
        for (int i = 0; i < 300; i++)
                log_info("%.*s", 2000, text);
        n_lost = (unsigned)log_n_dropped();
        ck_assert_uint_gt(n_lost, 100);
        ck_assert_uint_lt(n_lost, 200);
        (void)snprintf(expected, sizeof(expected),
                       "warning: %u log lines lost: the journal was too slow", n_lost);
        for (int i = 0; i < 300; i++) {
                while (entry_next(&entry))
                        if (field_is(&entry, "MESSAGE_ID", "5c1a0e6f2d934b7ea1f08c3b6d2e4a25")) {
                                n_reports++;
                                ck_assert(field_is(&entry, "MESSAGE", expected));
                                ck_assert(field_is(&entry, "PRIORITY", "4"));
                        }
                log_info("more");
        }
        ck_assert_uint_eq(n_reports, 1);
        ck_assert_uint_eq(log_n_dropped(), n_lost);
}
END_TEST

START_TEST(close_sends_what_the_journal_takes_by_then) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);
        unsigned n = 0;

        lines_send(0, 15);
        while (n < 5 && entry_next(&entry))
                n++;
        log_close();
        while (entry_next(&entry))
                ck_assert(entry_is_line(&entry, n++));
        ck_assert_uint_ge(n, 15);
}
END_TEST

START_TEST(a_restarted_journal_gets_the_lines_of_the_gap_and_the_next) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);

        lines_send(0, 1);
        ck_assert(entry_next(&entry));
        journal_stop();
        lines_send(1, 1); /* no socket at all */
        ck_assert_uint_eq(log_n_dropped(), 0);
        journal_start();
        lines_send(2, 1);
        ck_assert(entry_next(&entry));
        ck_assert(entry_is_line(&entry, 1));
        ck_assert(entry_next(&entry));
        ck_assert(entry_is_line(&entry, 2));
}
END_TEST

START_TEST(a_journal_that_restarts_between_two_lines_costs_none) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);

        lines_send(0, 1);
        journal_stop();
        journal_start();
        lines_send(1, 1);
        ck_assert(entry_next(&entry));
        ck_assert(entry_is_line(&entry, 1));
}
END_TEST

START_TEST(a_line_before_log_open_is_not_lost) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);

        log_close();
        lines_send(0, 1);
        ck_assert(entry_next(&entry));
        ck_assert(entry_is_line(&entry, 0));
}
END_TEST

/* Only the parent's lines wait in the parent. */
START_TEST(a_forked_child_does_not_send_its_parents_lines_again) {
        _cleanup_(buf_deinit) Buf entry = BUF_INIT(64 * 1024);
        unsigned n_child = 0, n_parent = 0;
        char pid[32];
        int status;
        pid_t child;

        lines_send(0, 15); /* some of them wait */
        while (entry_next(&entry))
                n_parent++;
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0) {
                log_info("line of the child");
                _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        (void)snprintf(pid, sizeof(pid), "%d", child);
        while (entry_next(&entry)) {
                ck_assert(field_is(&entry, "SYSLOG_PID", pid));
                ck_assert(field_is(&entry, "MESSAGE", "line of the child"));
                n_child++;
        }
        ck_assert_uint_eq(n_child, 1);
        lines_send(15, 1);
        while (entry_next(&entry))
                ck_assert(entry_is_line(&entry, n_parent++));
        ck_assert_uint_eq(n_parent, 16);
}
END_TEST

/* Standard error as a pipe; returns its read end. */
static int stderr_capture(void) {
        int ends[2];

        ck_assert_int_eq(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
        (void)close(ends[1]);
        return ends[0];
}

static bool stderr_is(int fd, const char *expected) {
        char room[8192];
        ssize_t n = read(fd, room, sizeof(room));

        return str_equal(str_from(room, n > 0 ? (size_t)n : 0), str_from_cstr(expected));
}

START_TEST(without_a_journal_lines_go_to_standard_error) {
        _cleanup_(fd_closep) int fd = stderr_capture();

        journal_stop();
        log_set_socket_path(socket_path);
        log_warning(NULL, "no\njournal");
        ck_assert(stderr_is(fd, "unitpost/test: warning: no?journal\n"));
        ck_assert_uint_eq(log_n_dropped(), 0);
}
END_TEST

START_TEST(standard_error_gets_a_copy_only_on_request) {
        _cleanup_(fd_closep) int fd = stderr_capture();

        log_info("journal only");
        ck_assert(stderr_is(fd, ""));
        log_to_stderr(1);
        log_info("both");
        ck_assert(stderr_is(fd, "unitpost/test: both\n"));
        log_to_stderr(0);
        log_info("journal only");
        ck_assert(stderr_is(fd, ""));
}
END_TEST

static void tests_of_content(TCase *tcase) {
        tcase_add_test(tcase, one_call_is_one_entry_with_its_fields);
        tcase_add_loop_test(tcase, levels_have_their_word_and_priority, 0, ARRAY_LEN(levels));
        tcase_add_test(tcase, debug_lines_come_only_when_asked_for);
        tcase_add_loop_test(tcase, bytes_from_outside_cannot_forge_cut_or_control, 0,
                            ARRAY_LEN(hostile));
        tcase_add_test(tcase, messages_are_cut_at_2048_and_fields_at_1024_bytes);
        tcase_add_test(tcase, a_cut_never_leaves_half_a_character);
        tcase_add_test(tcase, fields_beyond_the_line_are_left_out_and_the_entry_goes);
        tcase_add_test(tcase, errno_survives_a_line);
}

static void tests_of_flow(TCase *tcase) {
        tcase_add_test(tcase, a_hanging_journal_blocks_nobody_and_gets_all_in_order_later);
        tcase_add_test(tcase, lines_beyond_the_buffer_are_counted_and_the_count_is_told_once);
        tcase_add_test(tcase, close_sends_what_the_journal_takes_by_then);
        tcase_add_test(tcase, a_restarted_journal_gets_the_lines_of_the_gap_and_the_next);
        tcase_add_test(tcase, a_journal_that_restarts_between_two_lines_costs_none);
        tcase_add_test(tcase, a_line_before_log_open_is_not_lost);
        tcase_add_test(tcase, a_forked_child_does_not_send_its_parents_lines_again);
        tcase_add_test(tcase, without_a_journal_lines_go_to_standard_error);
        tcase_add_test(tcase, standard_error_gets_a_copy_only_on_request);
}

static Suite *suite_make(void) {
        Suite *suite = suite_create("log");
        TCase *tcase = tcase_create("log");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tests_of_content(tcase);
        tests_of_flow(tcase);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_run(suite_make());
}
