#pragma once

/*
 * The mbox format, pure: how the content of a message is quoted, and what closes it. Bytes in,
 * bytes out by a callback; no file is touched here. What stands in front is copy.h's.
 *
 *   ...the message; a line that begins with "From " gets '>' in front (mboxo)...
 *   (empty line)
 *
 * No byte of a message can make a reader see a second one, and a line end is added where the
 * message lacks its last one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/str.h"

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
