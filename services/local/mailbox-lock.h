#pragma once

/*
 * Opening a mailbox for appending, with the locks that other programs respect (Debian policy
 * 11.6: fcntl(2) first, then MAILBOX.lock), and with the checks that make it safe to write to.
 *
 * All of this runs with the recipient's ids (identity.h). Nobody waits for ever: neither lock is
 * waited for inside the kernel, and a lock is never held while waiting for the other one, so that
 * programs that lock in the other order cannot deadlock with us.
 *
 * MAILBOX.lock is also the journal from which the next deliverer takes back what a killed one has
 * half written (dotlock.h). Where mailbox_delivery_lock does not name dotlock, or the lock file may
 * be missing and is, there is none: a killed deliverer then leaves what it has written.
 */

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"
#include "services/local/dotlock.h"

typedef struct MailboxLockRules {
        bool use_fcntl;
        bool use_flock;
        bool use_dotlock;
        usec_t wait_usec;  /* all attempts together */
        usec_t stale_usec; /* age of a foreign MAILBOX.lock that is removed */
} MailboxLockRules;

/* Which mailbox, and what is asked of it. */
typedef struct MailboxLockRequest {
        const char *path; /* borrowed until the lock is released */
        Str from_line;    /* the first line that will be appended; for the journal */
        uid_t owner;      /* must own it, if check_owner */
        bool check_owner;
        bool dotlock_may_fail; /* go without, where the directory may not be written */
} MailboxLockRequest;

typedef struct MailboxLock {
        int fd;              /* the mailbox, O_WRONLY|O_APPEND; -1: none */
        bool dotlock;        /* MAILBOX.lock is ours */
        bool created;        /* the mailbox was made by us: its directory needs a sync */
        bool broken;         /* a lock file was in the way, and was removed */
        bool line_end_lacks; /* its last byte is no line end; asked without journal, or if BROKEN */
        const char *path;    /* the request's */
        const char *step;    /* what failed, for texts: "unable to create lock file: ", or "" */
        struct stat st;      /* of the mailbox, before anything is appended */
        Buf dotlock_path;
        Buf journal;
} MailboxLock;

#define MAILBOX_LOCK_INIT                                   \
        ((MailboxLock){ .fd = -1,                           \
                        .step = "",                         \
                        .dotlock_path = BUF_INIT(PATH_MAX), \
                        .journal = BUF_INIT(DOTLOCK_TEXT_MAX) })

enum {
        MAILBOX_E_LOCKED = 1,      /* the wait is over, somebody still has it */
        MAILBOX_E_NOT_REGULAR = 2, /* directory, FIFO, device, socket */
        MAILBOX_E_SYMLINK = 3,
        MAILBOX_E_HARD_LINK = 4, /* another name leads to the same file */
        MAILBOX_E_OWNER = 5,     /* belongs to somebody else */
};

/* The words of mailbox_delivery_lock: "fcntl", "flock", "dotlock". False for any other word. */
bool mailbox_lock_parse(Str words, MailboxLockRules *ret);

/*
 * Open the mailbox, make it when it is not there, and lock it. 0; MAILBOX_E_*; negative errno, with
 * LOCK->step. LOCK starts as MAILBOX_LOCK_INIT. What is locked is released by mailbox_unlock().
 */
int mailbox_lock(MailboxLock *lock, const MailboxLockRules *rules,
                 const MailboxLockRequest *request);

/*
 * The append is on disk: remove the lock file, from when on nobody takes the message back. 0, or
 * negative errno: it is still there, so the message must be cut off and not be acknowledged.
 */
int mailbox_lock_commit(MailboxLock *lock);

/* The mailbox could not be cut back: leave the journal to the next deliverer. */
void mailbox_lock_abandon(MailboxLock *lock);

/*
 * Unlock, close, free; also what was never locked. 0, or the negative errno of close(2): the last
 * write may be lost.
 */
int mailbox_unlock(MailboxLock *lock);
