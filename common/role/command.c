/*
 * The parent's side: a loop that feeds the command, takes what it prints and watches the clock,
 * until its main process has ended; then everything that is left of it is killed.
 */

#include "common/role/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "common/role/command-cgroup.h"
#include "common/role/command-child.h"
#include "common/role/command-kill.h"

#define READ_MAX            ((size_t)16 * 1024)
#define PIPE_MAX            ((size_t)1024 * 1024) /* a pipe holds no more (fs.pipe-max-size) */
#define GROUPS_MAX          65536                 /* NGROUPS_MAX of Linux */
#define KILL_USEC           (10 * USEC_PER_SEC)   /* what is not dead then hangs in the kernel */
#define KILL_PAUSE_MAX_USEC (50 * USEC_PER_MSEC)

/* What turn() says when there is no time left. */
enum {
        RUN_TIME_UP = 1
};

struct Commands {
        int base_fd; /* the service's cgroup; -1: none */
};

typedef struct Run {
        const CommandSpec *spec;
        CommandOutcome *outcome;
        CommandCgroup cgroup;
        gid_t *groups;
        size_t n_groups;
        int pid_fd;
        int input_fd;  /* we write; -1: closed */
        int output_fd; /* we read; -1: at its end */
        int error_fd;  /* we read: CommandChildError, or end of file when exec came to pass */
        Str piece;     /* of the message, not yet written */
        usec_t deadline_usec;
        bool is_ended; /* the main process */
} Run;

int commands_new(bool cgroup, Commands **ret) {
        Commands *commands;

        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return -errno;
        commands = malloc(sizeof(*commands));
        if (!commands)
                return -ENOMEM;
        commands->base_fd = cgroup ? command_cgroup_find() : -1;
        if (commands->base_fd >= 0)
                command_cgroup_sweep(commands->base_fd);
        *ret = commands;
        return 0;
}

void commands_free(Commands *commands) {
        if (commands && commands->base_fd >= 0)
                (void)close(commands->base_fd);
        free(commands);
}

bool commands_have_cgroup(const Commands *commands) {
        return commands->base_fd >= 0;
}

static int end_not_run(CommandOutcome *outcome, const char *step, int r) {
        outcome->end = COMMAND_NOT_RUN;
        outcome->step = step;
        outcome->value = -r;
        return r;
}

/* ---- start ---- */

/* The user's groups are asked for here, not in the child: NSS may load and open what it likes. */
static int find_groups(Run *run) {
        const CommandSpec *spec = run->spec;
        int n = 64;

        if (!spec->user_name)
                return 0;
        for (;;) {
                gid_t *grown = reallocarray(run->groups, (size_t)n, sizeof(gid_t));
                int n_room = n;

                if (!grown)
                        return -ENOMEM;
                run->groups = grown;
                if (getgrouplist(spec->user_name, spec->gid, run->groups, &n) >= 0) {
                        run->n_groups = (size_t)n;
                        return 0;
                }
                n = n > n_room ? n : n_room * 2;
                if (n > GROUPS_MAX)
                        return -E2BIG;
        }
}

/* Pipes between parent and child: [0] is the end to read. */
typedef struct Pipes {
        int input[2];
        int output[2];
        int error[2];
} Pipes;

static void close_pair(int pair[2]) {
        fd_closep(&pair[0]);
        fd_closep(&pair[1]);
}

static void pipes_deinit(Pipes *pipes) {
        close_pair(pipes->input);
        close_pair(pipes->output);
        close_pair(pipes->error);
}

static int pipes_open(Pipes *pipes) {
        if (pipe2(pipes->input, O_CLOEXEC) < 0 || pipe2(pipes->output, O_CLOEXEC) < 0 ||
            pipe2(pipes->error, O_CLOEXEC) < 0)
                return -errno;
        /* Our ends only: the command's are its own, and blocking as every program expects. */
        if (fcntl(pipes->input[1], F_SETFL, O_NONBLOCK) < 0 ||
            fcntl(pipes->output[0], F_SETFL, O_NONBLOCK) < 0 ||
            fcntl(pipes->error[0], F_SETFL, O_NONBLOCK) < 0)
                return -errno;
        return 0;
}

