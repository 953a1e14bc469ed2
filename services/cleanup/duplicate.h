#pragma once

/*
 * Which recipients of a message were there already ($duplicate_filter_limit of them are remembered,
 * so that no message makes the process grow). Letters compare without case.
 */

#include <stdbool.h>

#include "common/base/key-set.h"
#include "common/mail/envelope.h"

typedef struct DuplicateFilter {
        KeySet seen;
} DuplicateFilter;

#define DUPLICATE_KEY_MAX_BYTES (3 * ENVELOPE_ADDRESS_MAX + 32)

/* Remember at most N_MAX recipients. Allocates nothing yet. */
void duplicate_filter_init(DuplicateFilter *filter, size_t n_max);
void duplicate_filter_deinit(DuplicateFilter *filter);

/*
 * Was the same recipient (address, original, ORCPT and NOTIFY) there before? Remembers it when
 * there is room. False when memory is out: a message twice is better than not at all.
 */
bool duplicate_filter_seen(DuplicateFilter *filter, const Recipient *recipient);
