/*
 * Real commands as a real other user: what they get, what they may do wrong, and that nothing of
 * them is left, with no cgroup and in both kinds of them. Needs root.
 */

#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "common/role/command-line.h"
#include "tests/unit/command-bed.h"
#include "tests/unit/unit.h"

#define BIG ((size_t)10 * 1024 * 1024)

/* A message of N_LEFT bytes: byte after byte of a pattern that no pipe size divides. */
typedef struct Message {
        size_t n_left;
        size_t offset;
        int error_at_end;
        char piece[10007];
} Message;

static int message_input(void *userdata, Str *ret) {
        Message *message = userdata;
        size_t n = size_min(message->n_left, sizeof(message->piece));

        if (n == 0 && message->error_at_end)
                return message->error_at_end;
        for (size_t i = 0; i < n; i++)
                message->piece[i] = (char)((message->offset + i) % 251);
        message->offset += n;
        message->n_left -= n;
        *ret = str_from(message->piece, n);
        return 0;
}

/* What write(2) to a pipe says once, when some of the message is through: ENOMEM and the like. */
static int write_error;

ssize_t __real_write(int fd, const void *data, size_t n);
ssize_t __wrap_write(int fd, const void *data, size_t n);

ssize_t __wrap_write(int fd, const void *data, size_t n) {
        static int n_writes;
        struct stat st;

        if (write_error == 0 || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode) || ++n_writes != 3)
                return __real_write(fd, data, n);
        errno = write_error;
        return -1;
}

static CommandSpec spec_with_message(Bed *bed, Message *message) {
        CommandSpec spec = bed_spec(bed, NULL);

        spec.input = message_input;
        spec.userdata = message;
        return spec;
}

/* ---- what it gets ---- */

START_TEST(message_arrives_byte_exact_and_then_ends) {
        Buf got = BUF_INIT(BIG + 1);
        Message message = { .n_left = BIG };
        char path[64];
        CommandSpec spec;
        CommandOutcome outcome;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        spec = spec_with_message(&bed, &message);
        outcome = bed_run(&bed, &spec, "cat > copy; wc -c < copy");
        bed_assert_exit(&outcome, 0, "10485760\n");
        ck_assert_int_eq(
                file_read(AT_FDCWD, temp_tree_path(&bed.tree, "copy", path, sizeof(path)), &got),
                0);
        ck_assert_uint_eq(got.len, BIG);
        for (size_t i = 0; i < got.len; i++)
                if (got.data[i] != (char)(i % 251))
                        ck_abort_msg("byte %zu differs", i);
        buf_deinit(&got);
        bed_remove(&bed);
}
END_TEST

START_TEST(without_an_input_stdin_is_empty) {
        CommandOutcome outcome;
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        outcome = bed_run(&bed, NULL, "wc -c");
        bed_assert_exit(&outcome, 0, "0\n");
        bed_remove(&bed);
}
END_TEST

START_TEST(environment_is_what_was_given_and_no_more) {
        static const char *const names[] = { "NOTIFY_SOCKET", "LISTEN_FDS",
                                             "LISTEN_PID",    "WATCHDOG_USEC",
                                             "WATCHDOG_PID",  "JOURNAL_STREAM",
                                             "INVOCATION_ID", "CREDENTIALS_DIRECTORY" };
        const char *argv[] = { "env", NULL };
        CommandOutcome outcome;
        CommandSpec spec;
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
                ck_assert_int_eq(setenv(names[i], "1", 1), 0);
        bed.environment[2] = "SENDER=x y\n=z";
        spec = bed_spec(&bed, argv);
        ck_assert_int_eq(command_run(bed.commands, &spec, &outcome), 0);
        bed_assert_exit(&outcome, 0, "PATH=/usr/bin:/bin\nLC_ALL=C\nSENDER=x y\n=z\n");
        bed_remove(&bed);
}
END_TEST

START_TEST(descriptors_are_three) {
        CommandOutcome outcome;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        ck_assert_int_eq(dup2(STDERR_FILENO, 77), 77);          /* not close-on-exec */
        outcome = bed_run(&bed, NULL, "exec ls /proc/self/fd"); /* 3: what ls reads there */
        bed_assert_exit(&outcome, 0, "0\n1\n2\n3\n");
        bed_remove(&bed);
}
END_TEST

