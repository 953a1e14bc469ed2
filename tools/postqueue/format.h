#pragma once

/*
 * What `postqueue -p` and `postqueue -j` print, as Postfix prints it, since many tools read it.
 * Pure: messages and recipients in, text out. All that they hold is from outside; no control
 * character of it reaches a terminal or breaks a JSON string.
 */

#include "common/base/buf.h"
#include "common/role/protocol-showq.h"

/* Room for the text of one call: an address of ENVELOPE_ADDRESS_MAX and a reason, escaped. */
#define FORMAT_MAX (64 * 1024)

typedef struct FormatState {
        uint64_t n_messages;
        uint64_t n_bytes;
        bool is_open;       /* JSON: a message's object is not closed yet */
        bool has_recipient; /* JSON: a comma goes in front of the next one */
        Buf reason;         /* text: of the recipient before; printed once for equal ones */
} FormatState;

/* Each appends to OUT; 0, BUF_E_FULL, -ENOMEM. Recipients belong to the message before. */
typedef struct Format {
        int (*message)(FormatState *state, const ShowqMessage *message, Buf *out);
        int (*recipient)(FormatState *state, const ShowqRecipient *recipient, Buf *out);
        int (*end)(FormatState *state, Buf *out);
} Format;

/*
 * -Queue ID-            --Size-- ----Arrival Time---- -Sender/Recipient-------
 * 64A3C5B0F2D1E7A9C3F0*     1234 Tue Nov 24 22:00:51  alice@example.org
 *                                   (why it is still here)
 *                                                     bob@example.net
 *
 * '*' active, '!' on hold. An empty queue is "Mail queue is empty".
 */
extern const Format format_text;

/* One JSON object in each line for each message; nothing for an empty queue. */
extern const Format format_json;

/* A FormatState to begin with, and its end. */
#define FORMAT_STATE_INIT ((FormatState){ .reason = BUF_INIT(DSN_TEXT_MAX) })
void format_state_deinit(FormatState *state);
