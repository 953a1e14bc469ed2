#pragma once

/*
 * Opening a mailbox for appending, with the locks that other programs respect (Debian policy
 * 11.6: fcntl(2) first, then USER.lock), and with the checks that make it safe to write to.
 *
 * All of this runs with the recipient's ids (identity.h). Nobody waits for ever: neither lock is
 * waited for inside the kernel, and a lock is never held while waiting for the other one, so that
 * programs that lock in the other order cannot deadlock with us.
 *
 * USER.lock holds "PID unitpost". Who holds the fcntl lock and finds such a file knows that its
 * maker died (it would have the fcntl lock), and removes it at once; foreign lock files are removed
 * when they are older than stale_lock_time.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"

typedef struct MailboxLockRules {
        bool use_fcntl;
        bool use_flock;
        bool use_dotlock;
        usec_t wait_usec;  /* all attempts together */
        usec_t stale_usec; /* age of a foreign USER.lock that is removed */
} MailboxLockRules;

typedef struct MailboxLock {
        int fd;        /* the mailbox, O_WRONLY|O_APPEND; -1: none */
        bool dotlock;  /* PATH.lock is ours */
        bool created;  /* the mailbox was made by us: its directory needs a sync */
        uint64_t size; /* bytes in the mailbox */
        const char *path;
        Buf dotlock_path;
} MailboxLock;

enum {
        MAILBOX_E_LOCKED = 1,      /* the wait is over, somebody still has it */
        MAILBOX_E_NOT_REGULAR = 2, /* directory, FIFO, device, socket */
        MAILBOX_E_SYMLINK = 3,
        MAILBOX_E_HARD_LINK = 4, /* another name leads to the same file */
        MAILBOX_E_OWNER = 5,     /* belongs to somebody else */
        MAILBOX_E_DOTLOCK = 6,   /* PATH.lock cannot be made; errno in *ret_errno of open */
};

/* The words of mailbox_delivery_lock: "fcntl", "flock", "dotlock". False for any other word. */
bool mailbox_lock_parse(Str words, MailboxLockRules *ret);

/*
 * Open PATH (borrowed until release), make it when it is not there, and lock it. OWNER is who it
 * must belong to. 0; MAILBOX_E_*; negative errno. With MAILBOX_E_DOTLOCK *RET_DOTLOCK_ERROR is the
 * negative errno. Nothing needs to be released unless 0 is returned.
 */
int mailbox_lock(MailboxLock *lock, const MailboxLockRules *rules, const char *path, uid_t owner,
                 int *ret_dotlock_error);

/* Unlock and close. 0, or the negative errno of close(2): the last write may be lost. */
int mailbox_unlock(MailboxLock *lock);
