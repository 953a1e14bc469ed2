#pragma once

/*
 * A bounded set of 32-bit names of messages: which are there, which have been told. Where more are
 * added than it holds, the oldest fall out.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IDS_MAX 8192

typedef struct Ids {
        uint32_t *values;
        size_t n;
        size_t next; /* where the next one goes when all places are taken */
} Ids;

#define IDS_NULL ((Ids){ 0 })

/* Free the memory; the set is as IDS_NULL afterwards. */
void ids_deinit(Ids *ids);

/* Add one. 0 or -ENOMEM. The set is not sorted then. */
int ids_add(Ids *ids, uint32_t id);

/* For ids_has(). */
void ids_sort(Ids *ids);

/* Is it in the sorted set? */
bool ids_has(const Ids *ids, uint32_t id);

/* A copy; RET is overwritten. 0 or -ENOMEM. */
int ids_copy(const Ids *ids, Ids *ret);
