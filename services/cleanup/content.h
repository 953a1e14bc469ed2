#pragma once

/*
 * The content of a message on its way into the queue: a pure engine, bytes in (in any pieces),
 * bytes out by callback. It does to them what Postfix's cleanup does to mail submitted on this
 * machine:
 *
 *   - a Received: field in front; the fields that are missing at the end of the header block, in
 *     the order Message-Id, Date, From, recipients (Resent- ones when the message was resent);
 *   - no Bcc:, Content-Length:, Resent-Bcc:, Return-Path: (message_drop_headers);
 *   - "Subject :" becomes "Subject:"; a header field longer than header_size_limit is cut;
 *   - a header block that is ended by something else than an empty line gets one;
 *   - "From " lines of a mailbox file in front of the header block are left out;
 *   - each CR becomes a space (there is no line end left that it could be part of);
 *   - the last line gets its LF;
 *   - addresses of the header are made canonical where options say so (header-rewrite.h).
 *
 * All else, NUL included, goes through as it is, lines of any length too. Memory: one header field
 * (header_size_limit and line_length_limit together), whatever comes.
 *
 * It decides about no recipient.
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/mail/rewrite.h"

typedef struct Content Content;

enum {
        CONTENT_E_TOO_BIG = 1, /* beyond message_size_limit */
        CONTENT_E_HOPS = 2,    /* hopcount_limit Received: fields: a loop */
};

#define CONTENT_MESSAGE_ID_MAX 1000 /* bytes of a Message-ID that are kept for the log */

/* What there is to know. Slices and strings must outlive the engine. */
typedef struct ContentOptions {
        Str queue_id;
        Str sender;    /* qualified; empty for the null sender */
        Str full_name; /* of the sender, or empty */
        usec_t now_usec;
        uint32_t uid;                /* ENVELOPE_NO_UID: not from a local user */
        bool add_received;           /* put our Received: field in front */
        bool add_missing;            /* add the fields that are missing */
        bool keep_cr;                /* cleanup_replace_stray_cr_lf = no */
        bool obsolete_from;          /* header_from_format = obsolete */
        const RewriteRules *rewrite; /* of header addresses; NULL: they stay */
        size_t tokens_max;           /* $header_address_token_limit */
        const char *hostname;        /* $myhostname */
        const char *origin;          /* $myorigin */
        const char *mail_name;       /* $mail_name */
        const char *drop_headers;    /* $message_drop_headers */
        const char *undisclosed;     /* $undisclosed_recipients_header */
        size_t header_max_bytes;     /* $header_size_limit */
        size_t line_max_bytes;       /* $line_length_limit, at least 512 */
        uint64_t message_max_bytes;  /* $message_size_limit; 0: none */
        uint64_t hops_max;           /* $hopcount_limit */
} ContentOptions;

/* The next bytes of the result: 0, or anything else to stop with that value. */
typedef int (*ContentOutput)(void *userdata, Str data);

/* 0 or -ENOMEM. OPTIONS is copied, not what it points to. */
int content_new(const ContentOptions *options, ContentOutput output, void *userdata, Content **ret);
Content *content_free(Content *content);
DEFINE_CLEANUP(Content, content_free)

/*
 * The next bytes of the message. 0, CONTENT_E_*, -ENOMEM, or what the output callback returned;
 * after anything but 0 the engine is not to be fed again.
 */
int content_feed(Content *content, Str data);

/* The message is complete. Results as content_feed(). */
int content_finish(Content *content);

/*
 * For the log, after content_finish(): what stands behind Message-Id: and Resent-Message-Id:
 * (trimmed; the first of each), or what was added; empty when there is none.
 */
Str content_message_id(const Content *content);
Str content_resent_message_id(const Content *content);

/* How many header fields were cut at header_size_limit. */
size_t content_n_fields_cut(const Content *content);
