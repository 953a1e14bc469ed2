/*
 * The drop of privileges is one block below, in the only order that works: what needs root, then
 * groups, then the user, then a look whether it is for good. Whatever fails ends the child: a
 * command never runs with more than it shall have.
 */

#include "common/role/command-child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_NOT_RUN 127

enum {
        STEP_CGROUP,
        STEP_DESCRIPTORS,
        STEP_LIMITS,
        STEP_IDENTITY,
        STEP_DIRECTORY,
        STEP_EXEC,
};

const char *command_child_step_name(int step) {
        static const char *const names[] = {
                [STEP_CGROUP] = "joining its cgroup",
                [STEP_DESCRIPTORS] = "setting up its descriptors",
                [STEP_LIMITS] = "setting its limits",
                [STEP_IDENTITY] = "becoming its user",
                [STEP_DIRECTORY] = "entering its directory",
                [STEP_EXEC] = "exec",
        };

        return step >= 0 && (size_t)step < ARRAY_LEN(names) ? names[step] : "unknown";
}

static _Noreturn void fail(int error_fd, int step, int r) {
        CommandChildError error = { .step = step, .error = -r };

        (void)!write(error_fd, &error, sizeof(error));
        _exit(EXIT_NOT_RUN);
}

/* Handlers and ignored signals of a role are no business of a command. */
static void reset_signals(void) {
        struct sigaction action = { .sa_handler = SIG_DFL };
        sigset_t none;

        for (int number = 1; number < NSIG; number++)
                (void)sigaction(number, &action, NULL); /* fails for SIGKILL, SIGSTOP, libc's own */
        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* 0, 1, 2 as wanted, and nothing else beyond exec. *ERROR_FD moves out of their way. */
static int set_descriptors(const CommandChild *child, int *error_fd) {
        int input = fcntl(child->input_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        int output = fcntl(child->output_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        int error = fcntl(child->error_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

        if (input < 0 || output < 0 || error < 0)
                return -errno;
        *error_fd = error;
        if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
            dup2(output, STDERR_FILENO) < 0)
                return -errno;
        return close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ? -errno : 0;
}

static int set_limits(const CommandSpec *spec) {
        struct rlimit limit;

        (void)umask(077);
        if (spec->file_size_max_bytes == 0)
                return 0;
        if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
                return -errno;
        if (limit.rlim_max > spec->file_size_max_bytes)
                limit.rlim_max = spec->file_size_max_bytes;
        limit.rlim_cur = limit.rlim_max;
        return setrlimit(RLIMIT_FSIZE, &limit) < 0 ? -errno : 0;
}

/* setresuid() has emptied the sets that count; the inheritable one would reach programs that have
 * capabilities of their own. */
static int drop_capabilities(void) {
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
            syscall(SYS_capset, &header, none) < 0)
                return -errno;
        return 0;
}

/* For good. */
static int drop_privileges(const CommandChild *child) {
        uid_t uid = child->spec->uid, real_uid, effective_uid, saved_uid;
        gid_t gid = child->spec->gid, real_gid, effective_gid, saved_gid;
        int r;

        if (setgroups(child->n_groups, child->groups) < 0 || setresgid(gid, gid, gid) < 0 ||
            setresuid(uid, uid, uid) < 0)
                return -errno;
        r = drop_capabilities();
        if (r < 0)
                return r;
        if (getresuid(&real_uid, &effective_uid, &saved_uid) < 0 ||
            getresgid(&real_gid, &effective_gid, &saved_gid) < 0)
                return -errno;
        if (real_uid != uid || effective_uid != uid || saved_uid != uid || real_gid != gid ||
            effective_gid != gid || saved_gid != gid || setresuid(0, 0, 0) == 0)
                return -EPERM;
        return 0;
}

/* As execvp(3) does it, with the PATH of the command's own environment. Comes back in failure. */
static int execute(const CommandSpec *spec) {
        environ = (char **)spec->environment;
        (void)execvp(spec->argv[0], (char **)spec->argv);
        if (errno == ENOENT && spec->argv_fallback && !strchr(spec->argv[0], '/'))
                (void)execvp(spec->argv_fallback[0], (char **)spec->argv_fallback);
        return -errno;
}

void command_child_run(const CommandChild *child) {
        const CommandSpec *spec = child->spec;
        const char *directory = spec->directory ? spec->directory : "/";
        int error_fd = child->error_fd;
        int r;

        if (child->cgroup->fd >= 0) {
                r = command_cgroup_enter(child->cgroup);
                if (r < 0)
                        fail(error_fd, STEP_CGROUP, r);
        }
        reset_signals();
        (void)setsid(); /* a child just forked leads no group, so that this cannot fail */
        r = set_descriptors(child, &error_fd);
        if (r < 0)
                fail(error_fd, STEP_DESCRIPTORS, r);
        r = set_limits(spec);
        if (r < 0)
                fail(error_fd, STEP_LIMITS, r);
        r = drop_privileges(child);
        if (r < 0)
                fail(error_fd, STEP_IDENTITY, r);
        if (chdir(directory) < 0)
                fail(error_fd, STEP_DIRECTORY, -errno);
        /* Too many processes of this user: EAGAIN comes from here (execve(2)). */
        fail(error_fd, STEP_EXEC, execute(spec));
}
