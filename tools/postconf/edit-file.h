#pragma once

/*
 * A main.cf, edited in place: the new one is on disk, whole, before it takes the place of the old
 * one; owner and mode stay. Two that edit at once wait for each other by a lock on the directory.
 */

#include "tools/postconf/edit.h"

/*
 * Apply N EDITS to the file PATH; a symbolic link stays one, and what it leads to is edited. The
 * file, and its directory, are made where they are missing. A file that would stay as it is is not
 * touched. 0, or -1 and a text in ERROR that names the file.
 */
int edit_file(const char *path, Edit *edits, size_t n, Buf *error);
