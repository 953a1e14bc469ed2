#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
        READ_CHUNK = 64 * 1024 /* bytes asked for when a file is longer than its stat said */
};

int file_write_all(int fd, const void *data, size_t len) {
        const char *rest = data;

        while (len > 0) {
                ssize_t n = write(fd, rest, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0) /* nothing written and no reason given: do not spin */
                        return -EIO;
                rest += n;
                len -= (size_t)n;
        }
        return 0;
}

int file_pwrite_all(int fd, const void *data, size_t len, off_t offset) {
        const char *rest = data;

        while (len > 0) {
                ssize_t n = pwrite(fd, rest, len, offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO;
                rest += n;
                len -= (size_t)n;
                offset += n;
        }
        return 0;
}

int file_pread_all(int fd, void *data, size_t len, off_t offset) {
        char *rest = data;

        while (len > 0) {
                ssize_t n = pread(fd, rest, len, offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return FILE_E_SHORT;
                rest += n;
                len -= (size_t)n;
                offset += n;
        }
        return 0;
}

/* One read of about HINT bytes into BUF. 0, FILE_E_TOO_BIG or negative errno. */
static int read_chunk(int fd, Buf *buf, size_t hint, bool *ret_eof) {
        size_t want = size_min(hint, buf->max - buf->len);
        char probe, *room;
        ssize_t n;
        int r;

        if (want == 0) /* full: only the end of the file may follow */
                room = &probe;
        else if ((r = buf_reserve(buf, want, &room)) != 0)
                return r < 0 ? r : FILE_E_TOO_BIG;
        do
                n = read(fd, room, size_max(want, 1));
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        *ret_eof = n == 0;
        if (n > 0 && want == 0)
                return FILE_E_TOO_BIG;
        buf_commit(buf, (size_t)n);
        return 0;
}

int file_read_fd(int fd, Buf *buf) {
        size_t before = buf->len;
        bool eof = false;
        struct stat st;
        size_t hint;
        int r = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return FILE_E_NOT_REGULAR;
        /* One byte more than the size shows the end in the same read. /proc says size 0. */
        hint = st.st_size > 0 ? (size_t)st.st_size + 1 : READ_CHUNK;
        while (r == 0 && !eof) {
                r = read_chunk(fd, buf, hint, &eof);
                hint = READ_CHUNK;
        }
        if (r != 0)
                buf_truncate(buf, before);
        return r;
}

int file_read(int dir_fd, const char *path, Buf *buf) {
        _cleanup_(fd_closep) int fd = -1;

        if (buf->error)
                return buf->error < 0 ? buf->error : FILE_E_TOO_BIG;
        /* O_NONBLOCK: a FIFO in the place of a file must not stop us before we can look at it. */
        fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        return fd < 0 ? -errno : file_read_fd(fd, buf);
}

int file_open_dir(int dir_fd, const char *path) {
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

        return fd < 0 ? -errno : fd;
}

int file_sync_parent(const char *path) {
        char parent[PATH_MAX];
        int fd _cleanup_(fd_closep) = -1;
        size_t n = str_find_last(str_from_cstr(path), '/');

        if (n + 1 >= sizeof(parent))
                return -ENAMETOOLONG;
        (void)snprintf(parent, sizeof(parent), "%.*s/", (int)n, path);
        fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 || fsync(fd) != 0 ? -errno : 0;
}

int file_open_nameless(int dir_fd, const char *directory, int flags, mode_t mode) {
        int fd = openat(dir_fd, directory, O_TMPFILE | O_CLOEXEC | flags, mode);

        if (fd >= 0)
                return fd;
        /* EISDIR: a kernel that does not know the flag took it for O_DIRECTORY. */
        return errno == EISDIR || errno == EINVAL ? -EOPNOTSUPP : -errno;
}

int file_link_nameless(int fd, int dir_fd, const char *name) {
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        if (linkat(AT_FDCWD, path, dir_fd, name, AT_SYMLINK_FOLLOW) == 0)
                return 0;
        /* A chroot may lack /proc; this form needs CAP_DAC_READ_SEARCH before Linux 6.10. */
        if (errno != ENOENT)
                return -errno;
        return linkat(fd, "", dir_fd, name, AT_EMPTY_PATH) < 0 ? -errno : 0;
}
