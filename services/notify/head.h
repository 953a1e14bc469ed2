#pragma once

/*
 * The header of one message, line by line: who sent it, what about, whether a mail reader has seen
 * it, and a name by which it is known again. Pure. Memory is bounded whatever the header's length.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#define HEAD_LINE_MAX  2048 /* bytes of a line that are looked at */
#define HEAD_FIELD_MAX 2048 /* bytes of From: and Subject: that are kept, folded lines together */

typedef enum HeadField {
        HEAD_FIELD_OTHER,
        HEAD_FIELD_FROM,
        HEAD_FIELD_SUBJECT,
        HEAD_FIELD_STATUS,
        HEAD_FIELD_IDENTITY, /* Date:, Message-ID:, Received: */
} HeadField;

typedef struct Head {
        Buf from;    /* the values, unfolded */
        Buf subject; /* the first field of either name counts */
        /*
         * CRC-32C of the fields that mail readers leave alone. Reading, flagging and refiling
         * change a mailbox's bytes and places but no message's id; a second delivery has another
         * Received:.
         */
        uint32_t id;
        bool is_seen; /* "Status:" has R (read) or O (old) */
        HeadField field;
        bool is_repeated; /* the field being read is a second From: or Subject: */
} Head;

/* Begin with nothing read, and free what was kept. */
void head_init(Head *head);
void head_deinit(Head *head);

/* For the next message. */
void head_reset(Head *head);

/*
 * The next LINE, without its line end, at most HEAD_LINE_MAX bytes of it. True while the header
 * goes on; false when LINE ended it.
 */
bool head_add_line(Head *head, Str line);
