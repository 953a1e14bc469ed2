#pragma once

/*
 * A message on its way out of the queue file, as every delivery of local sees it: the lines that
 * are put in front, then the content, pulled piece by piece. Mailbox, Maildir and a command's
 * stdin get the same bytes from here; what the mbox format needs besides ('>' before "From ", the
 * empty line at the end) is put behind this by mbox.h.
 *
 *   From SENDER  Tue Nov 24 22:00:51 2026     COPY_FROM_LINE: mbox, "/file", command
 *   Return-Path: <SENDER>
 *   X-Original-To: ADDRESS as submitted       unless it is empty
 *   Delivered-To: ADDRESS                     COPY_DELIVERED_TO: see prepend_delivered_header
 *   ...the content...
 *
 * No byte of an address can make another line or a second message: line ends and white space
 * cannot get out of these lines.
 *
 * The content is read with pread(2) from Delivery.message_fd, so ids and the offset of the
 * descriptor, which others share, do not matter. A block of the same delivery that is still here
 * is not read again: a small message is read once for the loop stop and all its copies.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/role/protocol-delivery.h"

#define COPY_BLOCK_BYTES (64 * 1024)

/* Room for the lines in front: four addresses of the longest kind, and the names of the lines. */
#define COPY_HEADER_MAX (16 * 1024)

/* How far the header block of a message is looked through for Delivered-To. */
#define COPY_LOOP_HEADER_MAX (1024 * 1024)

enum {
        COPY_FROM_LINE = 1 << 0,
        COPY_DELIVERED_TO = 1 << 1,
};

/* Bits of prepend_delivered_header: the kinds of delivery that put Delivered-To in front. */
enum {
        COPY_KIND_COMMAND = 1 << 0,
        COPY_KIND_FILE = 1 << 1, /* mbox, Maildir and "/file" */
        COPY_KIND_FORWARD = 1 << 2,
};

typedef struct CopyEnvelope {
        Str sender;       /* empty: MAILER-DAEMON in the From_ line */
        Str original;     /* X-Original-To; left out when empty */
        Str delivered;    /* Delivered-To */
        usec_t time_usec; /* of the delivery, wall clock */
        unsigned flags;   /* COPY_* */
} CopyEnvelope;

/* One message being copied. A worker keeps one for all its messages; zeroed is a good start. */
typedef struct Copy {
        Buf header;           /* the lines in front */
        size_t from_line_len; /* of these, the From_ line with its line end; 0 without one */

        int fd;          /* borrowed */
        uint64_t offset; /* of the next byte of content, in the file */
        uint64_t left;   /* bytes of content not yet read */
        uint64_t serial; /* Delivery.serial */
        bool header_done;

        /* What was read last, and from where; serial 0: nothing, or nobody knows. */
        uint64_t block_serial;
        uint64_t block_offset;
        size_t block_len;
        char block[COPY_BLOCK_BYTES];
} Copy;

enum {
        COPY_E_SOURCE = 100, /* the queue file ended early or cannot be read; nobody else's fault */
};

/*
 * The words of prepend_delivered_header ("command", "file", "forward") as COPY_KIND_* bits. False
 * for any other word.
 */
bool copy_parse_kinds(Str words, unsigned *ret);

/*
 * Append the lines in front of a message. In the From_ line white space and control bytes of the
 * sender become '-', elsewhere control bytes become '?'. 0, BUF_E_FULL, -ENOMEM.
 */
int copy_append_header(const CopyEnvelope *envelope, Buf *out);

/* Append the line Delivered-To for ADDRESS alone. 0, BUF_E_FULL, -ENOMEM. */
int copy_append_delivered_to(Str address, Buf *out);

/*
 * Begin a copy of DELIVERY's message; both arguments are only needed now, but the descriptor until
 * the end. What an earlier message left in COPY is forgotten. 0, BUF_E_FULL (addresses beyond all
 * limits), -ENOMEM.
 */
int copy_begin(Copy *copy, const Delivery *delivery, const CopyEnvelope *envelope);

/*
 * The next piece, valid until the next call: first the lines in front, whole and alone, then the
 * content in pieces of at most COPY_BLOCK_BYTES. 0 with an empty *RET is the end. COPY_E_SOURCE.
 */
int copy_next(Copy *copy, Str *ret);

/* Free what COPY holds; the struct is the caller's. */
void copy_deinit(Copy *copy);

/*
 * The loop stop, in two steps, since one message may have many addresses to ask for: append to
 * LIST the value of each Delivered-To in the header block of DELIVERY's message, in lower case,
 * each with a line end behind it. The header block ends at the first empty line, and is looked
 * through up to COPY_LOOP_HEADER_MAX, whatever lines it has. LIST: BUF_INIT(COPY_LOOP_HEADER_MAX).
 * MEMORY is a copy that is not in use. 0, COPY_E_SOURCE, BUF_E_FULL, -ENOMEM.
 */
int copy_list_delivered_to(const Delivery *delivery, Copy *memory, Buf *list);

/* Is ADDRESS, as it is written in front of a message, in such a list? Case does not matter. */
bool copy_has_delivered_to(Str list, Str address);
