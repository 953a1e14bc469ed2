#pragma once

/* What tells one state of a file from another without reading it. */

#include <stdbool.h>
#include <sys/stat.h>

#include "common/base/clock.h"

/* A source is taken when it has not changed for this long: nobody sees the half of an edit. */
#define TABLE_QUIET_USEC USEC_PER_SEC

/* Owner and mode are part of it, since an index has those of its source. */
typedef struct TableStamp {
        ino_t inode;
        off_t size_bytes;
        struct timespec mtime;
        uid_t uid;
        gid_t gid;
        mode_t mode;
} TableStamp;

static inline TableStamp table_stamp(const struct stat *st) {
        return (TableStamp){
                .inode = st->st_ino,
                .size_bytes = st->st_size,
                .mtime = st->st_mtim,
                .uid = st->st_uid,
                .gid = st->st_gid,
                .mode = st->st_mode,
        };
}

static inline bool table_stamp_equal(const TableStamp *a, const TableStamp *b) {
        return a->inode == b->inode && a->size_bytes == b->size_bytes && a->uid == b->uid &&
               a->gid == b->gid && a->mode == b->mode && a->mtime.tv_sec == b->mtime.tv_sec &&
               a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* How long until the last change is QUIET_USEC ago. A time in the future says nothing: 0. */
static inline usec_t table_stamp_unquiet_usec(const TableStamp *stamp, usec_t quiet_usec) {
        usec_t now = clock_realtime_usec();
        usec_t then =
                (usec_t)stamp->mtime.tv_sec * USEC_PER_SEC + (usec_t)stamp->mtime.tv_nsec / 1000;

        return then > now ? 0 : usec_sub(usec_add(then, quiet_usec), now);
}

static inline bool table_stamp_is_quiet(const TableStamp *stamp) {
        return table_stamp_unquiet_usec(stamp, TABLE_QUIET_USEC) == 0;
}