START_TEST(works_where_the_caller_has_no_stdio) {
        int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
        CommandOutcome outcome;
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        (void)close(STDIN_FILENO);
        (void)close(STDOUT_FILENO);
        (void)close(STDERR_FILENO);
        outcome = bed_run(&bed, NULL, "wc -c; echo error >&2; exec ls /proc/self/fd");
        (void)dup2(saved, STDERR_FILENO);
        bed_assert_exit(&outcome, 0, "0\nerror\n0\n1\n2\n3\n");
        bed_remove(&bed);
}
END_TEST

/* As systemd 257 starts a service: what is inheritable would reach programs with capabilities. */
static void make_capabilities_inheritable(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

        ck_assert_int_eq(syscall(SYS_capget, &header, sets), 0);
        sets[0].inheritable = sets[0].permitted;
        ck_assert_int_eq(syscall(SYS_capset, &header, sets), 0);
}

#define NO_SET "0000000000000000\n"

START_TEST(identity_signals_and_capabilities_are_a_users) {
        char expected[1024];
        CommandOutcome outcome;
        sigset_t set;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        make_capabilities_inheritable();
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)sigfillset(&set);
        (void)sigdelset(&set, SIGALRM); /* libcheck's */
        (void)sigprocmask(SIG_BLOCK, &set, NULL);
        outcome = bed_run(&bed, NULL,
                          "exec grep -E '^(Uid|Gid|Groups|SigBlk|SigIgn|CapInh|CapPrm|CapEff|"
                          "CapAmb):' /proc/self/status");
        (void)snprintf(expected, sizeof(expected),
                       "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nGroups:\t \n"
                       "SigBlk:\t" NO_SET "SigIgn:\t" NO_SET "CapInh:\t" NO_SET "CapPrm:\t" NO_SET
                       "CapEff:\t" NO_SET "CapAmb:\t" NO_SET,
                       bed.uid, bed.uid, bed.uid, bed.uid, bed.uid, bed.uid, bed.uid, bed.uid);
        bed_assert_exit(&outcome, 0, expected);
        bed_remove(&bed);
}
END_TEST

START_TEST(named_user_brings_groups) {
        CommandSpec spec;
        CommandOutcome outcome;
        char expected[64];
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        spec = bed_spec(&bed, NULL);
        spec.user_name = "nobody";
        outcome = bed_run(&bed, &spec, "exec grep ^Groups: /proc/self/status");
        (void)snprintf(expected, sizeof(expected), "Groups:\t%u \n", bed.uid);
        bed_assert_exit(&outcome, 0, expected);
        bed_remove(&bed);
}
END_TEST

START_TEST(session_umask_and_directory_are_its_own) {
        CommandOutcome outcome;
        char expected[64];
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        (void)umask(0);
        outcome = bed_run(&bed, NULL,
                          "umask; pwd; set -- $(cat /proc/$$/stat); "
                          "[ $1 = $5 ] && [ $1 = $6 ] && echo leader");
        (void)snprintf(expected, sizeof(expected), "0077\n%s\nleader\n", bed.tree.root);
        bed_assert_exit(&outcome, 0, expected);
        bed_remove(&bed);
}
END_TEST

START_TEST(files_are_limited_in_size) {
        CommandSpec spec;
        CommandOutcome outcome;
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        spec = bed_spec(&bed, NULL);
        spec.file_size_max_bytes = 1000;
        outcome = bed_run(&bed, &spec, "head -c 5000 /dev/zero > big; s=$?; wc -c < big; exit $s");
        bed_assert_exit(&outcome, 128 + SIGXFSZ, NULL);
        ck_assert_str_eq(outcome.output + outcome.output_len - 5, "1000\n");
        bed_remove(&bed);
}
END_TEST

/* ---- what is not run ---- */

START_TEST(nobody_runs_as_root) {
        static const struct {
                uid_t uid;
                gid_t gid;
        } cases[] = {
                { 0, 1000 }, { 1000, 0 }, { 0, 0 }, { (uid_t)-1, 1000 }, { 1000, (gid_t)-1 }
        };
        const char *argv[] = { "/usr/bin/touch", "made", NULL };
        char path[64];
        CommandOutcome outcome;
        CommandSpec spec;
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                spec = bed_spec(&bed, argv);
                spec.uid = cases[i].uid;
                spec.gid = cases[i].gid;
                ck_assert_int_eq(command_run(bed.commands, &spec, &outcome), COMMAND_E_ROOT);
                ck_assert_int_eq(outcome.end, COMMAND_NOT_RUN);
                ck_assert_int_eq(outcome.value, EPERM);
        }
        ck_assert_int_lt(access(temp_tree_path(&bed.tree, "made", path, sizeof(path)), F_OK), 0);
        bed_remove(&bed);
}
END_TEST

