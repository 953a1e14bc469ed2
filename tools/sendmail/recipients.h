#pragma once

/*
 * Who a message is for: the addresses of the command line, or with -t those of the header too, read
 * while the message goes by. Pure.
 */

#include "common/base/buf.h"

/*
 * All recipients together, and one header field that names them, may have this many bytes; 100,000
 * recipients are 2 or 3 MB. More is an error, never a silent cut.
 */
#define RECIPIENTS_MAX_BYTES (16 * 1024 * 1024)

typedef struct RecipientList {
        Buf text; /* addresses in their envelope form, each with a LF behind it */
        size_t n;
        size_t n_malformed; /* list elements that made no sense */
} RecipientList;

#define RECIPIENT_LIST_INIT ((RecipientList){ .text = BUF_INIT(RECIPIENTS_MAX_BYTES) })

/* Free the memory. */
void recipient_list_deinit(RecipientList *list);

/* Add the mailboxes of TEXT ("a@b, C <c@d>"). 0, BUF_E_FULL, -ENOMEM. */
int recipient_list_add(RecipientList *list, Str text);

/* -t: the header of a message that goes by in pieces. */
typedef struct HeaderReader {
        RecipientList *plain;  /* To, Cc, Bcc */
        RecipientList *resent; /* Resent-To, Resent-Cc, Resent-Bcc: when there, they alone count */
        bool has_resent;

        bool has_field;    /* so that a folded line continues something */
        bool done;         /* the header is over */
        bool line_begun;   /* what comes belongs to a line whose first piece was looked at */
        Buf piece;         /* first piece of the line that is being read */
        Buf field;         /* value of the recipient field that is being read */
        RecipientList *to; /* where FIELD goes; NULL: it is of no interest */
} HeaderReader;

/* At the beginning of a message; PLAIN and RESENT are borrowed and filled. */
void header_reader_init(HeaderReader *reader, RecipientList *plain, RecipientList *resent);

/* Free the memory; the lists stay. */
void header_reader_deinit(HeaderReader *reader);

/* 0, BUF_E_FULL (too many recipients), -ENOMEM. */
int header_reader_feed(HeaderReader *reader, Str data);
int header_reader_finish(HeaderReader *reader);
