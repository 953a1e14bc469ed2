#include "services/notify/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/clock.h"
#include "services/notify/maildir.h"
#include "services/notify/scan.h"

enum {
        BLOCK_BYTES = 64 * 1024,
        N_FREE_SCANS = 3 /* without holding the lock; one more with it */
};

#define LOCK_WAIT_USEC  USEC_PER_SEC
#define LOCK_DELAY_USEC (20 * USEC_PER_MSEC)

/* Take, or with F_UNLCK leave, the lock that deliveries and mail readers respect. */
static int set_lock(int fd, short type) {
        struct flock lock = { .l_type = type, .l_whence = SEEK_SET };
        usec_t until = usec_add(clock_monotonic_usec(), LOCK_WAIT_USEC);
        struct timespec delay = { .tv_nsec = LOCK_DELAY_USEC * 1000 };

        while (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN && errno != EACCES)
                        return 0; /* a file system without locks */
                if (clock_monotonic_usec() >= until)
                        return MAILBOX_E_BUSY;
                (void)nanosleep(&delay, NULL);
        }
        return 0;
}

static int scan_bytes(int fd, off_t size, Scan *scan) {
        off_t offset = size > MAILBOX_SCAN_MAX ? size - MAILBOX_SCAN_MAX : 0;
        _cleanup_(freep) char *block = malloc(BLOCK_BYTES);
        int r = block ? 0 : -ENOMEM;

        while (r == 0 && offset < size) {
                ssize_t n =
                        pread(fd, block, size_min(BLOCK_BYTES, (size_t)(size - offset)), offset);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0) /* cut while we read: the caller sees that it changed */
                        break;
                r = scan_add(scan, str_from(block, (size_t)n));
                offset += n;
        }
        return r;
}

static bool is_same(const struct stat *a, const struct stat *b) {
        return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
               a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What is in the mailbox now; *ret_changed when somebody wrote to it meanwhile. */
static int scan_once(int fd, bool is_locked, Scan *scan, bool *ret_changed) {
        struct stat before, after;
        int r = set_lock(fd, F_RDLCK);

        if (r == 0 && fstat(fd, &before) < 0)
                r = -errno;
        if (!is_locked)
                (void)set_lock(fd, F_UNLCK);
        if (r == 0)
                r = scan_bytes(fd, before.st_size, scan);
        if (r == 0 && fstat(fd, &after) < 0)
                r = -errno;
        if (r == 0)
                *ret_changed = !is_same(&before, &after);
        return r;
}

/*
 * The lock is held for the moment in which the size is taken, so that nobody is in the middle of
 * writing, but not while we read: a delivery that meets it waits a second. Who changes the mailbox
 * meanwhile makes us begin again, and in the end it is locked for one reading.
 */
static int scan_mbox(int fd, const Ids *known, Ids *found, News *news) {
        bool is_changed = true;
        struct stat st;
        int r = 0;

        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return MAILBOX_E_UNUSABLE;
        for (int i = 0; i <= N_FREE_SCANS && is_changed && r == 0; i++) {
                _cleanup_(scan_deinit) Scan scan;

                ids_deinit(found);
                news_reset(news);
                scan_init(&scan, known, found, news, st.st_size <= MAILBOX_SCAN_MAX);
                r = scan_once(fd, i == N_FREE_SCANS, &scan, &is_changed);
        }
        return r;
}

int mailbox_scan(const char *path, const Ids *known, Ids *found, News *news) {
        _cleanup_(fd_closep) int fd = -1;

        if (str_has_suffix(str_from_cstr(path), STR("/")))
                return maildir_scan(path, known, found, news);
        /* O_NONBLOCK: a FIFO must not stop us before we can look at it. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
        if (fd < 0)
                return errno == ENOENT || errno == ENOTDIR ? 0
                       : errno == ELOOP || errno == ENXIO  ? MAILBOX_E_UNUSABLE
                                                           : -errno;
        return scan_mbox(fd, known, found, news);
}
