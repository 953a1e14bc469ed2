#pragma once

/*
 * Text on its way into a notice, shared by the parts of the builder. Collects small pieces, counts
 * bytes, keeps the first error, and makes foreign text safe.
 */

#include "common/base/buf.h"
#include "services/bounce/notice.h"

typedef struct NoticeWriter {
        const NoticeSpec *spec;
        NoticeOutput output;
        void *userdata;
        Buf buf;
        size_t column;    /* of the current line, for folding */
        uint64_t n_bytes; /* written so far */
        bool keep_8bit;   /* foreign text may hold UTF-8 (RFC 6533) */
        int error;        /* sticky: 0, NOTICE_E_*, negative errno */
} NoticeWriter;

/* Begin; the memory is freed by deinit. */
void notice_writer_init(NoticeWriter *writer, const NoticeSpec *spec, NoticeOutput output,
                        void *userdata);
void notice_writer_deinit(NoticeWriter *writer);

/* Hand over what is collected. Returns the sticky error. */
int notice_flush(NoticeWriter *writer);

/* Text of ours, or content that is passed as it is. */
void notice_put(NoticeWriter *writer, Str text);
void notice_put_cstr(NoticeWriter *writer, const char *text);

/* Foreign text: control bytes become '?', and bytes above 127 too unless keep_8bit. */
void notice_put_safe(NoticeWriter *writer, Str text);

/*
 * As notice_put_safe(), and words that would pass column 78 go to a new line that begins with
 * INDENT. A word of more than 900 bytes is cut (RFC 5322 2.1.1: lines of at most 998).
 */
void notice_put_folded(NoticeWriter *writer, Str text, const char *indent);

/* RFC 3461 4 xtext, decoded and made safe. */
void notice_put_xtext(NoticeWriter *writer, Str xtext);

/* Is the postmaster to read it? */
bool notice_is_for_postmaster(const NoticeSpec *spec);

/* "FIELD: DATE", or nothing for a time that has no date. */
void notice_put_date(NoticeWriter *writer, const char *field, usec_t when_usec);

/* Does RECIPIENT belong into the notice? */
bool notice_wants(const NoticeSpec *spec, const QueueFileRecipient *recipient);

/* Its outcome: that of all, its diagnosis, or a general text where that is lost. */
void notice_outcome(const NoticeSpec *spec, const QueueFileRecipient *recipient, Dsn *ret);

/* The next recipient that belongs into the notice. 0, QUEUE_FILE_E_END, or an error. */
int notice_next_recipient(const NoticeSpec *spec, uint64_t *cursor, QueueFileRecipient *ret);

/* ---- the parts ---- */

/* The text for people, naming at most 100 of N_RECIPIENTS; and the fields for programs. */
void notice_put_text(NoticeWriter *writer, uint64_t n_recipients);
void notice_put_status(NoticeWriter *writer);

/* What of the message is returned. */
typedef struct NoticeOriginal {
        bool headers_only;
        bool has_8bit;
        uint64_t size_bytes; /* from the start of the content */
} NoticeOriginal;

/* Decide what is returned: all, or the header where RET=HDRS, the size, or the kind of notice says
 * so. 0, NOTICE_E_SOURCE, negative errno. Then put it, with its part header. */
int notice_original_measure(const NoticeSpec *spec, NoticeOriginal *ret);
void notice_put_original(NoticeWriter *writer, const NoticeOriginal *original);

/* In-Reply-To: and References:, where the message has a Message-ID: that can stand there (RFC 5322
 * 3.6.4). */
void notice_put_thread(NoticeWriter *writer);