static void assert_not_run(Bed *bed, const CommandSpec *spec, const char *step, int error) {
        CommandOutcome outcome;

        ck_assert_int_eq(command_run(bed->commands, spec, &outcome), 0);
        ck_assert_int_eq(outcome.end, COMMAND_NOT_RUN);
        ck_assert_str_eq(outcome.step, step);
        ck_assert_int_eq(outcome.value, error);
        ck_assert_uint_eq(bed_count_processes(bed), 0);
}

START_TEST(faults_of_the_machine_are_told_from_exit_status) {
        const char *missing[] = { "/nonexistent/x", NULL };
        const char *nowhere[] = { "nonexistent-program", NULL };
        const char *plain[] = { "/etc/passwd", NULL };
        const char *truth[] = { "/bin/true", NULL };
        CommandSpec spec;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        spec = bed_spec(&bed, missing);
        spec.argv_fallback = truth; /* not for a name with '/' */
        assert_not_run(&bed, &spec, "exec", ENOENT);
        spec = bed_spec(&bed, nowhere);
        assert_not_run(&bed, &spec, "exec", ENOENT);
        spec = bed_spec(&bed, plain);
        assert_not_run(&bed, &spec, "exec", EACCES);
        spec = bed_spec(&bed, truth);
        spec.directory = "/nonexistent";
        assert_not_run(&bed, &spec, "entering its directory", ENOENT);
        spec.directory = "/root";
        ck_assert_int_eq(chown(bed.tree.root, 0, 0), 0); /* 0700: root may, the user may not */
        spec.directory = bed.tree.root;
        assert_not_run(&bed, &spec, "entering its directory", EACCES);
        bed_remove(&bed);
}
END_TEST

START_TEST(too_many_processes_of_the_user) {
        const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };
        const char *argv[] = { "/bin/true", NULL };
        CommandSpec spec;
        pid_t holder;
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        holder = fork(); /* the one process that the user has */
        if (holder == 0) {
                if (setuid(bed.uid) == 0)
                        for (;;)
                                (void)pause();
                _exit(1);
        }
        while (bed_count_processes(&bed) == 0)
                (void)usleep(1000);
        ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &none), 0);
        spec = bed_spec(&bed, argv);
        assert_not_run(&bed, &spec, "exec", EAGAIN);
        bed_remove(&bed);
}
END_TEST

START_TEST(builtin_of_the_shell_is_found) {
        CommandOutcome outcome;
        CommandLine line;
        CommandSpec spec;
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        ck_assert_int_eq(command_line_parse(STR("umask"), STR_NULL, &line), 0);
        spec = bed_spec(&bed, line.argv);
        spec.argv_fallback = line.argv_fallback;
        ck_assert_int_eq(command_run(bed.commands, &spec, &outcome), 0);
        bed_assert_exit(&outcome, 0, "0077\n");
        command_line_deinit(&line);
        bed_remove(&bed);
}
END_TEST

/* ---- how it ends ---- */

START_TEST(each_exit_status_comes_back) {
        static const int others[] = { 0, 1, 2, 63, 79, 100, 126, 127, 128, 255 };
        CommandOutcome outcome;
        char script[32];
        Bed bed;

        ck_assert(bed_make(&bed, BED_NO_CGROUP));
        for (int i = 0; i < (int)ARRAY_LEN(others) + 15; i++) {
                int status = i < 15 ? 64 + i : others[i - 15];

                (void)snprintf(script, sizeof(script), "exit %d", status);
                outcome = bed_run(&bed, NULL, script);
                bed_assert_exit(&outcome, status, "");
        }
        bed_remove(&bed);
}
END_TEST

START_TEST(signals_come_back) {
        static const int signals[] = { SIGKILL, SIGTERM, SIGSEGV, SIGPIPE };
        CommandOutcome outcome;
        char script[64];
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
                (void)snprintf(script, sizeof(script), "ulimit -c 0; echo x; kill -%d $$",
                               signals[i]);
                outcome = bed_run(&bed, NULL, script);
                ck_assert_int_eq(outcome.end, COMMAND_KILLED);
                ck_assert_int_eq(outcome.value, signals[i]);
                ck_assert_uint_eq(outcome.output_len, 2);
        }
        bed_remove(&bed);
}
END_TEST

