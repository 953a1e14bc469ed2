#include "services/local/mailbox-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/macro.h"

/* Pauses between two looks at a lock: short at first, since deliveries take milliseconds. */
#define PAUSE_FIRST_USEC (1 * USEC_PER_MSEC)
#define PAUSE_LAST_USEC  (100 * USEC_PER_MSEC)

#define DOTLOCK_MARK " unitpost\n"

/* Never an answer to the caller: look again after a pause. */
#define AGAIN 100

bool mailbox_lock_parse(Str words, MailboxLockRules *ret) {
        Str word;

        ret->use_fcntl = ret->use_flock = ret->use_dotlock = false;
        while (str_next_word(&words, &word)) {
                if (str_equal(word, STR("fcntl")))
                        ret->use_fcntl = true;
                else if (str_equal(word, STR("flock")))
                        ret->use_flock = true;
                else if (str_equal(word, STR("dotlock")))
                        ret->use_dotlock = true;
                else
                        return false;
        }
        return true;
}

/* O_NONBLOCK: a FIFO is not waited for. O_NOFOLLOW and the checks below: see XL1 in the tests. */
static int open_mailbox(MailboxLock *lock) {
        const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

        lock->fd = open(lock->path, flags);
        if (lock->fd >= 0)
                return 0;
        if (errno == ENOENT) {
                lock->fd = open(lock->path, flags | O_CREAT | O_EXCL, 0600);
                if (lock->fd >= 0) {
                        lock->created = true;
                        return 0;
                }
                return errno == EEXIST ? AGAIN : -errno;
        }
        if (errno == ELOOP)
                return MAILBOX_E_SYMLINK;
        if (errno == EISDIR || errno == ENXIO || errno == ENODEV)
                return MAILBOX_E_NOT_REGULAR;
        return -errno;
}

static int lock_kernel(const MailboxLock *lock, const MailboxLockRules *rules) {
        struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        if (rules->use_fcntl && fcntl(lock->fd, F_OFD_SETLK, &all) != 0)
                return errno == EAGAIN || errno == EACCES ? AGAIN : -errno;
        if (rules->use_flock && flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
                return errno == EWOULDBLOCK ? AGAIN : -errno;
        return 0;
}

/* May the lock file that is there be removed? */
static bool dotlock_is_stale(const char *path, const MailboxLockRules *rules) {
        int fd _cleanup_(fd_closep) = -1;
        struct stat st;
        char text[64];
        ssize_t n;
        usec_t changed;

        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0 && rules->use_fcntl) {
                n = read(fd, text, sizeof(text));
                if (n > 0 && str_has_suffix(str_from(text, (size_t)n), STR(DOTLOCK_MARK)))
                        return true;
        }
        if (lstat(path, &st) != 0)
                return false;
        changed = (usec_t)st.st_ctim.tv_sec * USEC_PER_SEC;
        return clock_realtime_usec() > usec_add(changed, rules->stale_usec);
}

/* The file without a name, in the directory of PATH. -errno where the file system has none. */
static int open_nameless(const char *path) {
        const char *slash = strrchr(path, '/');
        char directory[PATH_MAX];
        int fd;

        if (!slash || (size_t)(slash - path) >= sizeof(directory))
                return -ENAMETOOLONG;
        (void)snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path), path);
        fd = open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0440);
        return fd < 0 ? -errno : fd;
}

/*
 * The lock file has its text from its first moment, where the file system can do that: an empty one
 * that a crash left would be taken for somebody else's, and the mailbox be locked for minutes.
 */
