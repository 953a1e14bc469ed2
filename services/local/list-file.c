#include "services/local/list-file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/macro.h"

static int open_error(int error) {
        switch (error) {
        case ENOENT:
        case ENOTDIR:
        case ENAMETOOLONG:
                return LIST_FILE_E_MISSING;
        case EACCES:
        case EPERM:
                return LIST_FILE_E_NOT_READABLE;
        case ELOOP:
        case ENXIO: /* a socket */
        case EISDIR:
                return LIST_FILE_E_NOT_REGULAR;
        default:
                return -error;
        }
}

#define OPEN_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static int open_without_links(const char *path) {
        const struct open_how how = { .flags = OPEN_FLAGS, .resolve = RESOLVE_NO_SYMLINKS };

        return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/*
 * An alias of root's may name a file below a home. Were it, or a directory on the way, a link to
 * what only root may read, the notice about its lines would tell the sender what they say. So
 * behind a link root sees what everybody may see.
 */
static int open_as_root(const char *path, bool *ret_only_public) {
        int fd = open_without_links(path);

        *ret_only_public = fd < 0 && (errno == ELOOP || errno == ENOSYS || errno == EPERM);
        return *ret_only_public ? open(path, OPEN_FLAGS) : fd;
}

static int open_list(const char *path, const ListFileRules *rules, bool *ret_only_public) {
        *ret_only_public = false;
        if (!rules->follow_symlink)
                return open(path, OPEN_FLAGS | O_NOFOLLOW);
        return rules->is_root ? open_as_root(path, ret_only_public) : open(path, OPEN_FLAGS);
}

static int check(const struct stat *st, const ListFileRules *rules) {
        if (!S_ISREG(st->st_mode))
                return LIST_FILE_E_NOT_REGULAR;
        if (st->st_mode & S_IWOTH)
                return LIST_FILE_E_WRITABLE;
        if (!rules->check_owner)
                return 0;
        if (st->st_uid != 0 && st->st_uid != rules->owner)
                return LIST_FILE_E_OWNER;
        return st->st_mode & S_IWGRP && st->st_gid != 0 && st->st_gid != rules->group
                       ? LIST_FILE_E_WRITABLE
                       : 0;
}

static int read_all(int fd, size_t size_bytes, Buf *ret) {
        char *room;
        int r;

        if (size_bytes == 0)
                return 0;
        r = buf_reserve(ret, size_bytes, &room);
        if (r != 0)
                return r == BUF_E_FULL ? LIST_FILE_E_TOO_BIG : r;
        r = file_pread_all(fd, room, size_bytes, 0);
        if (r == 0)
                buf_commit(ret, size_bytes);
        /* Shorter than a moment ago: somebody is writing it. */
        return r > 0 ? -EBUSY : r;
}

int list_file_read(const char *path, const ListFileRules *rules, Buf *ret, uid_t *ret_owner) {
        int fd _cleanup_(fd_closep) = -1;
        bool only_public;
        struct stat st;
        int r;

        fd = open_list(path, rules, &only_public);
        if (fd < 0)
                return open_error(errno);
        if (fstat(fd, &st) < 0)
                return -errno;
        r = check(&st, rules);
        if (r == 0 && only_public && !(st.st_mode & S_IROTH))
                r = LIST_FILE_E_NOT_READABLE;
        if (r != 0)
                return r;
        if (ret_owner)
                *ret_owner = st.st_uid;
        return read_all(fd, (size_t)st.st_size, ret);
}

const char *list_file_reason(int r) {
        switch (r) {
        case LIST_FILE_E_MISSING:
                return "does not exist";
        case LIST_FILE_E_NOT_READABLE:
                return "may not be read";
        case LIST_FILE_E_NOT_REGULAR:
                return "is not a regular file";
        case LIST_FILE_E_OWNER:
                return "belongs to somebody else";
        case LIST_FILE_E_WRITABLE:
                return "may be written by others";
        case LIST_FILE_E_TOO_BIG:
                return "is too big";
        default:
                return "cannot be read";
        }
}