START_TEST(time_limit_ends_it_whatever_it_does) {
        static const char *const scripts[] = {
                "trap '' TERM INT HUP; while :; do sleep 1000; done",
                "echo so far; kill -STOP $$",
                "while :; do :; done",
                "yes",
                "exec 0<&- 1>&- 2>&-; exec sleep 1000",
        };
        CommandOutcome outcome;
        Message message;
        CommandSpec spec;
        usec_t start;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
                message = (Message){ .n_left = BIG };
                spec = spec_with_message(&bed, &message);
                spec.time_limit_usec = 500 * USEC_PER_MSEC;
                start = clock_monotonic_usec();
                outcome = bed_run(&bed, &spec, scripts[i]);
                ck_assert_int_eq(outcome.end, COMMAND_TIMED_OUT);
                ck_assert_uint_lt(clock_monotonic_usec() - start, 10 * USEC_PER_SEC);
        }
        bed_remove(&bed);
}
END_TEST

START_TEST(half_a_message_kills_it) {
        Message message = { .n_left = 100000, .error_at_end = -EIO };
        CommandOutcome outcome;
        CommandSpec spec;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        spec = spec_with_message(&bed, &message);
        outcome = bed_run(&bed, &spec, "cat >/dev/null; touch whole");
        ck_assert_int_eq(outcome.end, COMMAND_NO_INPUT);
        ck_assert_int_eq(outcome.value, EIO);
        ck_assert_int_lt(access(temp_tree_path(&bed.tree, "whole", (char[64]){ 0 }, 64), F_OK), 0);
        bed_remove(&bed);
}
END_TEST

START_TEST(a_message_that_the_pipe_does_not_take_kills_it) {
        Message message = { .n_left = 100000 };
        CommandOutcome outcome;
        CommandSpec spec;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        spec = spec_with_message(&bed, &message);
        write_error = ENOMEM;
        outcome = bed_run(&bed, &spec, "cat >/dev/null; touch whole");
        write_error = 0;
        ck_assert_int_eq(outcome.end, COMMAND_NO_INPUT);
        ck_assert_int_eq(outcome.value, ENOMEM);
        ck_assert_int_lt(access(temp_tree_path(&bed.tree, "whole", (char[64]){ 0 }, 64), F_OK), 0);
        bed_remove(&bed);
}
END_TEST

/* ---- bad manners ---- */

START_TEST(input_that_is_not_read_is_no_error) {
        static const char *const scripts[] = {
                "exit 3",
                "sleep 0.1; exit 3",
                "exec 0<&-; sleep 0.1; exit 3",
                "head -c 1 >/dev/null; exit 3",
        };
        CommandOutcome outcome;
        Message message;
        CommandSpec spec;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
                message = (Message){ .n_left = BIG };
                spec = spec_with_message(&bed, &message);
                outcome = bed_run(&bed, &spec, scripts[i]);
                bed_assert_exit(&outcome, 3, "");
        }
        bed_remove(&bed);
}
END_TEST

START_TEST(output_is_kept_at_its_beginning) {
        CommandOutcome outcome;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        outcome = bed_run(&bed, NULL, "echo first; head -c 10000000 /dev/zero; exit 4");
        bed_assert_exit(&outcome, 4, NULL);
        ck_assert_uint_eq(outcome.output_len, COMMAND_OUTPUT_MAX);
        ck_assert_mem_eq(outcome.output, "first\n\0\0", 8);
        outcome = bed_run(&bed, NULL, "printf 'a\\000\\377 no line end'; printf ' to 2' >&2");
        ck_assert_uint_eq(outcome.output_len, 20);
        ck_assert_mem_eq(outcome.output, "a\0\377 no line end to 2", 20);
        bed_remove(&bed);
}
END_TEST

START_TEST(output_closed_early_is_its_own_affair) {
        Message message = { .n_left = BIG };
        CommandOutcome outcome;
        CommandSpec spec;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        spec = spec_with_message(&bed, &message);
        outcome = bed_run(&bed, &spec, "echo x; exec >&- 2>&-; cat > copy; exit 5");
        bed_assert_exit(&outcome, 5, "x\n");
        ck_assert_uint_eq(message.n_left, 0);
        bed_remove(&bed);
}
END_TEST

