#pragma once

/*
 * MAILBOX.lock: the lock that every mail program respects, and the journal of an append. It is
 * made, whole from its first moment, before the first byte is written to the mailbox, and tells
 * whoever finds it after its maker was killed how the mailbox was:
 *
 *   PID SIZE INODE BOOT unitpost     numbers in decimal; SIZE in bytes; BOOT is the boot ID
 *   From SENDER  DATE                the first line that is appended
 *
 *   state after a kill               what the next deliverer finds, and does
 *   before the lock file             the mailbox as it was
 *   lock file, nothing written       SIZE is the size: removes the lock file
 *   lock file, part or all written   cuts the mailbox back to SIZE, removes the lock file; the
 *                                    message was not acknowledged and comes again
 *   lock file removed                the whole message
 *
 * The maker holds a kernel lock (fcntl, flock) on the mailbox while it lives, so who holds that
 * lock knows that it is dead. What stands behind SIZE is cut only if it is what the journal says
 * was being written: the same inode, the same first line, and no second From_ line, as when a
 * program that does not look at lock files has appended since. A lock file of another user than we
 * are now is no journal: where everybody may make files, anybody could make one.
 *
 * It is about killed processes. After a power cut the lock file may be missing, and half a message
 * be there: for that each delivery would have to wait for the disk twice. A lock file may also be
 * there again, of a message that was acknowledged, since nobody waited for its removal: one of
 * another boot is removed, and nothing is cut off.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"

/* Bytes of a lock file: a line of three numbers, and the From_ line (COPY_HEADER_MAX). */
#define DOTLOCK_TEXT_MAX (16 * 1024 + 128)

typedef struct DotlockJournal {
        uint64_t size;
        uint64_t inode;
        bool of_this_boot; /* found only: what is made always is */
        Str from_line;     /* with its line end */
} DotlockJournal;

enum {
        DOTLOCK_E_TAKEN = 1,   /* somebody has the lock */
        DOTLOCK_E_NO_LOCK = 2, /* what is there is no lock file: the mailbox of a user "x.lock" */
};

/* The mailbox that a lock file in the way belongs to, open and locked as far as it goes. */
typedef struct DotlockMailbox {
        const char *path;
        int fd;
        const struct stat *st; /* of FD, just now */
        bool kernel_locked; /* fcntl or flock: no deliverer of ours can be at work in this file */
        usec_t stale_usec;  /* age at which any lock file is removed */
} DotlockMailbox;

/* Append the content of a lock file to OUT. 0, BUF_E_FULL, -ENOMEM. */
int dotlock_append_text(const DotlockJournal *journal, Buf *out);

/* Read the content of a lock file; false when it is not exactly what is made here. */
bool dotlock_parse(Str text, DotlockJournal *ret);

/* Make the lock file PATH with TEXT in it. 0, DOTLOCK_E_TAKEN, negative errno. */
int dotlock_make(const char *path, Str text);

/*
 * Remove the lock file PATH if it is one that a killed deliverer left, after cutting the mailbox
 * back, or one that is stale. 0: look again; DOTLOCK_E_*: it stays. Negative errno: the mailbox
 * could not be cut back; the lock file stays, so that the next one may try.
 */
int dotlock_break(const char *path, const DotlockMailbox *mailbox);
