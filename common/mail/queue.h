#pragma once

/*
 * The queue directories and the moves between them (DESIGN 6; state table in
 * man/unitpost-queue.5). A message is a file named by its queue ID; where the name is says what
 * is to be done with it:
 *
 *   maildrop/ID          submitted by sendmail, to be taken by pickup
 *   incoming/ID          accepted, not yet seen by qmgr
 *   active/ID            qmgr is delivering
 *   deferred/DUE/ID      to be tried again at DUE, seconds since 1970 in decimal
 *   hold/ID              an admin (or a newer release's format) says wait
 *   corrupt/ID           damaged; never read again, never removed by us
 *
 * Every move is renameat2(RENAME_NOREPLACE): a message never overwrites another. Nothing here
 * blocks but on the local disk; only durable-file syncs.
 */

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/mail/queue-id.h"

typedef struct Queue Queue;

typedef enum QueueDir {
        QUEUE_MAILDROP,
        QUEUE_INCOMING,
        QUEUE_ACTIVE,
        QUEUE_DEFERRED,
        QUEUE_HOLD,
        QUEUE_CORRUPT,
        QUEUE_N_DIRS,
} QueueDir;

enum {
        QUEUE_E_GONE = 1,   /* the file is not there (any more) */
        QUEUE_E_EXISTS = 2, /* the target name is taken */
        QUEUE_E_LOCKED = 3, /* another process is the queue's owner */
        QUEUE_E_END = 4,    /* end of a walk */
        QUEUE_E_ODD = 5,    /* not a regular file, or not ours to open */
};

/* Room for any path in a queue directory: "BUCKET/NAME", or NAME with a suffix. */
#define QUEUE_PATH_MAX (NAME_MAX + 48)

/* "maildrop" ... as in paths and in mailq's output. */
const char *queue_dir_name(QueueDir dir);

/*
 * Open the queue at PATH (absolute). DIRS is a bit set (1 << QUEUE_...) of what this role uses.
 * Who quarantines or admits wants QUEUE_CORRUPT and QUEUE_HOLD in it.
 */
int queue_open(const char *path, unsigned dirs, Queue **ret);
Queue *queue_free(Queue *queue);
DEFINE_CLEANUP(Queue, queue_free)

/* Descriptor of a directory, owned by QUEUE. */
int queue_dir_fd(const Queue *queue, QueueDir dir);

/*
 * Become the owner (qmgr; postsuper without qmgr) until QUEUE is freed: flock(2) on active/.lock.
 * 0, QUEUE_E_LOCKED, negative errno.
 */
int queue_lock(Queue *queue);

/* Free bytes and inodes for unprivileged writers (UINT64_MAX where inodes have no limit). */
int queue_free_space(const Queue *queue, uint64_t *ret_bytes, uint64_t *ret_inodes);

/*
 * NAME below is a name as queue_walk_next() gives it; for QUEUE_DEFERRED it is "BUCKET/NAME",
 * which queue_deferred_path() puts together.
 *
 * Open a message: regular file, no symbolic link followed, FIFOs never waited for. FLAGS is
 * O_RDONLY or O_RDWR. Returns 0 and the descriptor, QUEUE_E_GONE, QUEUE_E_ODD (quarantine it), or
 * negative errno.
 */
int queue_open_message(const Queue *queue, QueueDir dir, const char *name, int flags, int *ret_fd);

/* Move between the flat directories (not deferred). 0, QUEUE_E_GONE, QUEUE_E_EXISTS, -errno. */
int queue_move(const Queue *queue, const char *name, QueueDir from, QueueDir to);

/* 0, QUEUE_E_GONE, -errno. */
int queue_remove(const Queue *queue, const char *name, QueueDir from);

/*
 * Remove from DIR what a crash of a writer leaves on a file system without O_TMPFILE: hidden names
 * of durable-file.h that were last written more than a day before NOW_USEC. *RET_N (may be NULL)
 * is how many. 0 or negative errno.
 */
int queue_remove_stale(const Queue *queue, QueueDir dir, usec_t now_usec, size_t *ret_n);

/*
 * Take what cannot be processed out of FROM: to corrupt/NAME, or corrupt/NAME.RANDOM when that is
 * taken, or, where even that is not permitted, hidden in place as .NAME. 0: it does not wake
 * anybody any more. QUEUE_E_GONE; negative errno (-EIO, -ENOSPC): it is where it was.
 */
int queue_quarantine(const Queue *queue, const char *name, QueueDir from);

/* The same with any flat directory as the target. */
int queue_set_aside(const Queue *queue, const char *name, QueueDir from, QueueDir to);

/* ---- deferred ---- */

/* The bucket for a retry at DUE_USEC: rounded up to a multiple of 64 s, at least 64. */
uint64_t queue_bucket_for(usec_t due_usec);

/* "BUCKET/NAME". 0 or -ENAMETOOLONG. */
int queue_deferred_path(uint64_t bucket, const char *name, char ret[QUEUE_PATH_MAX]);

/* active/ID -> deferred/BUCKET/ID; the bucket is made when missing. Results as queue_move(). */
int queue_defer(const Queue *queue, const QueueId *id, uint64_t bucket);

/* deferred/BUCKET/ID -> active/ID. */
int queue_undefer(const Queue *queue, const QueueId *id, uint64_t bucket);

/* All buckets in ascending order; caller frees. Foreign names are left alone and ignored. */
int queue_list_buckets(const Queue *queue, uint64_t **ret_buckets, size_t *ret_n);

/*
 * Make all that is deferred now due at NOW_USEC (a flush): buckets of the future get names of the
 * past, one rename each however much mail is in them. What is deferred from then on goes to new
 * buckets, so that nothing is tried twice by one flush. 0 or negative errno.
 */
int queue_make_due(const Queue *queue, usec_t now_usec);

/* Remove it if empty; a bucket with mail in it stays (0). */
int queue_remove_bucket(const Queue *queue, uint64_t bucket);

/*
 * Is BUCKET due at NOW_USEC? Also true when it lies further ahead than MAX_BACKOFF_USEC allows:
 * then the clock was set back since, and waiting would lose the mail for years.
 */
bool queue_bucket_is_due(uint64_t bucket, usec_t now_usec, usec_t max_backoff_usec);

/* ---- walking a directory ---- */

typedef struct QueueWalk QueueWalk;

/*
 * Names in DIR (for deferred: in one bucket, else bucket 0), unsorted, without hidden ones. 0,
 * QUEUE_E_GONE (no such bucket), negative errno.
 */
int queue_walk_new(const Queue *queue, QueueDir dir, uint64_t bucket, QueueWalk **ret);
QueueWalk *queue_walk_free(QueueWalk *walk);
DEFINE_CLEANUP(QueueWalk, queue_walk_free)

/* The next name, valid until the next call; 0, QUEUE_E_END, negative errno. */
int queue_walk_next(QueueWalk *walk, const char **ret_name);
