#pragma once

/*
 * A message, line by line, to the keys that header_checks and body_checks would be asked for
 * (postmap -h, -b, -m). A header field is one key, its lines joined by newlines; a line of the body
 * is one key, empty ones included, without its line end.
 *
 *   of the message                    a key of
 *   header fields                     the header
 *   the empty line that ends them     the body; where a line that is no field ends them instead,
 *                                     there is an empty one in front of it
 *   with MIME: header fields of its   the header
 *   parts, and of messages attached
 *   all else, boundaries too          the body
 *
 * MIME is followed as RFC 2046 has it (multipart/x, message/rfc822, message/global), through at
 * most MESSAGE_KEYS_DEPTH_MAX levels; what is deeper is body.
 */

#include "common/base/buf.h"
#include "common/base/macro.h"

#define MESSAGE_KEYS_DEPTH_MAX    100
#define MESSAGE_KEYS_BOUNDARY_MAX 2048
#define MESSAGE_KEYS_FIELD_MAX    ((size_t)100 * 1024) /* what is longer is cut */

/* Which keys are wanted, and whether MIME is followed. */
enum {
        MESSAGE_KEYS_HEADER = 1,
        MESSAGE_KEYS_BODY = 2,
        MESSAGE_KEYS_MIME = 4,
};

/* KEY is valid during the call only. 0: go on; else message_keys_line() returns it. */
typedef int (*MessageKey)(void *userdata, Str key);

typedef struct MessageKeys MessageKeys;

/* NULL: out of memory. */
MessageKeys *message_keys_new(unsigned wanted, MessageKey key, void *userdata);
MessageKeys *message_keys_free(MessageKeys *keys);
DEFINE_CLEANUP(MessageKeys, message_keys_free)

/* The next line, without its end; then the end. 0, -ENOMEM, or what KEY returned. */
int message_keys_line(MessageKeys *keys, Str line);
int message_keys_end(MessageKeys *keys);
