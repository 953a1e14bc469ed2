/*
 * deferred/: one directory per 64 seconds of retry time, named by its end, so that a queue run
 * opens only what is due. At the largest back-off (4000 s) there are about 64 of them.
 */

#include "common/mail/queue.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/str.h"
#include "common/mail/queue-private.h"

#define BUCKET_SECONDS     64
#define BUCKET_NAME_BYTES  24 /* a 64-bit decimal and its NUL */
#define BUCKET_MAX_SECONDS (USEC_INFINITY / USEC_PER_SEC + BUCKET_SECONDS) /* rounded up */

int queue_deferred_path(uint64_t bucket, const char *name, char ret[QUEUE_PATH_MAX]) {
        int n = snprintf(ret, QUEUE_PATH_MAX, "%" PRIu64 "/%s", bucket, name);

        return n < 0 || n >= QUEUE_PATH_MAX ? -ENAMETOOLONG : 0;
}

uint64_t queue_bucket_for(usec_t due_usec) {
        uint64_t seconds = due_usec / USEC_PER_SEC + (due_usec % USEC_PER_SEC > 0);

        seconds = (seconds + BUCKET_SECONDS - 1) / BUCKET_SECONDS * BUCKET_SECONDS;
        return seconds > 0 ? seconds : BUCKET_SECONDS;
}

/* The reverse of the name that we give: no leading zero, a multiple of 64. */
static bool bucket_parse(const char *name, uint64_t *ret) {
        Str text = str_from_cstr(name);

        return text.len > 0 && text.data[0] != '0' &&
               str_parse_u64(text, BUCKET_MAX_SECONDS, ret) == 0 && *ret % BUCKET_SECONDS == 0;
}

static void bucket_name(uint64_t bucket, char ret[BUCKET_NAME_BYTES]) {
        (void)snprintf(ret, BUCKET_NAME_BYTES, "%" PRIu64, bucket);
}

int queue_defer(const Queue *queue, const QueueId *id, uint64_t bucket) {
        int active_fd = queue->dir_fds[QUEUE_ACTIVE], deferred_fd = queue->dir_fds[QUEUE_DEFERRED];
        char path[QUEUE_PATH_MAX], name[BUCKET_NAME_BYTES];
        int r;

        assert(bucket > 0 && bucket % BUCKET_SECONDS == 0);
        r = queue_deferred_path(bucket, id->text, path);
        if (r != 0)
                return r;
        r = queue_rename(active_fd, id->text, deferred_fd, path);
        if (r != QUEUE_E_GONE)
                return r;
        /* Either the message is gone, or its bucket is missing; the second try tells. */
        bucket_name(bucket, name);
        if (mkdirat(deferred_fd, name, 0750) < 0 && errno != EEXIST)
                return -errno;
        return queue_rename(active_fd, id->text, deferred_fd, path);
}

int queue_undefer(const Queue *queue, const QueueId *id, uint64_t bucket) {
        char path[QUEUE_PATH_MAX];
        int r;

        r = queue_deferred_path(bucket, id->text, path);
        if (r != 0)
                return r;
        return queue_rename(queue->dir_fds[QUEUE_DEFERRED], path, queue->dir_fds[QUEUE_ACTIVE],
                            id->text);
}

static int compare_buckets(const void *a, const void *b) {
        uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

        return x < y ? -1 : x > y;
}

/* Append to an array that doubles. */
static int append_bucket(uint64_t **buckets, size_t *n, uint64_t bucket) {
        uint64_t *larger;

        if ((*n & (*n - 1)) == 0) {
                larger = reallocarray(*buckets, *n > 0 ? *n * 2 : 1, sizeof(**buckets));
                if (!larger)
                        return -ENOMEM;
                *buckets = larger;
        }
        (*buckets)[(*n)++] = bucket;
        return 0;
}

int queue_list_buckets(const Queue *queue, uint64_t **ret_buckets, size_t *ret_n) {
        _cleanup_(queue_walk_freep) QueueWalk *walk = NULL;
        _cleanup_(freep) uint64_t *buckets = NULL;
        const char *name;
        uint64_t bucket;
        size_t n = 0;
        int r;

        r = queue_walk_new(queue, QUEUE_DEFERRED, 0, &walk);
        if (r != 0)
                return r;
        while ((r = queue_walk_next(walk, &name)) == 0) {
                if (!bucket_parse(name, &bucket))
                        continue;
                r = append_bucket(&buckets, &n, bucket);
                if (r != 0)
                        return r;
        }
        if (r != QUEUE_E_END)
                return r;
        if (n > 0)
                qsort(buckets, n, sizeof(*buckets), compare_buckets);
        *ret_buckets = TAKE_PTR(buckets);
        *ret_n = n;
        return 0;
}

/* Rename BUCKET to the latest free name at or before *DUE, which ends up before that name. */
static int make_bucket_due(const Queue *queue, uint64_t bucket, uint64_t *due) {
        int deferred_fd = queue->dir_fds[QUEUE_DEFERRED];
        char from[BUCKET_NAME_BYTES], to[BUCKET_NAME_BYTES];
        int r = QUEUE_E_EXISTS;

        bucket_name(bucket, from);
        while (r == QUEUE_E_EXISTS && *due > 0) {
                bucket_name(*due, to);
                r = queue_rename(deferred_fd, from, deferred_fd, to);
                *due -= BUCKET_SECONDS;
        }
        return r < 0 ? r : 0;
}

int queue_make_due(const Queue *queue, usec_t now_usec) {
        uint64_t due = now_usec / USEC_PER_SEC / BUCKET_SECONDS * BUCKET_SECONDS;
        uint64_t now = now_usec / USEC_PER_SEC;
        _cleanup_(freep) uint64_t *buckets = NULL;
        size_t n = 0;
        int r;

        r = queue_list_buckets(queue, &buckets, &n);
        for (size_t i = 0; i < n && r == 0; i++)
                if (buckets[i] > now)
                        r = make_bucket_due(queue, buckets[i], &due);
        return r;
}

int queue_remove_bucket(const Queue *queue, uint64_t bucket) {
        char name[BUCKET_NAME_BYTES];

        bucket_name(bucket, name);
        if (unlinkat(queue->dir_fds[QUEUE_DEFERRED], name, AT_REMOVEDIR) == 0)
                return 0;
        return errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT ? 0 : -errno;
}

bool queue_bucket_is_due(uint64_t bucket, usec_t now_usec, usec_t max_backoff_usec) {
        uint64_t now = now_usec / USEC_PER_SEC;
        uint64_t limit = usec_add(now_usec, max_backoff_usec) / USEC_PER_SEC;

        /* Names are rounded up, and a small step of the clock is no reason to hurry. */
        return bucket <= now || bucket > limit + 2 * BUCKET_SECONDS;
}
