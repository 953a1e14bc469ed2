#pragma once

/*
 * Looks into a mailbox for new messages and changes nothing in it. Whatever stands in the place of
 * a mailbox, this ends soon: nothing is waited for but a lock, and of that no more than a second.
 */

#include "services/notify/ids.h"
#include "services/notify/news.h"

#define MAILBOX_SCAN_MAX ((off_t)64 * 1024 * 1024) /* of an mbox, its last bytes are read */

enum {
        MAILBOX_E_UNUSABLE = 1, /* a symbolic link, FIFO, device ... in the place of a mailbox */
        MAILBOX_E_BUSY = 2,     /* locked for longer than we wait */
        MAILBOX_E_TOO_MANY = 3, /* more than IDS_MAX unread messages in a Maildir */
};

/*
 * Add all ids of the mailbox PATH to FOUND and what is new to NEWS; both are empty. KNOWN is
 * sorted. A PATH that ends in '/' is a Maildir, of which the messages in new/ count, any other an
 * mbox. One that is not there has no messages. 0, MAILBOX_E_*, negative errno.
 */
int mailbox_scan(const char *path, const Ids *known, Ids *found, News *news);
