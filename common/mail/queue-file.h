#pragma once

/*
 * One message, one file: envelope, recipients with their state and last diagnosis, content.
 * man/unitpost-queue.5 describes every byte. This module writes such files, reads them as hostile
 * input, and changes marks in place. It opens no names: that is queue.h.
 *
 * Layout: a 64-byte preamble (magic, version, where the content is, how many recipients), then
 * records (type, length, payload), among them exactly one content record and as many recipient
 * records before or after it as there are recipients, an END record, and behind END one fixed-size
 * diagnosis slot for each recipient that has had an outcome other than "sent".
 *
 * In-place changes are single pwrite(2) calls and are not synced (DESIGN 6): after a crash of the
 * process nothing is lost, after a power cut at worst a delivery is repeated. A torn diagnosis
 * slot has a wrong checksum and reads as "no diagnosis".
 */

#include <stdint.h>
#include <sys/types.h>

#include "common/base/macro.h"
#include "common/mail/dsn.h"
#include "common/mail/envelope.h"
#include "common/mail/queue-id.h"

enum {
        QUEUE_FILE_E_CORRUPT = 1,    /* not ours, or damaged: belongs into corrupt/ */
        QUEUE_FILE_E_INCOMPLETE = 2, /* no END record: was never acknowledged, may be removed */
        QUEUE_FILE_E_NEWER = 3,      /* written by a newer release: hold it, touch nothing */
        QUEUE_FILE_E_END = 4,        /* no further recipient */
        QUEUE_FILE_E_TOO_BIG = 5,    /* content or recipients beyond the writer's limits */
        QUEUE_FILE_E_EXISTS = 6,     /* commit: the name is taken */
        QUEUE_FILE_E_MALFORMED = 7,  /* writer: a text with control bytes or over its limit, or no
                                      * address: a file with it would be corrupt */
};

/* What has become of a recipient. Stored: the numbers never change. */
typedef enum RecipientState {
        RECIPIENT_TODO = 'T',     /* to be delivered */
        RECIPIENT_SENT = 'S',     /* delivered or handed on */
        RECIPIENT_FAILED = 'F',   /* given up; the sender has not been told yet */
        RECIPIENT_RETURNED = 'R', /* given up; the notice is on disk, or none is due */
} RecipientState;

/* ---- writing: cleanup, postdrop ---- */

typedef struct QueueFileWriter QueueFileWriter;

typedef struct QueueFileLimits {
        uint64_t content_max_bytes; /* 0: none */
        uint64_t recipients_max;    /* 0: none */
} QueueFileLimits;

/*
 * A file to be in directory DIR_FD (not owned), nameless until commit. Output is buffered
 * (64 kB), so that a small message costs one write, and the file is made when that is full or at
 * commit. ENVELOPE is copied at once. LIMITS may be NULL. 0, QUEUE_FILE_E_MALFORMED, -ENOMEM.
 */
int queue_file_writer_new(int dir_fd, const Envelope *envelope, const QueueFileLimits *limits,
                          QueueFileWriter **ret);

/* Throw the message away unless it was committed. NULL is fine. */
QueueFileWriter *queue_file_writer_free(QueueFileWriter *writer);
DEFINE_CLEANUP(QueueFileWriter, queue_file_writer_free)

/*
 * In any number, before or after the content. 0; QUEUE_FILE_E_TOO_BIG or _MALFORMED: this one is
 * not in, the file is as before; negative errno: the file is lost, later calls say the same.
 */
int queue_file_writer_add_recipient(QueueFileWriter *writer, const Recipient *recipient);

/*
 * The next bytes of the content; all calls together make the one content record. Results as
 * above; -EPROTO when a recipient came between two pieces of content.
 */
int queue_file_writer_add_content(QueueFileWriter *writer, Str data);

/* What was added so far. */
uint64_t queue_file_writer_content_size(const QueueFileWriter *writer);
uint64_t queue_file_writer_n_recipients(const QueueFileWriter *writer);

