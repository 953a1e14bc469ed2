#pragma once

/* The new messages of a Maildir: the files in new/, which mail readers move on to cur/. */

#include "services/notify/ids.h"
#include "services/notify/news.h"

/* mailbox_scan() for the Maildir PATH. A file's id is the CRC-32C of its name, which never changes
 * and is unique. */
int maildir_scan(const char *path, const Ids *known, Ids *found, News *news);
