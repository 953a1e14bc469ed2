#pragma once

/*
 * A notice about delivery (RFC 3464, in a multipart/report of RFC 6522), made from the message's
 * queue file: text for people, fields for machines, and what of the message is returned. A pure
 * builder: it reads the open file and hands text to a callback.
 *
 * The queue file is hostile: its recipients are walked once for each part rather than kept, so
 * memory does not grow with them, and no byte of an address or diagnosis can begin a line.
 */

#include <stdbool.h>

#include "common/base/clock.h"
#include "common/mail/dsn.h"
#include "common/mail/queue-file.h"

/* Takes text of the notice. Anything but 0 ends the building. */
typedef int (*NoticeOutput)(void *userdata, Str data);

/* Which recipients are reported. */
typedef enum NoticeKind {
        NOTICE_FAILURE, /* those that are RECIPIENT_FAILED, each with its own diagnosis */
        NOTICE_REFUSED, /* all, with OUTCOME */
        NOTICE_ONE,     /* ONE, with OUTCOME; those of the file are not looked at */
        NOTICE_DELAY,   /* those that are RECIPIENT_TODO, each with its own diagnosis */
} NoticeKind;

/* Who reads the notice. */
typedef enum NoticeReader {
        NOTICE_TO_SENDER,     /* of the message */
        NOTICE_TO_OWNER,      /* in the sender's place: who answers for an alias */
        NOTICE_TO_POSTMASTER, /* in the sender's place: the message was a notice itself */
        NOTICE_COPY,          /* the postmaster, besides the sender */
} NoticeReader;

typedef struct NoticeSpec {
        NoticeKind kind;
        NoticeReader reader;
        QueueFile *file;             /* of the message */
        int fd;                      /* of the same file; read with pread only */
        Str queue_id;                /* of that message */
        Str notice_id;               /* of the notice */
        Str recipient;               /* of the notice: its To: */
        Str hostname;                /* $myhostname */
        Str origin;                  /* $myorigin */
        Str mail_name;               /* $mail_name */
        Str boundary;                /* RFC 2046 5.1.1; must not occur in the message: random */
        usec_t now_usec;             /* wall clock */
        usec_t retry_until_usec;     /* wall clock: when the message will be given up; of DELAY */
        const Dsn *outcome;          /* of REFUSED and ONE */
        const Recipient *one;        /* of ONE */
        bool is_threaded;            /* refer to the message's own Message-ID: */
        uint64_t original_max_bytes; /* a larger message is returned without its body */
        uint64_t total_max_bytes;    /* 0: none. Recipients beyond half of it are only counted */
} NoticeSpec;

enum {
        NOTICE_E_SOURCE = 1, /* the queue file is damaged, or cannot be read */
        NOTICE_E_OUTPUT = 2, /* the callback said stop */
};

/*
 * How many recipients the notice would report: those of its kind whose NOTIFY (RFC 3461 4.1) asks
 * for it, or was not given; for the postmaster all of its kind. 0, NOTICE_E_SOURCE, negative errno.
 */
int notice_count(const NoticeSpec *spec, uint64_t *ret_n);

/* Does what the notice returns hold bytes above 127, or was that declared? Results as above. */
int notice_is_8bit(const NoticeSpec *spec, bool *ret);

/* Build it. 0, NOTICE_E_*, negative errno. */
int notice_build(const NoticeSpec *spec, NoticeOutput output, void *userdata);
