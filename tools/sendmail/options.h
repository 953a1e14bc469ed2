#pragma once

/*
 * The command line of sendmail(1): Postfix's options in all their forms (-fADDR, -f ADDR, -oem).
 * Pure; says what is wanted and what cannot be.
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/mail/envelope.h"

typedef enum SendmailMode {
        SENDMAIL_SUBMIT,     /* -bm, the default */
        SENDMAIL_MAILQ,      /* -bp, or called mailq */
        SENDMAIL_NEWALIASES, /* -bi, -I, or called newaliases */
        SENDMAIL_FLUSH,      /* -q */
        SENDMAIL_FLUSH_ONE,  /* -qIQUEUEID */
        SENDMAIL_NOTHING,    /* -bh, -bH, -qTIME: fine, and nothing to do */
} SendmailMode;

/* Strings point into argv. */
typedef struct SendmailOptions {
        SendmailMode mode;
        const char *sender;      /* -f, -r; NULL: who calls */
        const char *full_name;   /* -F; NULL: $NAME or the user's own */
        const char *queue_id;    /* of -qI */
        const char *envid;       /* -V, as given */
        EnvelopeRet ret;         /* -R */
        uint32_t notify;         /* -N, RECIPIENT_NOTIFY_* */
        bool is_8bit;            /* -B 8BITMIME */
        bool is_gateway;         /* -G: not of local origin, nothing is added to the header */
        bool dot_is_text;        /* -i, -oi */
        bool from_header;        /* -t */
        unsigned verbose;        /* how many -v */
        char *const *recipients; /* NULL-terminated */
} SendmailOptions;

/*
 * Parse ARGV (which getopt(3) may reorder). 0, or an exit status of <sysexits.h> with one line in
 * MESSAGE. Lines about what is ignored are appended to WARNINGS, each with its LF.
 */
int sendmail_options_parse(int argc, char **argv, SendmailOptions *ret, Buf *message,
                           Buf *warnings);
