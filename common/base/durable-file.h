#pragma once

/*
 * A file that either is there, whole and on disk, or is not there.
 *
 * Order (DESIGN 6): the file is made without a name (O_TMPFILE), written, given its name by
 * linkat(2), then the file is synced and then its directory, and only then durable_file_commit()
 * returns 0. File and name reach the disk in one journal commit.
 *
 *   state after a crash            what is found
 *   before link                    nothing (the kernel frees the nameless file)
 *   between link and commit == 0   nothing, or the name with any part of the content: the format
 *                                  must show by itself whether it is complete (END record)
 *   after commit == 0              the name and all of the content
 *
 * An fsync that failed once means that the file is lost: commit unlinks it and returns the error;
 * a second fsync that "works" would prove nothing. Where O_TMPFILE is not to be had (NFS) the
 * nameless file is a hidden one, ".RANDOM.tmp" (16 hex digits), linked and unlinked then; a crash
 * leaves it behind, and whoever owns the directory may remove such names when they are old.
 */

#include <sys/types.h>

#include "common/base/macro.h"

typedef struct DurableFile DurableFile;

enum {
        DURABLE_FILE_E_EXISTS = 1, /* link: the name is taken; choose another and link again */
};

/*
 * A nameless file in DIR_FD, MODE as for open(2). DIR_FD is not owned, must outlive the object,
 * and must be one that fsync(2) takes (file_open_dir(), not O_PATH). 0 or negative errno.
 */
int durable_file_new(int dir_fd, mode_t mode, DurableFile **ret);

/* Close it. A file that was linked but never committed loses its name again. NULL is fine. */
DurableFile *durable_file_free(DurableFile *file);
DEFINE_CLEANUP(DurableFile, durable_file_free)

/* The descriptor to write to, read-write; owned by the object. */
int durable_file_fd(const DurableFile *file);

/* Give it its name, once. 0, DURABLE_FILE_E_EXISTS, or negative errno: it has no name then. */
int durable_file_link(DurableFile *file, const char *name);

/*
 * Give it a name that may exist, atomically in the place of the old one (by way of a hidden name
 * and rename). The new content is synced before the rename, so the name never shows half of it.
 * Follow with durable_file_commit(). 0, or negative errno: the old file is untouched then.
 * From here on the name stays, committed or not: taking it away would bring nothing back, and
 * after a crash it shows the old file or the new one, each whole.
 */
int durable_file_replace(DurableFile *file, const char *name);

/*
 * Sync file and directory. 0, or negative errno: a linked file is gone then, a replaced one is in
 * place but may not outlive a crash.
 */
int durable_file_commit(DurableFile *file);
