#pragma once

/*
 * One message into a Maildir (cr.yp.to/proto/maildir.html): written into a file without a name, or
 * in tmp/ where the file system has no such files, synced, and only then given its name in new/,
 * which is synced too. A kill at any point leaves a whole message in new/ or none; at worst a file
 * in tmp/, which mail readers remove after 36 hours.
 *
 * The name is SECONDS.VdeviceIinodeMmicroseconds.HOST, as Postfix makes it: device and inode in
 * hexadecimal, which no other file of the same time has. '/' and ':' of HOST are written as \057
 * and \072 (the specification).
 *
 * All of it runs with the recipient's ids (identity.h).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "services/local/copy.h"

enum {
        MAILDIR_E_OWNER = 1,         /* the Maildir, its tmp/ or new/ belongs to somebody else */
        MAILDIR_E_NOT_DIRECTORY = 2, /* one of them is a file, or a link that is not followed */
};

typedef struct MaildirRules {
        const char *hostname;
        uint64_t size_limit_bytes; /* of the message with its lines in front; 0: none */
        bool check_owner;          /* the directories must be OWNER's */
        uid_t owner;
        bool follow_link; /* may PATH itself be a symbolic link? tmp, new and cur never */
} MaildirRules;

/*
 * Deliver what COPY (after copy_begin()) holds to the Maildir PATH, absolute, with or without '/'
 * at the end. What is missing of PATH/tmp, new and cur is made, mode 0700, with the directories
 * above. 0: the message is on disk. MAILDIR_E_*, COPY_E_SOURCE, negative errno (-EFBIG: the limit):
 * nothing is in new/.
 */
int maildir_deliver(const MaildirRules *rules, const char *path, Copy *copy);
