/*
 * Where a service's cgroup is, as tables of what /proc says on machines of each kind; and what a
 * worker that was killed has left behind. The latter needs root.
 */

#include <sys/wait.h>

#include "common/role/command-kill.h"
#include "tests/unit/command-bed.h"
#include "tests/unit/unit.h"

#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNTS                                                                               \
        "31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"                     \
        "41 31 0:38 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw\n"         \
        "40 31 0:37 / /sys/fs/cgroup/systemd rw,nosuid - cgroup cgroup rw,xattr,name=systemd\n" \
        "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
#define SERVICE            "/system.slice/unitpost-local.service"
#define V2_SELF            "0::" SERVICE "\n"
#define V1_SELF            "12:cpu,cpuacct:/\n1:name=systemd:" SERVICE "\n0::" SERVICE "\n"
#define MOUNT(root, point) "30 23 0:26 " root " " point " rw - cgroup2 cgroup2 rw\n"

static const struct {
        const char *self;
        const char *mountinfo;
        bool is_unified;
        const char *expected; /* NULL: none */
} path_cases[] = {
        { V2_SELF, V2_MOUNT, true, "/sys/fs/cgroup" SERVICE },
        { V2_SELF, V2_MOUNT, false, NULL },
        { V1_SELF, V1_MOUNTS, true, "/sys/fs/cgroup/unified" SERVICE },
        { V1_SELF, V1_MOUNTS, false, "/sys/fs/cgroup/systemd" SERVICE },
        { "1:name=systemd:/a\n", V1_MOUNTS, true, NULL },
        { "0::/a:b:c\n", V2_MOUNT, true, "/sys/fs/cgroup/a:b:c" },
        { "0::/a", V2_MOUNT, true, "/sys/fs/cgroup/a" },
        { "0::/\n", V2_MOUNT, true, NULL },
        { "0::/../b\n", V2_MOUNT, true, NULL },
        { "", V2_MOUNT, true, NULL },
        { V2_SELF, "", true, NULL },
        { "0::/a\n", "30 23 0:26 / /x\n", true, NULL },
        { "0::/a\n", "garbage\n\n- - -\n" V2_MOUNT, true, "/sys/fs/cgroup/a" },
        /* a part of the hierarchy is mounted: as seen from there, or not at all */
        { "0::/m/a\n", MOUNT("/m", "/cg"), true, "/cg/a" },
        { "0::/m\n", MOUNT("/m", "/cg"), true, "/cg" },
        { "0::/mm\n", MOUNT("/m", "/cg"), true, NULL },
        { "0::/a\n", MOUNT("/m", "/cg"), true, NULL },
        /* the last mount hides earlier ones, unless we are not in it */
        { "0::/a\n", MOUNT("/", "/one") MOUNT("/", "/two"), true, "/two/a" },
        { "0::/a\n", MOUNT("/", "/one") MOUNT("/m", "/two"), true, "/one/a" },
        { "0::/a\n", MOUNT("/", "/with\\040blank\\134x\\04"), true, "/with blank\\x\\04/a" },
};

START_TEST(path_is_found_on_every_kind_of_machine) {
        for (size_t i = 0; i < ARRAY_LEN(path_cases); i++) {
                Buf path = BUF_INIT(256);
                int r = command_cgroup_path(str_from_cstr(path_cases[i].self),
                                            str_from_cstr(path_cases[i].mountinfo),
                                            path_cases[i].is_unified, &path);

                ck_assert_msg(r == (path_cases[i].expected ? 0 : COMMAND_CGROUP_E_NONE),
                              "case %zu: %d", i, r);
                if (r == 0)
                        ck_assert_str_eq(buf_cstr(&path), path_cases[i].expected);
                buf_deinit(&path);
        }
}
END_TEST

START_TEST(path_that_does_not_fit_is_an_error) {
        Buf path = BUF_INIT(20);

        ck_assert_int_eq(command_cgroup_path(STR(V2_SELF), STR(V2_MOUNT), true, &path), BUF_E_FULL);
        buf_deinit(&path);
}
END_TEST

/* A worker in the midst of a command, in a process of its own; comes back when that has begun. */
static pid_t start_worker(Bed *bed) {
        const char *argv[] = { "/bin/sleep", "1000", NULL };
        unsigned n_before = bed_count_processes(bed);
        CommandSpec spec = bed_spec(bed, argv);
        CommandOutcome outcome;
        Commands *commands;
        pid_t pid = fork();

        ck_assert_int_ge(pid, 0);
        if (pid == 0) {
                if (commands_new(true, &commands) == 0)
                        (void)command_run(commands, &spec, &outcome);
                _exit(0);
        }
        while (bed_count_processes(bed) == n_before)
                (void)usleep(1000);
        return pid;
}

static void sweep_until(Bed *bed, unsigned n_cgroups) {
        Commands *another;

        for (int i = 0; i < 1000; i++) {
                ck_assert_int_eq(commands_new(true, &another), 0);
                commands_free(another);
                if (bed_count_cgroups(bed) == n_cgroups)
                        return;
                (void)usleep(10000);
        }
        ck_abort_msg("%u cgroups are left", bed_count_cgroups(bed));
}

