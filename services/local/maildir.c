#include "services/local/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/macro.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

typedef struct Maildir {
        const MaildirRules *rules;
        int base_fd;
        int new_fd;
        int fd;              /* the message */
        char temporary[256]; /* its name in tmp/, where files without a name are not to be had */
        bool is_fresh;       /* directories were made: their names are not on disk yet */
} Maildir;

/* ---- directories ---- */

static int check_owner(const MaildirRules *rules, int fd) {
        struct stat st;

        if (!rules->check_owner)
                return 0;
        if (fstat(fd, &st) != 0)
                return -errno;
        return st.st_uid == rules->owner ? 0 : MAILDIR_E_OWNER;
}

/* mkdir -p. Of several failures the first says why. */
static int make_directories(char *path) {
        int r = 0;

        for (char *slash = path; r == 0 && slash;) {
                slash = strchr(slash + 1, '/');
                if (slash)
                        *slash = '\0';
                if (mkdir(path, 0700) == 0)
                        r = file_sync_parent(path);
                else if (errno != EEXIST)
                        r = -errno;
                if (slash)
                        *slash = '/';
        }
        return r;
}

/* Why NAME could not be opened as a directory. */
static int directory_error(int dir_fd, const char *name) {
        int r = -errno;
        struct stat st;

        if ((r == -ENOTDIR || r == -ELOOP) &&
            fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
                return MAILDIR_E_NOT_DIRECTORY;
        return r;
}

static int open_base(Maildir *maildir, const char *path) {
        int flags = OPEN_DIRECTORY | (maildir->rules->follow_link ? 0 : O_NOFOLLOW);
        size_t len = strlen(path);
        char name[PATH_MAX];
        int r;

        while (len > 1 && path[len - 1] == '/')
                len--; /* a link with a slash behind it would be followed */
        if (len >= sizeof(name))
                return -ENAMETOOLONG;
        (void)snprintf(name, sizeof(name), "%.*s", (int)len, path);
        maildir->base_fd = open(name, flags);
        if (maildir->base_fd < 0 && errno == ENOENT) {
                r = make_directories(name);
                if (r < 0)
                        return r;
                maildir->base_fd = open(name, flags);
        }
        if (maildir->base_fd < 0)
                return directory_error(AT_FDCWD, name);
        return check_owner(maildir->rules, maildir->base_fd);
}

static int open_part(const Maildir *maildir, const char *name, int *ret) {
        *ret = openat(maildir->base_fd, name, OPEN_DIRECTORY | O_NOFOLLOW);
        if (*ret < 0)
                return directory_error(maildir->base_fd, name);
        return check_owner(maildir->rules, *ret);
}

static int open_maildir(Maildir *maildir, const char *path) {
        static const char *const names[] = { "tmp", "new", "cur" };
        int r;

        r = open_base(maildir, path);
        if (r != 0)
                return r;
        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                if (mkdirat(maildir->base_fd, names[i], 0700) == 0)
                        maildir->is_fresh = true;
                else if (errno != EEXIST)
                        return -errno;
        }
        if (maildir->is_fresh && fsync(maildir->base_fd) != 0)
                return -errno;
        return open_part(maildir, "new", &maildir->new_fd);
}

/* ---- the message ---- */

static void append_host(Buf *name, const char *hostname) {
        for (const char *c = hostname; *c; c++) {
                if (*c == '/')
                        (void)buf_append_cstr(name, "\\057");
                else if (*c == ':')
                        (void)buf_append_cstr(name, "\\072");
                else
                        (void)buf_append_char(name, *c);
        }
}

static int make_name(const Maildir *maildir, Buf *name) {
        usec_t now = clock_realtime_usec();
        struct stat st;

        if (fstat(maildir->fd, &st) != 0)
                return -errno;
        (void)buf_printf(name, "%lu.V%lxI%lxM%lu.", (unsigned long)(now / USEC_PER_SEC),
                         (unsigned long)st.st_dev, (unsigned long)st.st_ino,
                         (unsigned long)(now % USEC_PER_SEC));
        append_host(name, maildir->rules->hostname);
        return buf_cstr(name) ? 0 : -ENAMETOOLONG;
}

/* For file systems without nameless files (NFS). */
static int open_temporary(Maildir *maildir) {
        int tmp_fd _cleanup_(fd_closep) = -1;
        usec_t now = clock_realtime_usec();
        int r;

        r = open_part(maildir, "tmp", &tmp_fd);
        if (r != 0)
                return r;
        (void)snprintf(maildir->temporary, sizeof(maildir->temporary), "tmp/%lu.M%luP%ld",
                       (unsigned long)(now / USEC_PER_SEC), (unsigned long)(now % USEC_PER_SEC),
                       (long)getpid());
        maildir->fd = openat(tmp_fd, maildir->temporary + strlen("tmp/"),
                             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (maildir->fd >= 0)
                return 0;
        r = -errno;
        maildir->temporary[0] = '\0';
        return r;
}

static int open_message(Maildir *maildir) {
        maildir->fd = file_open_nameless(maildir->new_fd, ".", O_WRONLY, 0600);
        if (maildir->fd >= 0)
                return 0;
        return maildir->fd == -EOPNOTSUPP ? open_temporary(maildir) : maildir->fd;
}

static int write_message(const Maildir *maildir, Copy *copy) {
        Str piece;
        int r;

        for (;;) {
                r = copy_next(copy, &piece);
                if (r != 0)
                        return r;
                if (str_is_empty(piece))
                        return fsync(maildir->fd) != 0 ? -errno : 0;
                r = file_write_all(maildir->fd, piece.data, piece.len);
                if (r != 0)
                        return r;
        }
}

/* From now on it is seen; a power cut may take it away again until the directory is synced. */
static int publish(Maildir *maildir, const char *name) {
        int r;

        if (maildir->temporary[0] == '\0')
                r = file_link_nameless(maildir->fd, maildir->new_fd, name);
        else
                r = linkat(maildir->base_fd, maildir->temporary, maildir->new_fd, name, 0) != 0
                            ? -errno
                            : 0;
        if (r == 0 && fsync(maildir->new_fd) != 0) {
                r = -errno;
                (void)unlinkat(maildir->new_fd, name, 0);
        }
        return r;
}

static void close_maildir(Maildir *maildir) {
        if (maildir->temporary[0] != '\0')
                (void)unlinkat(maildir->base_fd, maildir->temporary, 0);
        fd_closep(&maildir->fd);
        fd_closep(&maildir->new_fd);
        fd_closep(&maildir->base_fd);
}

static int deliver(Maildir *maildir, const char *path, Copy *copy) {
        Buf name _cleanup_(buf_deinit) = BUF_INIT(NAME_MAX);
        uint64_t limit = maildir->rules->size_limit_bytes;
        int r;

        if (limit > 0 && copy->header.len + copy->left > limit)
                return -EFBIG;
        r = open_maildir(maildir, path);
        if (r == 0)
                r = open_message(maildir);
        if (r == 0)
                r = make_name(maildir, &name);
        if (r == 0)
                r = write_message(maildir, copy);
        return r != 0 ? r : publish(maildir, buf_cstr(&name));
}

int maildir_deliver(const MaildirRules *rules, const char *path, Copy *copy) {
        Maildir maildir = { .rules = rules, .base_fd = -1, .new_fd = -1, .fd = -1 };
        int r;

        r = deliver(&maildir, path, copy);
        close_maildir(&maildir);
        return r;
}
