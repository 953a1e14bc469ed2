#pragma once

/* What tells one state of a file from another without reading it. */

#include <stdbool.h>
#include <sys/stat.h>

#include "common/base/clock.h"

typedef struct TableStamp {
        dev_t device;
        ino_t inode;
        off_t size_bytes;
        struct timespec mtime;
} TableStamp;

static inline TableStamp table_stamp(const struct stat *st) {
        return (TableStamp){
                .device = st->st_dev,
                .inode = st->st_ino,
                .size_bytes = st->st_size,
                .mtime = st->st_mtim,
        };
}

static inline bool table_stamp_equal(const TableStamp *a, const TableStamp *b) {
        return a->device == b->device && a->inode == b->inode && a->size_bytes == b->size_bytes &&
               a->mtime.tv_sec == b->mtime.tv_sec && a->mtime.tv_nsec == b->mtime.tv_nsec;
}

/* Was the last change at least QUIET_USEC ago? A time in the future says nothing: yes. */
static inline bool table_stamp_is_quiet(const TableStamp *stamp, usec_t quiet_usec) {
        usec_t now = clock_realtime_usec();
        usec_t then =
                (usec_t)stamp->mtime.tv_sec * USEC_PER_SEC + (usec_t)stamp->mtime.tv_nsec / 1000;

        return then > now || now - then >= quiet_usec;
}
