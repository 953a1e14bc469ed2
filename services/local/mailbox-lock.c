#include "services/local/mailbox-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "common/base/macro.h"

/* Pauses between two looks at a lock: short at first, since deliveries take milliseconds. */
#define PAUSE_FIRST_USEC (1 * USEC_PER_MSEC)
#define PAUSE_LAST_USEC  (100 * USEC_PER_MSEC)

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
static int open_mailbox(MailboxLock *lock, const char *path) {
        const int flags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

        lock->fd = open(path, flags);
        if (lock->fd >= 0)
                return 0;
        if (errno == ENOENT) {
                lock->fd = open(path, flags | O_CREAT | O_EXCL, 0600);
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

/* The one byte that matters where nothing tells whether the last append was cut short. */
static bool lacks_line_end(const MailboxLock *lock, const char *path) {
        int fd _cleanup_(fd_closep) = -1;
        struct stat st;
        char last = '\n';

        if (lock->st.st_size == 0)
                return false;
        fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) != 0 || st.st_ino != lock->st.st_ino)
                return false;
        return pread(fd, &last, 1, st.st_size - 1) == 1 && last != '\n';
}

static int break_dotlock(MailboxLock *lock, const MailboxLockRules *rules, const char *path) {
        DotlockMailbox mailbox = {
                .path = path,
                .fd = lock->fd,
                .st = &lock->st,
                .kernel_locked = rules->use_fcntl || rules->use_flock,
                .stale_usec = rules->stale_usec,
        };
        int r;

        r = dotlock_break(buf_cstr(&lock->dotlock_path), &mailbox);
        lock->broken = lock->broken || r == 0;
        if (r < 0)
                lock->step = "error cutting back what was half written: ";
        if (r < 0 || (r == DOTLOCK_E_NO_LOCK && mailbox.kernel_locked))
                return r < 0 ? r : 0;
        return AGAIN;
}

/* The lock file, with the journal of what is about to be appended. */
static int lock_dotlock(MailboxLock *lock, const MailboxLockRules *rules,
                        const MailboxLockRequest *request) {
        DotlockJournal journal = {
                .size = (uint64_t)lock->st.st_size,
                .inode = (uint64_t)lock->st.st_ino,
                .from_line = request->from_line,
        };
        int r;

        buf_reset(&lock->journal);
        if (dotlock_append_text(&journal, &lock->journal) != 0)
                return -ENOMEM;
        r = dotlock_make(buf_cstr(&lock->dotlock_path), buf_str(&lock->journal));
        lock->dotlock = r == 0;
        if (r == DOTLOCK_E_TAKEN)
                return break_dotlock(lock, rules, request->path);
        if ((r == -EACCES || r == -EPERM || r == -EROFS) && request->dotlock_may_fail)
                return 0;
        if (r < 0)
                lock->step = "unable to create lock file: ";
        return r;
}

/* Is the file behind the descriptor what we may write to? */
static int check_file(MailboxLock *lock, const MailboxLockRequest *request) {
        if (fstat(lock->fd, &lock->st) != 0)
                return -errno;
        if (!S_ISREG(lock->st.st_mode))
                return MAILBOX_E_NOT_REGULAR;
        if (lock->st.st_nlink > 1)
                return MAILBOX_E_HARD_LINK;
        if (request->check_owner && lock->st.st_uid != request->owner)
                return MAILBOX_E_OWNER;
        return 0;
}

/*
 * Is it still what the path names, and as it was? A mail reader may have replaced or removed it
 * while we waited for the locks, and one that only knows the lock file may have written to it.
 */
static int check_path(const MailboxLock *lock, const char *path) {
        struct stat st;

        if (lstat(path, &st) != 0)
                return errno == ENOENT ? AGAIN : -errno;
        if (st.st_dev != lock->st.st_dev || st.st_ino != lock->st.st_ino ||
            st.st_size != lock->st.st_size)
                return AGAIN;
        return st.st_nlink != 1 ? MAILBOX_E_HARD_LINK : 0;
}

/* One attempt: all locks and all checks, or nothing. */
static int try_lock(MailboxLock *lock, const MailboxLockRules *rules,
                    const MailboxLockRequest *request) {
        int r;

        r = open_mailbox(lock, request->path);
        if (r == 0)
                r = lock_kernel(lock, rules);
        if (r == 0)
                r = check_file(lock, request);
        if (r == 0 && rules->use_dotlock)
                r = lock_dotlock(lock, rules, request);
        if (r == 0)
                r = check_path(lock, request->path);
        if (r == 0 && (!lock->dotlock || lock->broken))
                lock->line_end_lacks = lacks_line_end(lock, request->path);
        return r;
}

int mailbox_lock_commit(MailboxLock *lock) {
        if (lock->dotlock && unlink(buf_cstr(&lock->dotlock_path)) != 0 && errno != ENOENT)
                return -errno;
        lock->dotlock = false;
        return 0;
}

void mailbox_lock_abandon(MailboxLock *lock) {
        lock->dotlock = false;
}

static int release(MailboxLock *lock) {
        int fd = TAKE_FD(lock->fd);

        (void)mailbox_lock_commit(lock);
        lock->dotlock = false;
        return fd >= 0 && close(fd) != 0 ? -errno : 0;
}

int mailbox_unlock(MailboxLock *lock) {
        int r = release(lock);

        buf_deinit(&lock->dotlock_path);
        buf_deinit(&lock->journal);
        return r;
}

static void pause_for(usec_t pause_usec) {
        struct timespec pause = {
                .tv_sec = (time_t)(pause_usec / USEC_PER_SEC),
                .tv_nsec = (long)(pause_usec % USEC_PER_SEC) * 1000,
        };

        (void)nanosleep(&pause, NULL);
}

int mailbox_lock(MailboxLock *lock, const MailboxLockRules *rules,
                 const MailboxLockRequest *request) {
        usec_t end = usec_add(clock_monotonic_usec(), rules->wait_usec);
        usec_t pause_usec = PAUSE_FIRST_USEC;
        int r;

        if (buf_printf(&lock->dotlock_path, "%s.lock", request->path) != 0 ||
            !buf_cstr(&lock->dotlock_path))
                return -ENAMETOOLONG;
        lock->path = request->path;
        for (;;) {
                r = try_lock(lock, rules, request);
                if (r == 0)
                        return 0;
                (void)release(lock);
                if (r != AGAIN)
                        return r;
                if (clock_monotonic_usec() >= end)
                        return MAILBOX_E_LOCKED;
                pause_for(pause_usec);
                pause_usec = size_min(pause_usec * 2, PAUSE_LAST_USEC);
        }
}
