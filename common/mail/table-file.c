/*
 * Looking at, waiting for and reading sources. A path is resolved without opening anything (O_PATH)
 * and judged; only a regular file of the right owner is then opened, and it is that very file.
 */

#include "common/mail/table-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/file.h"

/* How often a file that is not there is looked for. */
#define MISSING_POLL_USEC (20 * USEC_PER_MSEC)

static int check(const struct stat *st, const uid_t *owner) {
        if (owner && st->st_uid != *owner)
                return -EPERM;
        if (!S_ISREG(st->st_mode))
                return S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
        if ((uint64_t)st->st_size > (owner ? TABLE_STRANGERS_MAX_BYTES : TABLE_SOURCE_MAX_BYTES))
                return -EFBIG;
        return 0;
}

int table_file_stat(const char *path, const uid_t *owner, struct stat *ret_st) {
        return stat(path, ret_st) < 0 ? -errno : check(ret_st, owner);
}

static void sleep_usec(usec_t usec) {
        const struct timespec time = { .tv_sec = (time_t)(usec / USEC_PER_SEC),
                                       .tv_nsec = (long)(usec % USEC_PER_SEC) * 1000 };

        (void)nanosleep(&time, NULL);
}

int table_file_wait(const char *path, const uid_t *owner, usec_t max_wait_usec,
                    struct stat *ret_st) {
        usec_t start = clock_monotonic_usec();
        usec_t until = usec_add(start, max_wait_usec);
        usec_t missing_until = usec_add(start, TABLE_QUIET_USEC);

        for (;;) {
                int r = table_file_stat(path, owner, ret_st);
                usec_t now = clock_monotonic_usec();
                usec_t left = MISSING_POLL_USEC;

                if (r == 0) {
                        const TableStamp stamp = table_stamp(ret_st);

                        left = table_stamp_unquiet_usec(&stamp, TABLE_QUIET_USEC);
                }
                if (r == -ENOENT ? now >= missing_until : (r < 0 || left == 0))
                        return r;
                if (now >= until)
                        return r < 0 ? r : -EBUSY;
                sleep_usec(left < until - now ? left : until - now);
        }
}

/* Open what PATH was judged by, whatever is at that path by now. */
static int open_judged(const char *path, const uid_t *owner, int *ret_fd, struct stat *ret_st) {
        _cleanup_(fd_closep) int path_fd = open(path, O_PATH | O_CLOEXEC);
        char again[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        int r;

        if (path_fd < 0 || fstat(path_fd, ret_st) < 0)
                return -errno;
        r = check(ret_st, owner);
        if (r < 0)
                return r;
        (void)snprintf(again, sizeof(again), "/proc/self/fd/%d", path_fd);
        *ret_fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (*ret_fd < 0)
                return errno == ENOENT ? -ENOSYS : -errno;
        return 0;
}

int table_file_read(const char *path, const uid_t *owner, Buf *ret, struct stat *ret_st) {
        _cleanup_(fd_closep) int fd = -1;
        TableStamp before, after;
        struct stat st;
        char *room;
        int r;

        r = open_judged(path, owner, &fd, ret_st);
        if (r < 0)
                return r;
        r = buf_reserve(ret, (size_t)ret_st->st_size, &room);
        if (r != 0)
                return r < 0 ? r : -EFBIG;
        r = file_pread_all(fd, room, (size_t)ret_st->st_size, 0);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        before = table_stamp(ret_st);
        after = table_stamp(&st);
        if (r == FILE_E_SHORT || !table_stamp_equal(&before, &after))
                return -EBUSY;
        buf_commit(ret, (size_t)ret_st->st_size);
        return 0;
}

const char *table_file_error(int error) {
        switch (error) {
        case EINVAL:
                return "not a regular file";
        case EFBIG:
                return "too large";
        case EBUSY:
                return "still being written";
        case ENOSYS:
                return "/proc is not mounted";
        case EPERM:
                return "it belongs to another user";
        default:
                return strerror(error);
        }
}
