#pragma once

/*
 * Append one message to a locked mailbox, in mbox format and to the disk, or leave it as it was. A
 * message that fits one block with its header lines is a single write(2), which a kill does not
 * split.
 */

#include <stdint.h>

#include "common/base/buf.h"
#include "services/local/copy.h"
#include "services/local/mailbox-lock.h"

#define MAILBOX_BLOCK_BYTES COPY_BLOCK_BYTES

/*
 * Append what COPY (after copy_begin()) holds, sync it, and release the journal; LOCK stays to be
 * unlocked. The mailbox must not become larger than SIZE_LIMIT_BYTES (0: none). OUT is memory to
 * work in, BUF_INIT(MAILBOX_BLOCK_BYTES). 0; COPY_E_SOURCE; negative errno (-EFBIG: the limit): the
 * mailbox is as it was, or will be after the next delivery. LOCK->step says what failed.
 */
int mailbox_append(MailboxLock *lock, uint64_t size_limit_bytes, Copy *copy, Buf *out);
