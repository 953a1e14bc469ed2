#include "services/notify/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/crc32c.h"
#include "services/notify/mailbox.h"
#include "services/notify/scan.h"

#define HEAD_MAX_BYTES (64 * 1024) /* read of a message, to show its sender and subject */

/* The newest new files so far, the oldest of them first. */
typedef struct Newest {
        size_t n;
        struct {
                char name[NAME_MAX + 1];
                struct timespec time;
        } files[NEWS_SHOWN];
} Newest;

static bool is_before(struct timespec a, struct timespec b) {
        return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

/* Keep the file if it is among the newest. ctime: when it came into new/, whoever set its mtime. */
static void newest_add(Newest *newest, const char *name, struct timespec time) {
        size_t i = newest->n;

        while (i > 0 && is_before(time, newest->files[i - 1].time))
                i--;
        if (newest->n == NEWS_SHOWN) {
                if (i == 0)
                        return;
                memmove(&newest->files[0], &newest->files[1], (i - 1) * sizeof(newest->files[0]));
                i--;
        } else {
                memmove(&newest->files[i + 1], &newest->files[i],
                        (newest->n - i) * sizeof(newest->files[0]));
                newest->n++;
        }
        (void)snprintf(newest->files[i].name, sizeof(newest->files[i].name), "%s", name);
        newest->files[i].time = time;
}

static int show_file(int dir_fd, const char *name, News *news) {
        _cleanup_(buf_deinit) Buf content = BUF_INIT(HEAD_MAX_BYTES);
        _cleanup_(head_deinit) Head head;
        _cleanup_(fd_closep) int fd =
                openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
        char *room;
        ssize_t n;
        int r;

        head_init(&head);
        r = buf_reserve(&content, HEAD_MAX_BYTES, &room);
        if (r != 0)
                return -ENOMEM;
        /* One that is gone again, or cannot be read, is told without its sender and subject. */
        n = fd < 0 ? -1 : pread(fd, room, HEAD_MAX_BYTES, 0);
        buf_commit(&content, n < 0 ? 0 : (size_t)n);
        scan_read_head(buf_str(&content), &head);
        return news_add(news, &head);
}

static int take_entry(int dir_fd, const char *name, const Ids *known, Ids *found, Newest *newest) {
        uint32_t id = crc32c(0, name, strlen(name));
        struct stat st;

        if (name[0] == '.' || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
                return 0;
        if (found->n == IDS_MAX)
                return MAILBOX_E_TOO_MANY;
        if (!ids_has(known, id))
                newest_add(newest, name, st.st_ctim);
        return ids_add(found, id);
}

/* All names; *RET_N_NEW counts those that are not known. */
static int read_names(DIR *dir, const Ids *known, Ids *found, Newest *newest) {
        const struct dirent *entry;
        int r = 0;

        while (r == 0) {
                errno = 0;
                entry = readdir(dir);
                if (!entry)
                        return -errno;
                r = take_entry(dirfd(dir), entry->d_name, known, found, newest);
        }
        return r;
}

static DIR *open_new(const char *path) {
        _cleanup_(fd_closep) int top_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        _cleanup_(fd_closep) int fd = -1;
        DIR *dir;

        if (top_fd < 0)
                return NULL;
        fd = openat(top_fd, "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        dir = fd < 0 ? NULL : fdopendir(fd);
        if (dir)
                (void)TAKE_FD(fd);
        return dir;
}

static void closedirp(DIR **dir) {
        if (*dir)
                (void)closedir(*dir);
}

int maildir_scan(const char *path, const Ids *known, Ids *found, News *news) {
        _cleanup_(closedirp) DIR *dir = open_new(path);
        Newest newest = { 0 };
        uint64_t n_new = 0;
        int r;

        if (!dir)
                return errno == ENOENT                      ? 0
                       : errno == ENOTDIR || errno == ELOOP ? MAILBOX_E_UNUSABLE
                                                            : -errno;
        r = read_names(dir, known, found, &newest);
        if (r != 0)
                return r;
        for (size_t i = 0; i < found->n; i++)
                n_new += !ids_has(known, found->values[i]);
        news_add_unshown(news, n_new > newest.n ? n_new - newest.n : 0);
        for (size_t i = 0; i < newest.n && r == 0; i++)
                r = show_file(dirfd(dir), newest.files[i].name, news);
        return r;
}
