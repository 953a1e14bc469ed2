#include "tools/postconf/edit-file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/base/durable-file.h"
#include "common/base/file.h"
#include "common/role/config-parse.h"

#define NEW_FILE_MODE      0644
#define NEW_DIRECTORY_MODE 0755
#define LOCK_MODE          0600

typedef struct Target {
        char directory[PATH_MAX];
        char name[NAME_MAX + 1];
        int dir_fd;
        char lock_name[NAME_MAX + 8];
        int lock_fd;
        bool is_locked;
        bool is_there;
        struct stat status; /* when it is there */
} Target;

static int fail(Buf *error, const char *path, const char *reason) {
        (void)buf_printf(error, "%s: %s", path, reason);
        return -1;
}

static int fail_errno(Buf *error, const char *path, int number) {
        return fail(error, path, strerror(number));
}

/* Split PATH into directory and name, behind all links. */
static int find_target(const char *path, Target *ret, Buf *error) {
        char real[PATH_MAX];
        char copy[PATH_MAX];
        struct stat status;

        if (!realpath(path, real)) {
                if (errno != ENOENT)
                        return fail_errno(error, path, errno);
                if (lstat(path, &status) == 0 && S_ISLNK(status.st_mode))
                        return fail(error, path, "a symbolic link that leads nowhere");
                if ((size_t)snprintf(real, sizeof(real), "%s", path) >= sizeof(real))
                        return fail_errno(error, path, ENAMETOOLONG);
        }
        memcpy(copy, real, sizeof(copy));
        (void)snprintf(ret->name, sizeof(ret->name), "%s", basename(copy));
        memcpy(copy, real, sizeof(copy));
        (void)snprintf(ret->directory, sizeof(ret->directory), "%s", dirname(copy));
        return 0;
}

/*
 * The lock is a file that only its owner can open: a lock that anybody could take would be one that
 * anybody could keep. It goes with the edit; so whoever waited for it looks whether it is still the
 * file of that name. 0; 1: it is not, again; negative errno.
 */
static int take_lock(Target *target) {
        struct stat held, named;

        fd_closep(&target->lock_fd);
        target->lock_fd = openat(target->dir_fd, target->lock_name,
                                 O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, LOCK_MODE);
        if (target->lock_fd < 0 || flock(target->lock_fd, LOCK_EX) != 0 ||
            fstat(target->lock_fd, &held) != 0)
                return -errno;
        return fstatat(target->dir_fd, target->lock_name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
               named.st_ino != held.st_ino;
}

static void drop_lock(Target *target) {
        if (target->is_locked)
                (void)unlinkat(target->dir_fd, target->lock_name, 0);
        fd_closep(&target->lock_fd);
}

static int lock_target(Target *target, const char *path, Buf *error) {
        int r;

        if (mkdir(target->directory, NEW_DIRECTORY_MODE) != 0 && errno != EEXIST)
                return fail_errno(error, target->directory, errno);
        target->dir_fd = open(target->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (target->dir_fd < 0)
                return fail_errno(error, target->directory, errno);
        (void)snprintf(target->lock_name, sizeof(target->lock_name), ".%s.lock", target->name);
        do
                r = take_lock(target);
        while (r > 0);
        target->is_locked = r == 0;
        return r < 0 ? fail_errno(error, path, -r) : 0;
}

/* Content and status are of one open file, whatever has its name meanwhile. */
static int read_target(Target *target, const char *path, Buf *text, Buf *error) {
        _cleanup_(fd_closep) int fd =
                openat(target->dir_fd, target->name,
                       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        int r;

        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0 || fstat(fd, &target->status) != 0)
                return fail_errno(error, path, errno);
        r = file_read_fd(fd, text);
        if (r == FILE_E_TOO_BIG)
                return fail(error, path, "too large for a main.cf");
        if (r == FILE_E_NOT_REGULAR)
                return fail(error, path, "not a regular file");
        if (r < 0)
                return fail_errno(error, path, -r);
        target->is_there = true;
        return 0;
}

/* Owner first: chown(2) takes bits of the mode away. */
static int keep_owner_and_mode(const Target *target, int fd) {
        const struct stat *status = &target->status;

        if (!target->is_there)
                return fchmod(fd, NEW_FILE_MODE) == 0 ? 0 : -errno;
        if (fchown(fd, status->st_uid, status->st_gid) != 0 ||
            fchmod(fd, status->st_mode & 07777) != 0)
                return -errno;
        return 0;
}

static int write_target(const Target *target, Str text) {
        _cleanup_(durable_file_freep) DurableFile *file = NULL;
        int r = durable_file_new(target->dir_fd, 0600, &file);

        if (r == 0)
                r = file_write_all(durable_file_fd(file), text.data, text.len);
        if (r == 0)
                r = keep_owner_and_mode(target, durable_file_fd(file));
        if (r == 0)
                r = durable_file_replace(file, target->name);
        return r == 0 ? durable_file_commit(file) : r;
}

static int edit_locked(Target *target, const char *path, Edit *edits, size_t n, Buf *error) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        _cleanup_(buf_deinit) Buf edited = BUF_INIT(CONFIG_FILE_MAX_BYTES);
        int r = read_target(target, path, &text, error);

        if (r != 0)
                return r;
        r = edit_text(buf_str(&text), edits, n, &edited);
        if (r != 0)
                return r < 0 ? fail_errno(error, path, -r)
                             : fail(error, path, "would be too large for a main.cf");
        if (str_equal(buf_str(&text), buf_str(&edited)))
                return 0;
        r = write_target(target, buf_str(&edited));
        return r == 0 ? 0 : fail_errno(error, path, -r);
}

int edit_file(const char *path, Edit *edits, size_t n, Buf *error) {
        Target target = { .dir_fd = -1, .lock_fd = -1 };
        int r = find_target(path, &target, error);

        if (r == 0)
                r = lock_target(&target, path, error);
        if (r == 0)
                r = edit_locked(&target, path, edits, n, error);
        drop_lock(&target);
        fd_closep(&target.dir_fd);
        return r;
}
