/*
 * Reading the names of a directory. Hidden names (the lock, what was set aside in place, the
 * writer's temporary names where O_TMPFILE is missing) are never shown.
 */

#include "common/mail/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/mail/queue-private.h"

#define STALE_AFTER_USEC (24 * 3600 * USEC_PER_SEC)

struct QueueWalk {
        DIR *stream;
};

int queue_walk_new(const Queue *queue, QueueDir dir, uint64_t bucket, QueueWalk **ret) {
        _cleanup_(queue_walk_freep) QueueWalk *walk = NULL;
        char path[QUEUE_PATH_MAX] = ".";
        int fd;

        walk = calloc(1, sizeof(*walk));
        if (!walk)
                return -ENOMEM;
        if (bucket > 0)
                (void)snprintf(path, sizeof(path), "%" PRIu64, bucket);
        /* Its own open, not a dup: the position in a directory belongs to the open file. */
        fd = file_open_dir(queue->dir_fds[dir], path);
        if (fd < 0)
                return fd == -ENOENT ? QUEUE_E_GONE : fd;
        walk->stream = fdopendir(fd);
        if (!walk->stream) {
                fd_closep(&fd); /* leaves errno alone */
                return errno > 0 ? -errno : -EIO;
        }
        *ret = TAKE_PTR(walk);
        return 0;
}

QueueWalk *queue_walk_free(QueueWalk *walk) {
        if (!walk)
                return NULL;
        if (walk->stream)
                (void)closedir(walk->stream);
        free(walk);
        return NULL;
}

static int next_entry(QueueWalk *walk, const char **ret_name) {
        struct dirent *entry;

        errno = 0;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it takes -errno for 0 */
        entry = readdir(walk->stream);
        if (!entry)
                return errno != 0 ? -errno : QUEUE_E_END;
        *ret_name = entry->d_name;
        return 0;
}

int queue_walk_next(QueueWalk *walk, const char **ret_name) {
        int r;

        do
                r = next_entry(walk, ret_name);
        while (r == 0 && (*ret_name)[0] == '.');
        return r;
}

/* ".0123456789ABCDEF.tmp" */
static bool is_temporary_name(const char *name) {
        Str text = str_from_cstr(name);
        uint64_t number;

        return text.len == 21 && str_has_prefix(text, STR(".")) &&
               str_has_suffix(text, STR(".tmp")) &&
               str_parse_hex_u64(str_from(text.data + 1, 16), UINT64_MAX, &number) == 0;
}

static bool is_old(int dir_fd, const char *name, usec_t now_usec) {
        struct stat st;

        return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
               st.st_mtim.tv_sec >= 0 &&
               usec_add((usec_t)st.st_mtim.tv_sec * USEC_PER_SEC, STALE_AFTER_USEC) < now_usec;
}

int queue_remove_stale(const Queue *queue, QueueDir dir, usec_t now_usec, size_t *ret_n) {
        _cleanup_(queue_walk_freep) QueueWalk *walk = NULL;
        const char *name;
        size_t n = 0;
        int r;

        r = queue_walk_new(queue, dir, 0, &walk);
        if (r != 0)
                return r < 0 ? r : -ENOENT;
        while ((r = next_entry(walk, &name)) == 0) {
                /* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): the same */
                if (!is_temporary_name(name) || !is_old(queue->dir_fds[dir], name, now_usec))
                        continue;
                r = queue_remove(queue, name, dir);
                if (r < 0)
                        return r;
                n++;
        }
        if (ret_n)
                *ret_n = n;
        return r == QUEUE_E_END ? 0 : r;
}
