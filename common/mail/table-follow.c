/* The times of looks, and the numbers that make them few. No look of its own. */

#include "common/mail/table-follow.h"

static uint32_t generation(const TableContext *context) {
        return context->watch ? atomic_load(context->watch->generation) : 0;
}

bool table_follow_is_due(const TableFollow *follow, const TableContext *context, usec_t now,
                         bool watched_only) {
        if (follow->is_watched && generation(context) != follow->seen)
                return true;
        return now >= follow->next_usec && !(watched_only && follow->is_watched);
}

/*
 * The number first, then the watch, then the caller's look: nothing falls between them. A change
 * may have been one of directories or links on the way, so the watch is set anew then.
 */
void table_follow_begin(TableFollow *follow, const TableContext *context, Str path) {
        uint32_t now = generation(context);

        if (context->watch && (!follow->is_watched || now != follow->seen))
                follow->is_watched = context->watch->add(context->watch->context, path);
        follow->seen = now;
}

void table_follow_end(TableFollow *follow, usec_t unwatched_usec, bool is_settled) {
        usec_t period_usec = follow->is_watched && is_settled ? USEC_PER_SEC : unwatched_usec;

        follow->next_usec = usec_add(clock_monotonic_usec(), period_usec);
}
