/*
 * The queue's directories: opening them, opening, moving and removing messages, and taking out of
 * the way what cannot be processed. The state table is in man/unitpost-queue.5.
 */

#include "common/mail/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/base/file.h"
#include "common/mail/queue-private.h"

#define LOCK_NAME ".lock" /* in active/; hidden, so that no walk sees it */

const char *queue_dir_name(QueueDir dir) {
        static const char *const names[QUEUE_N_DIRS] = {
                [QUEUE_MAILDROP] = "maildrop", [QUEUE_INCOMING] = "incoming",
                [QUEUE_ACTIVE] = "active",     [QUEUE_DEFERRED] = "deferred",
                [QUEUE_HOLD] = "hold",         [QUEUE_CORRUPT] = "corrupt",
        };

        return names[dir];
}

int queue_open(const char *path, unsigned dirs, Queue **ret) {
        _cleanup_(queue_freep) Queue *queue = NULL;
        _cleanup_(fd_closep) int top_fd = -1;

        queue = malloc(sizeof(*queue));
        if (!queue)
                return -ENOMEM;
        queue->lock_fd = -1;
        for (int dir = 0; dir < QUEUE_N_DIRS; dir++)
                queue->dir_fds[dir] = -1;
        top_fd = file_open_dir(AT_FDCWD, path);
        if (top_fd < 0)
                return top_fd;
        for (int dir = 0; dir < QUEUE_N_DIRS; dir++) {
                if (!(dirs & (1U << dir)))
                        continue;
                queue->dir_fds[dir] = file_open_dir(top_fd, queue_dir_name((QueueDir)dir));
                if (queue->dir_fds[dir] < 0)
                        return queue->dir_fds[dir];
        }
        *ret = TAKE_PTR(queue);
        return 0;
}

Queue *queue_free(Queue *queue) {
        if (!queue)
                return NULL;
        for (int dir = 0; dir < QUEUE_N_DIRS; dir++)
                if (queue->dir_fds[dir] >= 0)
                        (void)close(queue->dir_fds[dir]);
        if (queue->lock_fd >= 0)
                (void)close(queue->lock_fd);
        free(queue);
        return NULL;
}

int queue_dir_fd(const Queue *queue, QueueDir dir) {
        return queue->dir_fds[dir];
}

int queue_lock(Queue *queue) {
        _cleanup_(fd_closep) int fd = -1;

        if (queue->lock_fd >= 0)
                return 0;
        fd = openat(queue->dir_fds[QUEUE_ACTIVE], LOCK_NAME,
                    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (fd < 0)
                return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0)
                return errno == EWOULDBLOCK ? QUEUE_E_LOCKED : -errno;
        queue->lock_fd = TAKE_FD(fd);
        return 0;
}

int queue_free_space(const Queue *queue, uint64_t *ret_bytes, uint64_t *ret_inodes) {
        struct statvfs st;
        int fd = -1;

        for (int dir = 0; dir < QUEUE_N_DIRS && fd < 0; dir++)
                fd = queue->dir_fds[dir];
        if (fstatvfs(fd, &st) < 0)
                return -errno;
        if (__builtin_mul_overflow((uint64_t)st.f_bavail, (uint64_t)st.f_frsize, ret_bytes))
                *ret_bytes = UINT64_MAX;
        /* File systems that make inodes as they need them report none at all. */
        *ret_inodes = st.f_files > 0 ? (uint64_t)st.f_favail : UINT64_MAX;
        return 0;
}

/* What open(2) says of something that is no file of ours, whatever the state of the system. */
static bool is_odd(int error) {
        switch (error) {
        case ELOOP:  /* a symbolic link */
        case ENXIO:  /* a socket */
        case ENODEV: /* a device without a driver */
        case EISDIR: /* a directory, for writing */
        case EACCES:
        case EPERM: /* immutable */
                return true;
        default:
                return false;
        }
}

int queue_open_message(const Queue *queue, QueueDir dir, const char *name, int flags, int *ret_fd) {
        _cleanup_(fd_closep) int fd = -1;
        struct stat st;

        fd = openat(queue->dir_fds[dir], name,
                    flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (fd < 0) {
                if (errno == ENOENT)
                        return QUEUE_E_GONE;
                return is_odd(errno) ? QUEUE_E_ODD : -errno;
        }
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return QUEUE_E_ODD;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int queue_rename(int from_fd, const char *from, int to_fd, const char *to) {
        if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
                return 0;
        switch (errno) {
        case EEXIST:
                return QUEUE_E_EXISTS;
        case ENOENT:
                return QUEUE_E_GONE;
        default:
                return -errno;
        }
}

int queue_move(const Queue *queue, const char *name, QueueDir from, QueueDir to) {
        return queue_rename(queue->dir_fds[from], name, queue->dir_fds[to], name);
}

int queue_remove(const Queue *queue, const char *name, QueueDir from) {
        if (unlinkat(queue->dir_fds[from], name, 0) == 0)
                return 0;
        return errno == ENOENT ? QUEUE_E_GONE : -errno;
}

/* Hide NAME where it is: "BUCKET/ID" becomes "BUCKET/.ID". */
static int hide(int dir_fd, const char *name) {
        const char *slash = strrchr(name, '/');
        const char *last = slash ? slash + 1 : name;
        char hidden[QUEUE_PATH_MAX];
        int n, r;

        n = snprintf(hidden, sizeof(hidden), "%.*s.%s", (int)(last - name), name, last);
        if (n < 0 || (size_t)n >= sizeof(hidden))
                return -ENAMETOOLONG;
        r = queue_rename(dir_fd, name, dir_fd, hidden);
        if (r != QUEUE_E_EXISTS && r != -ENAMETOOLONG)
                return r;
        n = snprintf(hidden, sizeof(hidden), "%.*s.%.200s.%s", (int)(last - name), name, last,
                     queue_id_new(clock_realtime_usec()).text);
        if (n < 0 || (size_t)n >= sizeof(hidden))
                return -ENAMETOOLONG;
        return queue_rename(dir_fd, name, dir_fd, hidden);
}

/*
 * Will the move fail tomorrow, too? A full disk or an I/O error is no reason to put a message where
 * nobody looks: it stays, and is tried again.
 */
static bool is_for_ever(int r) {
        switch (r) {
        case QUEUE_E_EXISTS:
        case -EACCES:
        case -EPERM:
        case -EXDEV:
        case -EBADF: /* the target is none of this role's directories */
        case -ENAMETOOLONG:
                return true;
        default:
                return false;
        }
}

int queue_set_aside(const Queue *queue, const char *name, QueueDir from, QueueDir to) {
        const char *slash = strrchr(name, '/');
        const char *last = slash ? slash + 1 : name;
        char other[QUEUE_PATH_MAX];
        int r = -EBADF;

        if (queue->dir_fds[to] >= 0) {
                r = queue_rename(queue->dir_fds[from], name, queue->dir_fds[to], last);
                if (r == QUEUE_E_EXISTS) {
                        (void)snprintf(other, sizeof(other), "%.200s.%s", last,
                                       queue_id_new(clock_realtime_usec()).text);
                        r = queue_rename(queue->dir_fds[from], name, queue->dir_fds[to], other);
                }
        }
        return is_for_ever(r) ? hide(queue->dir_fds[from], name) : r;
}

int queue_quarantine(const Queue *queue, const char *name, QueueDir from) {
        return queue_set_aside(queue, name, from, QUEUE_CORRUPT);
}