START_TEST(background_children_are_not_waited_for) {
        usec_t start = clock_monotonic_usec();
        CommandOutcome outcome;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        outcome = bed_run(&bed, NULL, "(sleep 20; echo late) & echo early; exit 0");
        bed_assert_exit(&outcome, 0, "early\n");
        ck_assert_uint_lt(clock_monotonic_usec() - start, 10 * USEC_PER_SEC);
        bed_remove(&bed);
}
END_TEST

/* Starts a process that names itself in the file "pid", and waits for that. */
#define STAY "sh -c 'trap \"\" TERM HUP; echo $$ > new; mv new pid; sleep 1000'"
#define WAIT "while ! [ -e pid ]; do sleep 0.01; done; "

START_TEST(nothing_outlives_it) {
        static const char *const scripts[] = {
                STAY " & " WAIT "exit 6",
                "(setsid " STAY " &) & " WAIT "exit 6",
                "(setsid sh -c \"setsid " STAY "\" >/dev/null 2>&1 </dev/null &) & " WAIT "exit 6",
                "set -m; " STAY " & " WAIT "exit 6",
                "(" STAY " & " WAIT "kill -STOP $(cat pid)) & " WAIT "exit 6",
        };
        Buf text = BUF_INIT(32);
        CommandOutcome outcome;
        char path[64];
        uint64_t pid;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        (void)temp_tree_path(&bed.tree, "pid", path, sizeof(path));
        for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
                (void)unlink(path);
                outcome = bed_run(&bed, NULL, scripts[i]);
                bed_assert_exit(&outcome, 6, NULL);
                buf_reset(&text);
                ck_assert_int_eq(file_read(AT_FDCWD, path, &text), 0);
                ck_assert_int_eq(str_parse_u64(str_trim(buf_str(&text)), INT32_MAX, &pid), 0);
                ck_assert_int_lt(kill((pid_t)pid, 0), 0);
                ck_assert_int_eq(errno, ESRCH);
        }
        buf_deinit(&text);
        bed_remove(&bed);
}
END_TEST

START_TEST(a_fork_bomb_is_put_out) {
        const struct rlimit few = { .rlim_cur = 150, .rlim_max = 150 }; /* as TasksMax= does */
        CommandOutcome outcome;
        CommandSpec spec;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &few), 0);
        spec = bed_spec(&bed, NULL);
        spec.time_limit_usec = 500 * USEC_PER_MSEC;
        outcome = bed_run(&bed, &spec, "exec perl -e '$end = time + 20; fork while time < $end'");
        ck_assert_int_eq(outcome.end, COMMAND_TIMED_OUT);
        bed_remove(&bed);
}
END_TEST

START_TEST(commands_follow_each_other) {
        CommandOutcome outcome;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        for (int i = 0; i < 50; i++) {
                outcome = bed_run(&bed, NULL, "sleep 1000 & echo x");
                bed_assert_exit(&outcome, 0, "x\n");
        }
        ck_assert_int_lt(fcntl(40, F_GETFD), 0); /* no descriptor is lost */
        bed_remove(&bed);
}
END_TEST

int main(void) {
        const TTest *const alone[] = {
                without_an_input_stdin_is_empty,
                environment_is_what_was_given_and_no_more,
                works_where_the_caller_has_no_stdio,
                named_user_brings_groups,
                session_umask_and_directory_are_its_own,
                files_are_limited_in_size,
                nobody_runs_as_root,
                too_many_processes_of_the_user,
                builtin_of_the_shell_is_found,
                each_exit_status_comes_back,
        };
        const TTest *const in_each_mode[] = {
                message_arrives_byte_exact_and_then_ends,
                descriptors_are_three,
                identity_signals_and_capabilities_are_a_users,
                faults_of_the_machine_are_told_from_exit_status,
                signals_come_back,
                time_limit_ends_it_whatever_it_does,
                half_a_message_kills_it,
                a_message_that_the_pipe_does_not_take_kills_it,
                input_that_is_not_read_is_no_error,
                output_is_kept_at_its_beginning,
                output_closed_early_is_its_own_affair,
                background_children_are_not_waited_for,
                nothing_outlives_it,
                a_fork_bomb_is_put_out,
                commands_follow_each_other,
        };
        Suite *suite = suite_create("command");
        TCase *tcase = tcase_create("command");

        for (size_t i = 0; i < ARRAY_LEN(alone); i++)
                tcase_add_test(tcase, alone[i]);
        for (size_t i = 0; i < ARRAY_LEN(in_each_mode); i++)
                tcase_add_loop_test(tcase, in_each_mode[i], 0, BED_N_MODES);
        tcase_set_timeout(tcase, 60);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
