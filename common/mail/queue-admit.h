#pragma once

/*
 * Admission: the one place where a file found in the queue is looked at and, where it is no good,
 * taken out of the way as the state table of man/unitpost-queue.5 says. Used by everybody who
 * takes mail from a directory (pickup, qmgr), in daily work and after a crash alike, so that there
 * is no recovery that runs only when it is needed. Logging the verdict is the caller's.
 */

#include "common/base/macro.h"
#include "common/mail/queue-file.h"
#include "common/mail/queue.h"

typedef enum QueueVerdict {
        QUEUE_VERDICT_GOOD,       /* file and descriptor are in the admission */
        QUEUE_VERDICT_GONE,       /* not there (any more) */
        QUEUE_VERDICT_INCOMPLETE, /* was never acknowledged: removed (LOG_ID_INCOMPLETE) */
        QUEUE_VERDICT_CORRUPT,    /* damaged, odd or misnamed: set aside (LOG_ID_CORRUPT) */
        QUEUE_VERDICT_NEWER,      /* of a newer release: moved to hold/ (LOG_ID_NEWER) */
} QueueVerdict;

typedef struct QueueAdmission {
        QueueVerdict verdict;
        const char *reason; /* for the log when CORRUPT; static */
        QueueFile *file;    /* owned, as is fd; NULL and -1 unless GOOD */
        int fd;
} QueueAdmission;

#define QUEUE_ADMISSION_NULL ((QueueAdmission){ .reason = "", .fd = -1 })

/* Free and close what it holds; it is as QUEUE_ADMISSION_NULL then. */
void queue_admission_deinit(QueueAdmission *admission);

/* Flags for queue_admit(). */
enum {
        QUEUE_ADMIT_WRITE = 1 << 0,         /* the descriptor is O_RDWR, for marks */
        QUEUE_ADMIT_CHECK_CONTENT = 1 << 1, /* read all content: after a start */
        QUEUE_ADMIT_WAS_COMPLETE = 1 << 2,  /* it was just moved here from deferred/ or hold/ */
};

/*
 * Open and check DIR/NAME (for QUEUE_DEFERRED "BUCKET/NAME"); QUEUE_CORRUPT and QUEUE_HOLD should
 * be open in QUEUE, else what is no good is hidden in place. *RET must be as QUEUE_ADMISSION_NULL.
 * An incomplete file in deferred/ or hold/, or from there, must have been complete once: it counts
 * as CORRUPT.
 *
 * 0 and the verdict; then DIR/NAME wakes nobody unless GOOD. Negative errno: the file could not be
 * read or taken away now (-EIO, -EMFILE, -ENOMEM, -EROFS); it is where it was, try again later.
 */
int queue_admit(const Queue *queue, QueueDir dir, const char *name, unsigned flags,
                QueueAdmission *ret);
