#pragma once

/*
 * Watches the directories of table sources and indexes for this process: inotify, which tells by a
 * signal (SIGIO), so that a lookup learns of a change from memory, without a system call, in a
 * worker that waits in read(2) as in a loop. Nothing happens, and nobody wakes, while nothing
 * changes there.
 *
 * A worker makes its own at its first lookup. Whoever it executes has the signal's default again.
 */

#include "common/mail/table.h"

/*
 * This process watches nothing: one of many workers of its kind. A user may have few watchers
 * (fs.inotify.max_user_instances, 128), and those of root are needed by others.
 */
void role_watch_disable(void);

/* For TableContext.watch. */
extern const TableWatch role_watch;
