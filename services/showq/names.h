#pragma once

/*
 * The names of one queue directory in order of arrival. Reads at most NAMES_MAX at a time, so that
 * memory is bounded whatever is in the queue; a directory with more is shown batch by batch, each
 * sorted in itself.
 */

#include "common/mail/queue.h"

#define NAMES_MAX 65536

typedef struct Names Names;

enum {
        NAMES_E_END = 1
};

/* The directory, for deferred the bucket. 0, NAMES_E_END when it is not there, negative errno. */
int names_new(const Queue *queue, QueueDir dir, uint64_t bucket, Names **ret);
Names *names_free(Names *names);
DEFINE_CLEANUP(Names, names_free)

/* The next queue ID; names that are none are passed over. 0, NAMES_E_END, negative errno. */
int names_next(Names *names, QueueId *ret);
