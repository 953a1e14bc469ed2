#pragma once

/* Small whole-file operations. Every path is relative to a directory descriptor. */

#include <sys/types.h>

#include "common/base/buf.h"

/* Write all of it, over interruptions and short writes. 0 or negative errno. */
int file_write_all(int fd, const void *data, size_t len);
int file_pwrite_all(int fd, const void *data, size_t len, off_t offset);

/* Read exactly LEN bytes at OFFSET. 0, FILE_E_SHORT at end of file, or negative errno. */
enum {
        FILE_E_SHORT = 1,
        FILE_E_TOO_BIG = 2,
        FILE_E_NOT_REGULAR = 3
};
int file_pread_all(int fd, void *data, size_t len, off_t offset);

/*
 * Append the content of a regular file (no FIFO, no device; a symbolic link is followed) to BUF.
 * 0; FILE_E_TOO_BIG when it does not fit; FILE_E_NOT_REGULAR; negative errno (-ENOENT ...).
 */
int file_read(int dir_fd, const char *path, Buf *buf);

/* The same for the rest of an open file, which stays open. BUF has no error yet. */
int file_read_fd(int fd, Buf *buf);

/* open(2) of a directory for openat() and fsync(): O_RDONLY|O_DIRECTORY|O_CLOEXEC|O_NOFOLLOW. */
int file_open_dir(int dir_fd, const char *path);

/* fsync(2) of the directory that PATH, absolute, is in. 0 or negative errno. */
int file_sync_parent(const char *path);

/*
 * A file without a name in DIRECTORY (relative to DIR_FD): O_TMPFILE with FLAGS (O_WRONLY or
 * O_RDWR). The descriptor, or negative errno; -EOPNOTSUPP where file system or kernel have none.
 */
int file_open_nameless(int dir_fd, const char *directory, int flags, mode_t mode);

/* Give the nameless file FD the name NAME, which must be free. 0 or negative errno. */
int file_link_nameless(int fd, int dir_fd, const char *name);
