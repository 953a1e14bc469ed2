#pragma once

/*
 * The child that becomes a user's command: everything between fork and exec. Part of command.h.
 */

#include <sys/types.h>

#include "common/role/command-cgroup.h"
#include "common/role/command.h"

typedef struct CommandChild {
        const CommandSpec *spec;
        const CommandCgroup *cgroup;
        const gid_t *groups;
        size_t n_groups;
        int input_fd;  /* becomes 0 */
        int output_fd; /* becomes 1 and 2 */
        int error_fd;  /* close-on-exec; gets a CommandChildError when there is no exec */
} CommandChild;

/* Where the child failed, and the errno. Written whole (PIPE_BUF) or not at all. */
typedef struct CommandChildError {
        int step;
        int error;
} CommandChildError;

/* "exec" and so on; a literal. */
const char *command_child_step_name(int step);

/* Become the command, or say why not and exit with 127. */
_Noreturn void command_child_run(const CommandChild *child);
