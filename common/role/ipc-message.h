#pragma once

/*
 * Named attributes in a frame's payload, read and written by one table per message, so that both
 * ends of a protocol cannot disagree. Payload: for each attribute a length byte and the name, a
 * 32-bit big-endian length and the value. Numbers travel as decimal text.
 *
 * The reader is strict: each attribute of the table exactly once, no other one, within its bound,
 * else IPC_E_PROTOCOL.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "common/role/ipc-frame.h"

typedef enum IpcType {
        IPC_STR, /* member is a Str, at most MAX bytes, any byte */
        IPC_U64, /* member is a uint64_t, at most MAX */
        IPC_U32, /* member is a uint32_t, at most MAX */
} IpcType;

typedef struct IpcField {
        const char *name;
        IpcType type;
        size_t offset; /* offsetof() in the message's struct */
        uint64_t max;  /* bytes, or value */
} IpcField;

/* A message's table: static const IpcSchema. At most 64 fields. */
typedef struct IpcSchema {
        const char *name; /* travels as the attribute "message" in front of the others */
        const IpcField *fields;
        size_t n_fields;
} IpcSchema;

#define IPC_ROLE_MAX_BYTES 64 /* of a role's name in a HELLO */

#define IPC_SCHEMA(message_name, field_table) \
        { .name = (message_name), .fields = (field_table), .n_fields = ARRAY_LEN(field_table) }

/*
 * Append a MESSAGE frame with the members of the struct at DATA. 0; BUF_E_FULL; -ENOMEM; -EMSGSIZE
 * when a member is beyond its bound or the whole does not fit into a frame (nothing is appended).
 */
int ipc_message_append(Buf *out, const IpcSchema *schema, const void *data);

/* As above, for a HELLO frame. */
int ipc_hello_append(Buf *out, Str role);

/*
 * Fill the struct at DATA from PAYLOAD. Slices point into PAYLOAD. 0, IPC_E_PROTOCOL with *data
 * unspecified.
 */
int ipc_message_parse(Str payload, const IpcSchema *schema, void *data);

/* The value of the leading attribute "message": which schema to use. Empty when malformed. */
Str ipc_message_name(Str payload);

/* Check a HELLO: is it ROLE in our protocol version? 0 or IPC_E_PROTOCOL. */
int ipc_hello_parse(Str payload, Str role);
