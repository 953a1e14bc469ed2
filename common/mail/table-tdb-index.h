#pragma once

/*
 * An index file open for lookups: mapped, so that a lookup costs no system call and all processes
 * share the memory. Nothing in it is believed before its seal was checked. A file that is cut short
 * under the mapping, by whoever owns it, is noticed by the lookup itself; one that is written into,
 * at the next look. tdb opens a file only once per process, so tables of one source share a
 * TdbIndex.
 */

#include "common/mail/table-about.h"
#include "common/mail/table.h"

typedef struct TdbIndex TdbIndex;

/* The index at PATH, opened at the first look; one more user of it. NULL: out of memory. */
TdbIndex *tdb_index_get(const char *path);
void tdb_index_release(TdbIndex *index);

/* Look at the file, and open it as the index of SOURCE when it is another one than before. */
void tdb_index_look(TdbIndex *index, Str source);

/* Its path, valid as long as INDEX. */
Str tdb_index_path(const TdbIndex *index);

/* Is it open? Otherwise tdb_index_error() says why not. */
bool tdb_index_is_open(const TdbIndex *index);
const char *tdb_index_error(const TdbIndex *index);

/* At the last look, was there no file at all? */
bool tdb_index_is_absent(const TdbIndex *index);

/* Close it because of REASON (copied); the next look opens it again. */
void tdb_index_fail(TdbIndex *index, const char *reason);

/* Of an open one: the record about it (its source is not set), and who owns its source. */
const TableAbout *tdb_index_about(const TdbIndex *index);
uid_t tdb_index_owner(const TdbIndex *index);

/* Look KEY up in an open one; the value is appended to RET. TABLE_ERROR: it is damaged. */
TableResult tdb_index_fetch(TdbIndex *index, Str key, Buf *ret);

/* Call ENTRY for each entry of an open one, in no order. False: it is damaged. */
bool tdb_index_each(TdbIndex *index, TableEntry entry, void *userdata);
