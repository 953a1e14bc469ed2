#pragma once

/*
 * Reading a file of destinations that a user wrote: ~/.forward, :include:. Runs with the ids of
 * whoever may read it (identity.h). All checks are made on the open file, so that a file swapped
 * in between is the one that is checked and read; nothing is waited for (FIFOs), and what is too
 * big to be meant is not read.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "common/base/buf.h"

typedef struct ListFileRules {
        bool follow_symlink; /* at the last part of the path */
        bool is_root;        /* who reads may read everything: see list-file.c about links */
        bool check_owner;    /* it must be OWNER's, or root's */
        uid_t owner;
        gid_t group; /* with check_owner: who may be permitted to write by group, beside root */
} ListFileRules;

enum {
        LIST_FILE_E_MISSING = 1,      /* no such file, or a directory of the path is missing */
        LIST_FILE_E_NOT_READABLE = 2, /* permission denied */
        LIST_FILE_E_NOT_REGULAR = 3,  /* a FIFO, a directory, a device; a symbolic link */
        LIST_FILE_E_OWNER = 4,
        LIST_FILE_E_WRITABLE = 5, /* for everybody, or for a group of others */
        LIST_FILE_E_TOO_BIG = 6,  /* does not fit RET */
};

/*
 * Append the content of PATH (absolute) to RET; *RET_OWNER (may be NULL) is who owns the file. 0,
 * LIST_FILE_E_*, or negative errno: the file system did not answer, try again later.
 */
int list_file_read(const char *path, const ListFileRules *rules, Buf *ret, uid_t *ret_owner);

/* "is not a regular file" ... for LIST_FILE_E_*. */
const char *list_file_reason(int r);