static int make_dotlock(const char *path) {
        char text[64], by_fd[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        int fd _cleanup_(fd_closep) = -1;
        bool has_name = false;
        int r;

        fd = open_nameless(path);
        if (fd < 0) {
                fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0440);
                if (fd < 0)
                        return -errno;
                has_name = true;
        }
        (void)snprintf(text, sizeof(text), "%ld" DOTLOCK_MARK, (long)getpid());
        r = file_write_all(fd, text, strlen(text));
        if (has_name) {
                if (r < 0)
                        (void)unlink(path);
                return r;
        }
        if (r < 0)
                return r;
        (void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
        return linkat(AT_FDCWD, by_fd, AT_FDCWD, path, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

static int lock_dotlock(MailboxLock *lock, const MailboxLockRules *rules) {
        const char *path = buf_cstr(&lock->dotlock_path);
        int r;

        if (!rules->use_dotlock)
                return 0;
        if (!path)
                return -ENOMEM;
        r = make_dotlock(path);
        if (r == -EEXIST) {
                /* Where it cannot be removed (another's, in a sticky directory) it stays a lock. */
                if (dotlock_is_stale(path, rules))
                        (void)unlink(path);
                return AGAIN;
        }
        lock->dotlock = r == 0;
        return r;
}

/*
 * Is the file behind the descriptor what we may write to, and is it still what PATH names? A mail
 * reader may have replaced or removed it while we waited for the locks.
 */
static int check_mailbox(MailboxLock *lock, uid_t owner) {
        struct stat by_fd, by_path;

        if (fstat(lock->fd, &by_fd) != 0)
                return -errno;
        if (!S_ISREG(by_fd.st_mode))
                return MAILBOX_E_NOT_REGULAR;
        if (lstat(lock->path, &by_path) != 0)
                return errno == ENOENT ? AGAIN : -errno;
        if (by_fd.st_dev != by_path.st_dev || by_fd.st_ino != by_path.st_ino)
                return AGAIN;
        if (by_fd.st_nlink != 1)
                return MAILBOX_E_HARD_LINK;
        if (by_fd.st_uid != owner)
                return MAILBOX_E_OWNER;
        lock->size = (uint64_t)by_fd.st_size;
        return 0;
}

int mailbox_unlock(MailboxLock *lock) {
        int fd = TAKE_FD(lock->fd);
        int r = 0;

        if (lock->dotlock)
                (void)unlink(buf_cstr(&lock->dotlock_path));
        lock->dotlock = false;
        if (fd >= 0 && close(fd) != 0)
                r = -errno;
        return r;
}

/* One attempt: all locks and all checks, or nothing. */
static int try_lock(MailboxLock *lock, const MailboxLockRules *rules, uid_t owner,
                    int *ret_dotlock_error) {
        int r;

        r = open_mailbox(lock);
        if (r != 0)
                return r;
        r = lock_kernel(lock, rules);
        if (r != 0)
                return r;
        r = lock_dotlock(lock, rules);
        if (r < 0) {
                *ret_dotlock_error = r;
                return MAILBOX_E_DOTLOCK;
        }
        return r != 0 ? r : check_mailbox(lock, owner);
}

static void pause_for(usec_t pause_usec) {
        struct timespec pause = {
                .tv_sec = (time_t)(pause_usec / USEC_PER_SEC),
                .tv_nsec = (long)(pause_usec % USEC_PER_SEC) * 1000,
        };

        (void)nanosleep(&pause, NULL);
}

int mailbox_lock(MailboxLock *lock, const MailboxLockRules *rules, const char *path, uid_t owner,
                 int *ret_dotlock_error) {
        usec_t end = usec_add(clock_monotonic_usec(), rules->wait_usec);
        usec_t pause_usec = PAUSE_FIRST_USEC;
        bool created = false;
        int r;

        for (;;) {
                lock->path = path;
                lock->created = false;
                r = try_lock(lock, rules, owner, ret_dotlock_error);
                /* Made in an attempt that failed later: the name is still not synced. */
                created = created || lock->created;
                if (r == 0) {
                        lock->created = created;
                        return 0;
                }
                (void)mailbox_unlock(lock);
                if (r != AGAIN)
                        return r;
                if (clock_monotonic_usec() >= end)
                        return MAILBOX_E_LOCKED;
                pause_for(pause_usec);
                pause_usec = pause_usec * 2 < PAUSE_LAST_USEC ? pause_usec * 2 : PAUSE_LAST_USEC;
        }
}
