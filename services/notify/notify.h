#pragma once

/*
 * Tell the desktop of new mail, once. It changes no mailbox, and serves nobody: the path unit
 * starts it when a mailbox has changed, and it ends.
 */

#include <stddef.h>

/*
 * Look into the N_PATHS mailboxes (mailbox.h has what a path means), show one notification of what
 * is new in all of them, and remember that. Where nobody shows notifications nothing is remembered
 * as told. Says on standard error what went wrong. An exit status.
 */
int notify_run(char *const *paths, size_t n_paths);
