#pragma once

/*
 * Ending processes that do not want to end: those of a cgroup, and all descendants of this process.
 * Part of command.h.
 *
 * A process ID says little: it may be another process's by the time a signal is sent. So a process
 * is listed, opened (pidfd), and listed again: what the descriptor stands for and what is listed
 * are the same as long as the descriptor's process lives, and no other gets a signal.
 */

#include <stdbool.h>
#include <sys/types.h>

/* More processes than this are left to a next pass. */
#define COMMAND_KILL_PIDS_MAX ((size_t)65536)

typedef struct CommandPids {
        pid_t *pids; /* owned; free(3) */
        size_t n;
        size_t n_slots;
} CommandPids;

/* Append PID. 0; -ENOMEM; -E2BIG. */
int command_pids_add(CommandPids *pids, pid_t pid);

/* Append who is to be killed now. 0 or negative errno. */
typedef int (*CommandKillList)(void *userdata, CommandPids *pids);

/* A CommandKillList: all descendants of this process. */
int command_kill_list_descendants(void *userdata, CommandPids *pids);

/*
 * One pass: stop all that LIST says until it says nobody new, so that none of them can fork into
 * the place of a killed one, then kill them. How many there were; negative errno.
 */
int command_kill_listed(CommandKillList list, void *userdata);

/* Reap all children that have ended. Is none left? */
bool command_kill_reap(void);
