#pragma once

/* What the files of the queue module share: the struct, and moves by path. For queue*.c only. */

#include "common/mail/queue.h"

struct Queue {
        int dir_fds[QUEUE_N_DIRS]; /* -1: not used by this role */
        int lock_fd;
};

/*
 * renameat2(RENAME_NOREPLACE). 0, QUEUE_E_EXISTS, QUEUE_E_GONE (source or target directory),
 * negative errno.
 */
int queue_rename(int from_fd, const char *from, int to_fd, const char *to);
