#pragma once

/*
 * A set of texts that were there already, with a limit on their number and size: for leaving out
 * what comes twice. Letters compare without case (ASCII), unless WITH_CASE is set. Searching looks
 * at 8 bytes for each member that differs, so it is meant for some thousand members.
 */

#include <stdbool.h>

#include "common/base/buf.h"

typedef struct KeySet {
        Buf keys;    /* one behind the other */
        Buf entries; /* of KeySetEntry, see key-set.c */
        size_t n_max;
        bool with_case; /* set behind key_set_init(): for what is no name of a person, as paths */
} KeySet;

/* At most N_MAX members of KEY_MAX_BYTES each. Allocates nothing yet. */
void key_set_init(KeySet *set, size_t n_max, size_t key_max_bytes);
void key_set_deinit(KeySet *set);

/* Is KEY a member? */
bool key_set_has(const KeySet *set, Str key);

/*
 * Was KEY there before? Remembers it while there is room. False when memory is out: something
 * done twice is better than not at all.
 */
bool key_set_seen(KeySet *set, Str key);
