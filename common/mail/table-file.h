#pragma once

/*
 * The file that a table is made from, on its way in: who asked for it may be hostile, and somebody
 * may be writing it. Everything here follows symbolic links, and never waits for a FIFO or a
 * device.
 *
 * OWNER, where not NULL, is the one user whose file it may be, a stranger who asked for it: a file
 * of anybody else is -EPERM, and one above TABLE_STRANGERS_MAX_BYTES is -EFBIG.
 *
 * Errors are negative errno, for which table_file_error() has the text: -ENOENT and others of
 * stat(2) and open(2), -EISDIR, -EINVAL (no regular file), -EFBIG (above TABLE_SOURCE_MAX_BYTES),
 * -EPERM, -EBUSY (being written), -ENOSYS (no /proc).
 */

#include "common/base/buf.h"
#include "common/mail/table-stamp.h"

/* A source larger than this is not read. */
#define TABLE_SOURCE_MAX_BYTES    ((size_t)256 * 1024 * 1024)
#define TABLE_STRANGERS_MAX_BYTES ((size_t)16 * 1024 * 1024)

/* How long whoever may wait waits for a source that is being written. */
#define TABLE_WAIT_USEC (5 * USEC_PER_SEC)

/* The state of PATH, by stat(2). */
int table_file_stat(const char *path, const uid_t *owner, struct stat *ret_st);

/*
 * Wait until PATH has not changed for TABLE_QUIET_USEC; -EBUSY when it does not come to rest in
 * MAX_WAIT_USEC. A file that is not there may be moved into its place the next moment: -ENOENT
 * only after TABLE_QUIET_USEC.
 */
int table_file_wait(const char *path, const uid_t *owner, usec_t max_wait_usec,
                    struct stat *ret_st);

/* Append all of PATH to RET, with its state from before; -EBUSY when it changed meanwhile. */
int table_file_read(const char *path, const uid_t *owner, Buf *ret, struct stat *ret_st);

/* Static text, or that of strerror(3), for a positive errno. */
const char *table_file_error(int error);
