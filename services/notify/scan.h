#pragma once

/*
 * Finds the new messages of a mailbox in mbox format: bytes in, in any pieces, a list of new
 * messages out. Pure, and of bounded memory whatever the bytes.
 *
 * A message begins with a line "From ..." at the start of the mailbox or behind an empty line. It
 * is new when its id is not among the known ones, no mail reader has set its status, and no known
 * message stands behind it: mailboxes grow at their end. So reading, deleting and refiling make
 * nothing new, and of a mailbox of more than IDS_MAX messages the newest ids are enough.
 *
 * A message whose header has not ended when the bytes end is being written: it does not count, and
 * is found by the next scan.
 */

#include "services/notify/ids.h"
#include "services/notify/news.h"

typedef struct Scan {
        const Ids *known; /* sorted, borrowed */
        Ids *found;       /* ids of all messages, borrowed */
        News *news;       /* borrowed */
        Head head;
        Buf line; /* the line being read, its first HEAD_LINE_MAX bytes */
        bool is_in_header;
        bool is_after_empty_line;
} Scan;

/* Begin. IS_START: the bytes begin where the mailbox does, or else anywhere in it. */
void scan_init(Scan *scan, const Ids *known, Ids *found, News *news, bool is_start);
void scan_deinit(Scan *scan);

/* The next bytes. 0 or negative errno. */
int scan_add(Scan *scan, Str data);

/*
 * Read the header at the start of CONTENT, a message or its first part, into HEAD (just
 * initialised): one file of a Maildir.
 */
void scan_read_head(Str content, Head *head);
