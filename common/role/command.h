#pragma once

/*
 * Runs a user's command with a message on its standard input, as that user, and leaves nothing of
 * it behind. For local (|command, mailbox_command), pipe and spawn.
 *
 * The command gets: uid, gid and supplementary groups of the user, for good (no capability is
 * left); a session of its own; umask 077; default signal dispositions, nothing blocked; the given
 * environment and nothing else; descriptors 0 (pipe with the message), 1 and 2 (one pipe for both)
 * and nothing else; a cgroup of its own below the service's, where that is delegated.
 *
 * When its main process has ended, or its time is up, whatever is left of it is killed: all of the
 * cgroup, and all descendants of this process (a child subreaper: double forks come back to it), so
 * also where no cgroup can be had. What a background child would have printed later is not waited
 * for. The caller must therefore have no other children, and no thread.
 *
 * Needs real and effective uid 0 with CAP_SETUID and CAP_SETGID, and CAP_KILL on cgroup v1 and
 * without a cgroup.
 */

#include <sys/types.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/mail/command-outcome.h"

/* Give a command this when nothing else names its PATH; Postfix's. */
#define COMMAND_PATH "/usr/bin:/bin"

/*
 * The next bytes of the message, valid until the next call; empty at its end. 0, or negative errno:
 * the command is killed then, so that it does not take a part for the whole. Runs as root.
 */
typedef int (*CommandInput)(void *userdata, Str *ret);

typedef struct CommandSpec {
        /* NULL-terminated, not empty. argv[0] without '/' is searched for in ENVIRONMENT's PATH
         * ("/bin:/usr/bin" when it has none), as the user. See command-line.h. */
        const char *const *argv;
        /* May be NULL: run instead when argv[0] has no '/' and is nowhere in PATH. */
        const char *const *argv_fallback;
        const char *const
                *environment; /* "NAME=value", NULL-terminated; the caller scrubs the values */

        const char *user_name; /* whose supplementary groups (initgroups); NULL: none */
        uid_t uid;             /* neither may be 0, nor -1 */
        gid_t gid;
        const char *directory; /* working directory; NULL: "/" */

        usec_t time_limit_usec;       /* from start to end; USEC_INFINITY: none */
        uint64_t file_size_max_bytes; /* of files that it writes (RLIMIT_FSIZE); 0: no limit */
        CommandInput input;           /* NULL: an empty one */
        void *userdata;
} CommandSpec;

/* A process's place to run commands in. */
typedef struct Commands Commands;

/*
 * Once in each worker: become a child subreaper, find the delegated cgroup, kill and remove what
 * killed workers left in it. Where no cgroup can be had, or CGROUP is false (tests), commands run
 * without. 0 and *RET, which the caller gives to commands_free(); negative errno.
 */
int commands_new(bool cgroup, Commands **ret);
void commands_free(Commands *commands);
DEFINE_CLEANUP(Commands, commands_free)

/* Do commands get cgroups of their own? For the log, and tests. */
bool commands_have_cgroup(const Commands *commands);

/*
 * Run one to its end. *RET is always set; for its meaning see command_outcome_dsn(). A directory
 * that cannot be entered is COMMAND_NOT_RUN (an automounted home that is not there: try again).
 * That the command did not read its input is no error: its exit status decides.
 *
 * 0; COMMAND_E_ROOT: uid or gid is 0 (or -1), nothing was run, *RET says COMMAND_NOT_RUN, EPERM;
 * COMMAND_E_LEFT: *RET holds, but something of the command could not be killed within 10 s (it
 * hangs in the kernel): to be logged; the next command, or worker, tries again.
 */
enum {
        COMMAND_E_ROOT = 1,
        COMMAND_E_LEFT = 2
};
int command_run(Commands *commands, const CommandSpec *spec, CommandOutcome *ret);