static int fork_child(Run *run, const Pipes *pipes) {
        CommandChild child = {
                .spec = run->spec,
                .cgroup = &run->cgroup,
                .groups = run->groups,
                .n_groups = run->n_groups,
                .input_fd = pipes->input[0],
                .output_fd = pipes->output[1],
                .error_fd = pipes->error[1],
        };
        pid_t pid = fork();
        int r = 0;

        if (pid < 0)
                return -errno;
        if (pid == 0)
                command_child_run(&child);
        run->pid_fd = pidfd_open(pid, 0);
        if (run->pid_fd < 0) {
                r = -errno;
                (void)kill(pid, SIGKILL); /* a child not yet waited for: still that process */
        }
        return r;
}

static int start(Run *run, const Commands *commands) {
        _cleanup_(pipes_deinit) Pipes pipes = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
        int r = 0;

        if (commands->base_fd >= 0) {
                command_cgroup_sweep(commands->base_fd);
                r = command_cgroup_make(commands->base_fd, &run->cgroup);
        }
        if (r < 0)
                return end_not_run(run->outcome, "making its cgroup", r);
        r = find_groups(run);
        if (r < 0)
                return end_not_run(run->outcome, "finding its groups", r);
        r = pipes_open(&pipes);
        if (r < 0)
                return end_not_run(run->outcome, "pipe", r);
        r = fork_child(run, &pipes);
        if (r < 0)
                return end_not_run(run->outcome, "fork", r);
        run->input_fd = TAKE_FD(pipes.input[1]);
        run->output_fd = TAKE_FD(pipes.output[0]);
        run->error_fd = TAKE_FD(pipes.error[0]);
        return 0;
}

/* ---- while it runs ---- */

/* Keep the beginning, forget the rest. False: there is nothing more for now, or ever. */
static bool take_output(Run *run) {
        char block[READ_MAX];
        CommandOutcome *outcome = run->outcome;
        ssize_t n = read(run->output_fd, block, sizeof(block));
        size_t n_kept;

        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return false;
        if (n <= 0) {
                fd_closep(&run->output_fd);
                return false;
        }
        n_kept = size_min((size_t)n, sizeof(outcome->output) - outcome->output_len);
        memcpy(outcome->output + outcome->output_len, block, n_kept);
        outcome->output_len += n_kept;
        return true;
}

/* The next piece in hand, or the input closed at its end. */
static int next_piece(Run *run) {
        int r = 0;

        if (!str_is_empty(run->piece))
                return 0;
        if (run->spec->input)
                r = run->spec->input(run->spec->userdata, &run->piece);
        if (r == 0 && str_is_empty(run->piece))
                fd_closep(&run->input_fd);
        return r;
}

/* Write what the pipe takes. 0; negative errno: there is no whole message to give. */
static int give_input(Run *run) {
        ssize_t n;
        int r = next_piece(run);

        if (r != 0 || run->input_fd < 0)
                return r;
        n = write(run->input_fd, run->piece.data, run->piece.len);
        if (n >= 0)
                run->piece = str_skip(run->piece, (size_t)n);
        else if (errno == EPIPE)
                fd_closep(&run->input_fd); /* it has read enough; its exit status tells */
        else if (errno != EINTR && errno != EAGAIN)
                return -errno; /* no memory for the pipe's pages: it must not see an end here */
        return 0;
}

static int poll_timeout_msec(const Run *run) {
        usec_t left = usec_sub(run->deadline_usec, clock_monotonic_usec());

        if (run->deadline_usec == USEC_INFINITY)
                return -1;
        return left / USEC_PER_MSEC >= INT_MAX ? INT_MAX : (int)(left / USEC_PER_MSEC) + 1;
}

/* Wait for something to happen, and let it. 0; RUN_TIME_UP; negative errno: no whole message. */
static int turn(Run *run) {
        struct pollfd fds[] = {
                { .fd = run->pid_fd, .events = POLLIN },
                { .fd = run->output_fd, .events = POLLIN },
                { .fd = run->input_fd, .events = POLLOUT },
        };

        if (clock_monotonic_usec() >= run->deadline_usec)
                return RUN_TIME_UP;
        if (poll(fds, ARRAY_LEN(fds), poll_timeout_msec(run)) <= 0)
                return 0;
        if (fds[1].revents)
                (void)take_output(run);
        if (fds[0].revents) {
                run->is_ended = true;
                return 0;
        }
        return fds[2].revents ? give_input(run) : 0;
}