START_TEST(what_a_killed_worker_left_is_killed_by_the_next) {
        pid_t living, killed;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        living = start_worker(&bed);
        killed = start_worker(&bed);
        sweep_until(&bed, 2);
        ck_assert_uint_eq(bed_count_processes(&bed), 2);
        ck_assert_int_eq(kill(killed, SIGKILL), 0);
        ck_assert_int_eq(waitpid(killed, NULL, 0), killed);
        ck_assert_uint_eq(bed_count_processes(&bed), 2);
        sweep_until(&bed, 1);
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ; /* it came to us, a child subreaper */
        ck_assert_uint_eq(bed_count_processes(&bed), 1);
        ck_assert_int_eq(kill(living, 0), 0);

        ck_assert_int_eq(kill(living, SIGKILL), 0);
        ck_assert_int_eq(waitpid(living, NULL, 0), living);
        sweep_until(&bed, 0);
        (void)bed_run(&bed, NULL, "exit 0"); /* reaps */
        bed_remove(&bed);
}
END_TEST

START_TEST(a_run_sweeps_too) {
        CommandOutcome outcome;
        pid_t killed;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        killed = start_worker(&bed);
        ck_assert_int_eq(kill(killed, SIGKILL), 0);
        ck_assert_int_eq(waitpid(killed, NULL, 0), killed);
        ck_assert_uint_eq(bed_count_cgroups(&bed), 1);
        outcome = bed_run(&bed, NULL, "cat /proc/self/cgroup");
        bed_assert_exit(&outcome, 0, NULL);
        ck_assert_ptr_nonnull(memmem(outcome.output, outcome.output_len, "/command-", 9));
        sweep_until(&bed, 0);
        bed_remove(&bed);
}
END_TEST

START_TEST(one_that_cannot_be_opened_is_not_left) {
        CommandCgroup cgroup;
        struct rlimit limit;
        int base_fd;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        base_fd = open(bed.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(base_fd, 0);
        ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = 0;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_int_eq(command_cgroup_make(base_fd, &cgroup), -EMFILE);
        limit.rlim_cur = limit.rlim_max;
        ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
        ck_assert_int_eq(close(base_fd), 0);
        bed_remove(&bed); /* looks for cgroups */
}
END_TEST

/* A sweep may take what was made a moment ago for a left-over: then another is made. */
START_TEST(one_that_a_sweep_removes_at_once_is_made_anew) {
        CommandCgroup cgroup;
        pid_t sweeper;
        int base_fd;
        Bed bed;

        if (!bed_make(&bed, _i))
                return;
        base_fd = open(bed.cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(base_fd, 0);
        sweeper = fork();
        if (sweeper == 0)
                for (;;)
                        command_cgroup_sweep(base_fd);
        for (int i = 0; i < 3000; i++) {
                ck_assert_int_eq(command_cgroup_make(base_fd, &cgroup), 0);
                ck_assert_int_eq(command_cgroup_remove(&cgroup), 0);
        }
        ck_assert_int_eq(kill(sweeper, SIGKILL), 0);
        ck_assert_int_eq(waitpid(sweeper, NULL, 0), sweeper);
        ck_assert_int_eq(close(base_fd), 0);
        bed_remove(&bed);
}
END_TEST

typedef struct Pair {
        pid_t pids[2];
        bool are_stopped; /* at the last time of asking */
} Pair;

static bool is_stopped(pid_t pid) {
        siginfo_t info = { 0 };

        return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
               info.si_pid == pid;
}

static int list_pair(void *userdata, CommandPids *pids) {
        Pair *pair = userdata;

        for (int i = 0; i < 100; i++) { /* a stop takes effect when a process is next seen */
                pair->are_stopped = is_stopped(pair->pids[0]) && is_stopped(pair->pids[1]);
                if (pair->are_stopped)
                        break;
                (void)usleep(5000);
        }
        for (size_t i = 0; i < ARRAY_LEN(pair->pids); i++)
                ck_assert_int_eq(command_pids_add(pids, pair->pids[i]), 0);
        return 0;
}

/* Otherwise one could fork into the place of the other for ever. */
START_TEST(all_are_stopped_before_one_is_killed) {
        Pair pair = { .are_stopped = false };
        int status;

        for (size_t i = 0; i < ARRAY_LEN(pair.pids); i++) {
                pair.pids[i] = fork();
                if (pair.pids[i] == 0)
                        for (;;)
                                (void)pause();
        }
        ck_assert_int_eq(command_kill_listed(list_pair, &pair), 2);
        ck_assert(pair.are_stopped);
        for (size_t i = 0; i < ARRAY_LEN(pair.pids); i++) {
                ck_assert_int_eq(waitpid(pair.pids[i], &status, 0), pair.pids[i]);
                ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        }
        ck_assert(command_kill_reap());
}
END_TEST

int main(void) {
        Suite *suite = suite_create("command-cgroup");
        TCase *tcase = tcase_create("command-cgroup");

        tcase_add_test(tcase, path_is_found_on_every_kind_of_machine);
        tcase_add_test(tcase, path_that_does_not_fit_is_an_error);
        tcase_add_test(tcase, all_are_stopped_before_one_is_killed);
        tcase_add_loop_test(tcase, what_a_killed_worker_left_is_killed_by_the_next, BED_UNIFIED,
                            BED_N_MODES);
        tcase_add_loop_test(tcase, one_that_cannot_be_opened_is_not_left, BED_UNIFIED, BED_N_MODES);
        tcase_add_loop_test(tcase, one_that_a_sweep_removes_at_once_is_made_anew, BED_UNIFIED,
                            BED_N_MODES);
        tcase_add_loop_test(tcase, a_run_sweeps_too, BED_UNIFIED, BED_N_MODES);
        tcase_set_timeout(tcase, 60);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
