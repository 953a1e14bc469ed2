#pragma once

/*
 * A file system without O_TMPFILE, for tests that wrap openat(2) at link time (openat64): while
 * no_tmpfile is set, a nameless file cannot be made (EOPNOTSUPP), and all else is as it was.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>

static bool no_tmpfile;

/* The linker's names of openat(2) and of what is called in its place. */
int __real_openat64(int at, const char *path, int flags, ...);
int __wrap_openat64(int at, const char *path, int flags, ...);

int __wrap_openat64(int at, const char *path, int flags, ...) {
        mode_t mode = 0;
        va_list args;

        va_start(args, flags);
        if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
                mode = va_arg(args, mode_t);
        va_end(args);
        if (no_tmpfile && (flags & O_TMPFILE) == O_TMPFILE) {
                errno = EOPNOTSUPP;
                return -1;
        }
        return __real_openat64(at, path, flags, mode);
}
