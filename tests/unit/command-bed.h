#pragma once

/*
 * A place for commands in unit tests: a user whom nobody else has, a directory of that user's, and
 * where wanted a cgroup of the test's own in one of the hierarchies.
 *
 * CK_FORK must stay on: whatever a test leaves behind is looked for in /proc, and command_run()
 * kills all children of the process.
 */

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/role/command-cgroup.h"
#include "common/role/command.h"
#include "tests/unit/temp-tree.h"

/* Ways to keep a command's processes together: the index of loop tests. */
enum {
        BED_NO_CGROUP,
        BED_UNIFIED,
        BED_V1,
        BED_N_MODES
};

typedef struct Bed {
        TempTree tree;
        uid_t uid; /* and gid */
        char cgroup[PATH_MAX];
        char old_cgroup[PATH_MAX];
        Commands *commands;
        const char *environment[4];
} Bed;

/* The directory of this process's cgroup in a hierarchy, also when it is the root. */
static inline bool bed_own_cgroup(bool is_unified, char *ret, size_t size) {
        Buf self = BUF_INIT(1 << 20), mounts = BUF_INIT(1 << 20), path = BUF_INIT(PATH_MAX);
        Buf fake = BUF_INIT(64);
        bool ok;

        ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/cgroup", &self), 0);
        ck_assert_int_eq(file_read(AT_FDCWD, "/proc/self/mountinfo", &mounts), 0);
        ok = command_cgroup_path(buf_str(&self), buf_str(&mounts), is_unified, &path) == 0;
        if (!ok) { /* the root: ask for a path below and cut that off */
                (void)buf_append_cstr(&fake, is_unified ? "0::/x" : "1:name=systemd:/x");
                ok = command_cgroup_path(buf_str(&fake), buf_str(&mounts), is_unified, &path) == 0;
                if (ok)
                        buf_truncate(&path, path.len - 2);
        }
        (void)snprintf(ret, size, "%s", ok ? buf_cstr(&path) : "");
        buf_deinit(&self);
        buf_deinit(&mounts);
        buf_deinit(&path);
        buf_deinit(&fake);
        return ok;
}

static inline bool bed_enter(const char *cgroup) {
        char path[PATH_MAX + 16];
        int fd;
        bool ok;

        (void)snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        ok = fd >= 0 && write(fd, "0", 1) == 1;
        if (fd >= 0)
                (void)close(fd);
        return ok;
}

/* False: this machine has no such hierarchy, or none that may be written to. */
static inline bool bed_enter_cgroup(Bed *bed, int mode) {
        if (!bed_own_cgroup(mode == BED_UNIFIED, bed->old_cgroup, sizeof(bed->old_cgroup)))
                return false;
        ck_assert_int_lt(snprintf(bed->cgroup, sizeof(bed->cgroup), "%.4000s/unitpost-test-%d",
                                  bed->old_cgroup, (int)getpid()),
                         (int)sizeof(bed->cgroup));
        if (mkdir(bed->cgroup, 0755) < 0) {
                bed->cgroup[0] = '\0';
                return false;
        }
        return bed_enter(bed->cgroup);
}

static inline bool bed_make(Bed *bed, int mode) {
        const struct rlimit cpu = { .rlim_cur = 60, .rlim_max = 60 };
        int pid_fd = pidfd_open(getpid(), 0);

        ck_assert_msg(pid_fd >= 0, "no pidfd_open(2): valgrind before 3.20?");
        (void)close(pid_fd);
        ck_assert_uint_eq(geteuid(), 0);
        /* What a broken command_run() leaves behind shall not run for ever. */
        ck_assert_int_eq(setrlimit(RLIMIT_CPU, &cpu), 0);
        *bed = (Bed){ .uid = 1000000 + (uid_t)getpid() };
        if (mode != BED_NO_CGROUP && !bed_enter_cgroup(bed, mode)) {
                (void)fprintf(stderr, "no writable cgroup hierarchy of kind %d here\n", mode);
                return false;
        }
        temp_tree_make(&bed->tree);
        ck_assert_int_eq(chown(bed->tree.root, bed->uid, bed->uid), 0);
        ck_assert_int_eq(commands_new(mode != BED_NO_CGROUP, &bed->commands), 0);
        ck_assert(commands_have_cgroup(bed->commands) == (mode != BED_NO_CGROUP));
        bed->environment[0] = "PATH=" COMMAND_PATH;
        bed->environment[1] = "LC_ALL=C";
        return true;
}

/* How many processes of the user there are. */
static inline unsigned bed_count_processes(const Bed *bed) {
        DIR *directory = opendir("/proc");
        const struct dirent *entry;
        struct stat st;
        unsigned n = 0;

        ck_assert_ptr_nonnull(directory);
        while ((entry = readdir(directory)))
                if (ascii_is_digit(entry->d_name[0]) &&
                    fstatat(dirfd(directory), entry->d_name, &st, 0) == 0 && st.st_uid == bed->uid)
                        n++;
        (void)closedir(directory);
        return n;
}

static inline unsigned bed_count_cgroups(const Bed *bed) {
        DIR *directory = opendir(bed->cgroup);
        const struct dirent *entry;
        unsigned n = 0;

        ck_assert_ptr_nonnull(directory);
        while ((entry = readdir(directory)))
                if (strncmp(entry->d_name, "command-", 8) == 0)
                        n++;
        (void)closedir(directory);
        return n;
}

/* Is nothing left? Then take it all down. */
static inline void bed_remove(Bed *bed) {
        ck_assert_uint_eq(bed_count_processes(bed), 0);
        commands_free(bed->commands);
        temp_tree_remove(&bed->tree);
        if (!bed->cgroup[0])
                return;
        ck_assert_uint_eq(bed_count_cgroups(bed), 0);
        ck_assert(bed_enter(bed->old_cgroup));
        ck_assert_int_eq(rmdir(bed->cgroup), 0);
}

/* A specification for ARGV with sensible limits, in the user's directory. */
static inline CommandSpec bed_spec(Bed *bed, const char *const *argv) {
        return (CommandSpec){
                .argv = argv,
                .environment = bed->environment,
                .uid = bed->uid,
                .gid = bed->uid,
                .directory = bed->tree.root,
                .time_limit_usec = 30 * USEC_PER_SEC,
        };
}

/* Run SCRIPT by /bin/sh with SPEC's other settings; whatever it was, nothing of it may be left. */
static inline CommandOutcome bed_run(Bed *bed, const CommandSpec *settings, const char *script) {
        const char *argv[] = { "/bin/sh", "-c", script, NULL };
        CommandSpec spec = settings ? *settings : bed_spec(bed, argv);
        CommandOutcome outcome;

        spec.argv = argv;
        ck_assert_int_eq(command_run(bed->commands, &spec, &outcome), 0);
        ck_assert_uint_eq(bed_count_processes(bed), 0);
        return outcome;
}

static inline void bed_assert_exit(const CommandOutcome *outcome, int status, const char *output) {
        ck_assert_msg(outcome->end == COMMAND_EXITED && outcome->value == status,
                      "end %d, value %d, step %s, output %.*s", (int)outcome->end, outcome->value,
                      outcome->step ? outcome->step : "-", (int)outcome->output_len,
                      outcome->output);
        if (output)
                ck_assert_msg(str_equal(str_from(outcome->output, outcome->output_len),
                                        str_from_cstr(output)),
                              "output: \"%.*s\", not \"%s\"", (int)outcome->output_len,
                              outcome->output, output);
}
