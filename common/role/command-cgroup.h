#pragma once

/*
 * A cgroup for each command, below the one that systemd has delegated to the service. Part of
 * command.h.
 *
 * Where: in the unified hierarchy (v2), also where it is only mounted beside the old ones
 * (hybrid), else in systemd's own old one (v1, name=systemd). No controller is ever switched on,
 * so the service's own processes may stay where they are (no "no internal processes" rule).
 *
 *   command-PID-N   PID: the worker, N counts. Locked (flock) by its worker as long as that lives:
 *                   one whose lock can be had is left over from a worker that was killed.
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/str.h"

typedef struct CommandCgroup {
        int base_fd; /* the service's; borrowed */
        int fd;      /* this one, locked; -1: there is none */
        char name[48];
} CommandCgroup;

#define COMMAND_CGROUP_NULL ((CommandCgroup){ .base_fd = -1, .fd = -1 })

enum {
        COMMAND_CGROUP_E_NONE = 1
};

/*
 * Append to RET the directory of the cgroup that SELF (/proc/self/cgroup) names, in the unified or
 * else systemd's hierarchy, as mounted by MOUNTINFO (/proc/self/mountinfo). Pure. 0;
 * COMMAND_CGROUP_E_NONE: not mounted, out of sight, or the root, which nobody delegates;
 * BUF_E_FULL; -ENOMEM.
 */
int command_cgroup_path(Str self, Str mountinfo, bool is_unified, Buf *ret);

/* Open the first of this process's cgroups in which one can be made. A descriptor, or -1. */
int command_cgroup_find(void);

/* Kill and remove what killed workers left in BASE_FD. */
void command_cgroup_sweep(int base_fd);

/* Make one. 0 or negative errno. */
int command_cgroup_make(int base_fd, CommandCgroup *ret);

/* Move this process into it; needs root. 0 or negative errno. */
int command_cgroup_enter(const CommandCgroup *cgroup);

/* Kill all that is in it. They are gone a moment later. */
void command_cgroup_kill(const CommandCgroup *cgroup);

/* Remove it, closed then: 0, or -EBUSY and the like while something lives in it. */
int command_cgroup_remove(CommandCgroup *cgroup);

/* Let go of it, removed or not. */
void command_cgroup_close(CommandCgroup *cgroup);
