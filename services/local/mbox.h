#pragma once

/*
 * The mbox format, pure: what stands in front of a message, how its body is quoted, what closes
 * it. Bytes in, bytes out by a callback; no file is touched here.
 *
 *   From SENDER  Tue Nov 24 22:00:51 2026
 *   Return-Path: <SENDER>
 *   X-Original-To: ADDRESS as submitted
 *   Delivered-To: ADDRESS
 *   ...the message; a line that begins with "From " gets '>' in front (mboxo)...
 *   (empty line)
 *
 * No byte of a sender, recipient or message can make a reader see a second message: line ends and
 * white space cannot get out of the header lines, and a line end is added where the message lacks
 * its last one.
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"

/* Room that mbox_append_header() needs at most: four addresses and their names. */
#define MBOX_HEADER_MAX (16 * 1024)

typedef struct MboxEnvelope {
        Str sender;       /* empty: MAILER-DAEMON in the From_ line */
        Str original;     /* X-Original-To; left out when empty */
        Str delivered;    /* Delivered-To */
        usec_t time_usec; /* of the delivery, wall clock */
} MboxEnvelope;

/*
 * Append the From_ line and the header lines. In the From_ line white space and control bytes of
 * the sender become '-', elsewhere control bytes become '?'. 0, BUF_E_FULL, -ENOMEM.
 */
int mbox_append_header(const MboxEnvelope *envelope, Buf *out);

/*
 * Does the header block at the start of CONTENT hold "Delivered-To: ADDRESS" (compared without
 * regard to case)? CONTENT may be the first part of a message: what we look for was put in front
 * of everything that later hops did not add themselves.
 */
bool mbox_has_delivered_to(Str content, Str address);

/* Takes bytes; 0, or any other value, which is passed up unchanged and ends the writing. */
typedef int (*MboxOutput)(void *userdata, Str data);

/* The body, in any number of pieces. */
typedef struct MboxWriter {
        MboxOutput output;
        void *userdata;
        size_t n_matched; /* bytes of "From " at the start of this line, seen but not yet written */
        bool in_line;     /* the start of this line is decided and written */
} MboxWriter;

/* Begin. OUTPUT gets the body as it is to be stored; mbox_writer_add() returns what OUTPUT says. */
void mbox_writer_init(MboxWriter *writer, MboxOutput output, void *userdata);
int mbox_writer_add(MboxWriter *writer, Str data);

/* What is withheld, the last line end where it is missing, and the empty line. */
int mbox_writer_finish(MboxWriter *writer);