/* Did the child become the command? Else the outcome is why not. */
static bool check_exec(Run *run, int error_if_unknown) {
        CommandChildError error;
        ssize_t n;

        do
                n = read(run->error_fd, &error, sizeof(error));
        while (n < 0 && errno == EINTR);
        if (n == 0)
                return true;
        if (n == (ssize_t)sizeof(error))
                (void)end_not_run(run->outcome, command_child_step_name(error.step), -error.error);
        else
                (void)end_not_run(run->outcome, "start", -error_if_unknown);
        return false;
}

static void set_end(Run *run, int r) {
        siginfo_t info = { 0 };

        if (r == RUN_TIME_UP) {
                /* A hanging home, for one, is no fault of the command. */
                if (check_exec(run, ETIMEDOUT))
                        run->outcome->end = COMMAND_TIMED_OUT;
                return;
        }
        if (r < 0) {
                run->outcome->end = COMMAND_NO_INPUT;
                run->outcome->value = -r;
                return;
        }
        if (waitid(P_PIDFD, (id_t)run->pid_fd, &info, WEXITED) < 0) {
                (void)end_not_run(run->outcome, "wait", -errno);
                return;
        }
        if (!check_exec(run, EIO))
                return;
        run->outcome->end = info.si_code == CLD_EXITED ? COMMAND_EXITED : COMMAND_KILLED;
        run->outcome->value = info.si_status;
}

/* ---- the end ---- */

/*
 * All of it, and do not come back before it is gone. First the cgroup, which holds all of an
 * ordinary command; then descendants that are not in it, or all where there is none.
 */
static int kill_rest(Run *run) {
        usec_t deadline = usec_add(clock_monotonic_usec(), KILL_USEC);
        usec_t pause = USEC_PER_MSEC;

        for (;;) {
                bool is_removed = command_cgroup_remove(&run->cgroup) == 0;

                if (!is_removed)
                        command_cgroup_kill(&run->cgroup);
                else
                        (void)command_kill_listed(command_kill_list_descendants, NULL);
                if (command_kill_reap() && is_removed)
                        return 0;
                if (clock_monotonic_usec() >= deadline)
                        return COMMAND_E_LEFT;
                (void)usleep((useconds_t)pause);
                pause = pause < KILL_PAUSE_MAX_USEC ? pause * 2 : pause;
        }
}

static void drain_output(Run *run) {
        for (size_t n = 0; run->output_fd >= 0 && n < PIPE_MAX / READ_MAX; n++)
                if (!take_output(run))
                        return;
}

static void run_deinit(Run *run) {
        command_cgroup_close(&run->cgroup);
        free(run->groups);
        fd_closep(&run->pid_fd);
        fd_closep(&run->input_fd);
        fd_closep(&run->output_fd);
        fd_closep(&run->error_fd);
}

static int run_to_end(Run *run, const Commands *commands) {
        int r = start(run, commands);
        int r_kill;

        while (r == 0 && !run->is_ended)
                r = turn(run);
        if (run->pid_fd >= 0)
                set_end(run, r);
        r_kill = kill_rest(run);
        drain_output(run);
        return r_kill;
}

static bool is_root(const CommandSpec *spec) {
        return spec->uid == 0 || spec->uid == (uid_t)-1 || spec->gid == 0 || spec->gid == (gid_t)-1;
}

int command_run(Commands *commands, const CommandSpec *spec, CommandOutcome *ret) {
        _cleanup_(run_deinit) Run run = {
                .spec = spec,
                .outcome = ret,
                .cgroup = COMMAND_CGROUP_NULL,
                .pid_fd = -1,
                .input_fd = -1,
                .output_fd = -1,
                .error_fd = -1,
                .deadline_usec = usec_add(clock_monotonic_usec(), spec->time_limit_usec),
        };
        struct sigaction ignored = { .sa_handler = SIG_IGN };
        struct sigaction before;
        int r;

        *ret = (CommandOutcome){ .end = COMMAND_NOT_RUN };
        if (is_root(spec)) {
                (void)end_not_run(ret, "as root", -EPERM);
                return COMMAND_E_ROOT;
        }
        (void)sigaction(SIGPIPE, &ignored, &before);
        r = run_to_end(&run, commands);
        (void)sigaction(SIGPIPE, &before, NULL);
        return r;
}
