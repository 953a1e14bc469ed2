#pragma once

/*
 * When a table looks again at a file that it is made from. With a watch (TableContext) a lookup
 * compares two numbers in memory, and looks when something changed, else once a second, for what no
 * watch sees: another machine's edit on NFS, a hard link, a symbolic link far above. Without one,
 * or while what was found is not settled, it looks every few milliseconds.
 */

#include "common/mail/table-type.h"

/* Zeroed: never looked. */
typedef struct TableFollow {
        bool is_watched;
        uint32_t seen; /* the watch's generation at the last look */
        usec_t next_usec;
} TableFollow;

/* Is it time to look? A file that is WATCHED_ONLY is looked at for no other reason than a change,
 * once it is watched: nobody but this machine writes it. */
bool table_follow_is_due(const TableFollow *follow, const TableContext *context, usec_t now,
                         bool watched_only);

/* Before a look at PATH: what changes from now on makes the next look due. */
void table_follow_begin(TableFollow *follow, const TableContext *context, Str path);

/* After it. Not settled: the next look is due after UNWATCHED_USEC, as if nobody watched. */
void table_follow_end(TableFollow *follow, usec_t unwatched_usec, bool is_settled);
