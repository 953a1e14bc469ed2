#pragma once

/*
 * Queue IDs: 20 upper-case hexadecimal digits (existing log readers expect [0-9A-F]+):
 * 13 digits of microseconds since 1970 (until 2112) and 7 digits of random. So they sort by
 * arrival, need no directory scan or counter to be unique, and never come again.
 */

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/base/str.h"

#define QUEUE_ID_LEN 20

typedef struct QueueId {
        char text[QUEUE_ID_LEN + 1]; /* NUL-terminated */
} QueueId;

/* A new ID for a message that arrived at ARRIVAL_USEC (wall clock). */
QueueId queue_id_new(usec_t arrival_usec);

/* Take TEXT as an ID; false when it has not exactly the form above. */
bool queue_id_parse(Str text, QueueId *ret);

/* When the message arrived, read from the ID. */
usec_t queue_id_arrival_usec(const QueueId *id);