/*
 * END record, link as ID, fsync file, fsync directory. Only after 0 may the message be
 * acknowledged. QUEUE_FILE_E_EXISTS: call again with another ID. On any other result the file is
 * gone.
 */
int queue_file_writer_commit(QueueFileWriter *writer, const QueueId *id);

/* ---- reading: everybody; by pread(2), so that a shared descriptor's offset is no matter ---- */

typedef struct QueueFile QueueFile;

typedef struct QueueFileRecipient {
        uint64_t offset; /* of its record: the recipient's handle for marks, stable for ever */
        RecipientState state;
        Recipient recipient; /* slices valid until the next call on the same QueueFile */
        bool has_diagnosis;
        Dsn diagnosis;         /* of the last attempt */
        usec_t diagnosis_usec; /* wall clock of that attempt */
} QueueFileRecipient;

/*
 * Open the file behind FD (not owned; must outlive the object) and check all of its structure:
 * preamble, every record's bounds, END, counts. 0, QUEUE_FILE_E_CORRUPT, _INCOMPLETE, _NEWER, or
 * negative errno. Memory: one buffer of at most 64 kB whatever the file says.
 */
int queue_file_open(int fd, QueueFile **ret);
QueueFile *queue_file_free(QueueFile *file);
DEFINE_CLEANUP(QueueFile, queue_file_free)

/* Why the last call on a QueueFile of this process said CORRUPT: a short text for the log. */
const char *queue_file_reason(void);

/*
 * Read all of the content and compare its checksum. queue_file_open() does this by itself where
 * the file fits into the buffer; for larger ones it is worth its price at recovery after a crash,
 * when a file may have holes. 0, QUEUE_FILE_E_CORRUPT, negative errno.
 */
int queue_file_check_content(QueueFile *file);

/* What the file says; the envelope's slices live as long as FILE, its queue_id is empty. */
const Envelope *queue_file_envelope(const QueueFile *file);
uint64_t queue_file_content_offset(const QueueFile *file);
uint64_t queue_file_content_size(const QueueFile *file);
uint64_t queue_file_n_recipients(const QueueFile *file);

/* Was the sender told that the message is late, or nobody wants to know? As of the opening. */
bool queue_file_is_delay_noticed(const QueueFile *file);

/*
 * Walk the recipients. *CURSOR starts as 0 and is only to be passed back. With diagnoses (a
 * second pread each) when WANT_DIAGNOSIS. 0, QUEUE_FILE_E_END, _CORRUPT, negative errno. The
 * first walk takes states from the buffer, as they were when the file was opened; each walk that is
 * begun later reads them again.
 */
int queue_file_next_recipient(QueueFile *file, uint64_t *cursor, bool want_diagnosis,
                              QueueFileRecipient *ret);

/* ---- marks: qmgr only; FD open for writing ---- */

/*
 * Write the state of the recipient at OFFSET (from QueueFileRecipient), after checking that a
 * recipient record is there. 0, QUEUE_FILE_E_CORRUPT, negative errno.
 */
int queue_file_mark(int fd, uint64_t offset, RecipientState state);

/*
 * Write that the sender was told of the delay (RFC 3461 allows for it, once is enough). Releases
 * that do not know of it read on and keep it. 0, QUEUE_FILE_E_CORRUPT, negative errno.
 */
int queue_file_mark_delay_noticed(int fd);

/*
 * Keep DSN as the recipient's last diagnosis: in its slot behind END, which is appended on first
 * use. When STATE is not RECIPIENT_TODO the state is written after the diagnosis (in one write with
 * the slot's offset when that is new). 0, QUEUE_FILE_E_CORRUPT, negative errno; after -ENOSPC
 * the state may still be written by queue_file_mark(), which needs no space.
 */
int queue_file_write_diagnosis(int fd, uint64_t offset, const Dsn *dsn, usec_t now_usec,
                               RecipientState state);
