#pragma once

/*
 * Handing the message over: to postdrop, or where nobody listens and root calls, into maildrop/
 * itself, for pickup to find when unitpost starts (a chroot, the build of an image).
 */

#include "common/mail/envelope.h"
#include "common/role/config.h"
#include "tools/sendmail/input.h"
#include "tools/sendmail/recipients.h"

typedef struct Letter {
        Envelope envelope;
        uint32_t notify;                 /* of each recipient */
        const RecipientList *recipients; /* at least one in all of these */
        const RecipientList *more;       /* may be NULL */
        const Input *input;
} Letter;

/* An exit status of <sysexits.h>: EX_OK only when the message is on disk; else see MESSAGE. */
int submit(const Letter *letter, const Config *config, Buf *message);
