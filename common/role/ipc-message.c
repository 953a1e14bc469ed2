/*
 * One table drives both directions. The writer measures first, so that a frame is built in place
 * and is either appended whole or not at all. The reader trusts nothing: not the lengths, not the
 * names, not the numbers, not that an attribute comes once.
 */

#include "common/role/ipc-message.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#define PROTOCOL_VERSION 1
#define NUMBER_MAX_BYTES 20 /* digits of UINT64_MAX */
#define FIELDS_MAX       64

#define MESSAGE_ATTRIBUTE STR("message")

typedef struct Hello {
        Str role;
        uint32_t version;
} Hello;

static const IpcField hello_fields[] = {
        { "role", IPC_STR, offsetof(Hello, role), IPC_ROLE_MAX_BYTES },
        { "version", IPC_U32, offsetof(Hello, version), UINT32_MAX },
};
static const IpcSchema hello_schema = IPC_SCHEMA("hello", hello_fields);

/* ---- writing ---- */

/* The member as it travels: a slice of DATA, or a number printed into NUMBER. */
static Str field_text(const IpcField *field, const void *data, char *number) {
        const char *member = (const char *)data + field->offset;
        uint64_t value;

        if (field->type == IPC_STR)
                return *(const Str *)(const void *)member;
        value = field->type == IPC_U64 ? *(const uint64_t *)(const void *)member
                                       : *(const uint32_t *)(const void *)member;
        return str_from(number, (size_t)snprintf(number, NUMBER_MAX_BYTES + 1, "%llu",
                                                 (unsigned long long)value));
}

static bool field_is_in_bounds(const IpcField *field, const void *data) {
        const char *member = (const char *)data + field->offset;

        switch (field->type) {
        case IPC_STR:
                return ((const Str *)(const void *)member)->len <= field->max;
        case IPC_U64:
                return *(const uint64_t *)(const void *)member <= field->max;
        case IPC_U32:
                return *(const uint32_t *)(const void *)member <= field->max;
        }
        return false;
}

static size_t attribute_size(Str name, Str value) {
        return 1 + name.len + 4 + value.len;
}

static char *attribute_write(char *room, Str name, Str value) {
        *room++ = (char)name.len;
        memcpy(room, name.data, name.len);
        room += name.len;
        ipc_write_be32(room, (uint32_t)value.len);
        room += 4;
        if (value.len > 0)
                memcpy(room, value.data, value.len);
        return room + value.len;
}

static int payload_size(const IpcSchema *schema, const void *data, size_t *ret) {
        char number[NUMBER_MAX_BYTES + 1];
        size_t size = attribute_size(MESSAGE_ATTRIBUTE, str_from_cstr(schema->name));

        for (size_t i = 0; i < schema->n_fields; i++) {
                const IpcField *field = &schema->fields[i];

                if (!field_is_in_bounds(field, data))
                        return -EMSGSIZE;
                size += attribute_size(str_from_cstr(field->name), field_text(field, data, number));
        }
        if (size > IPC_FRAME_MAX_BYTES)
                return -EMSGSIZE;
        *ret = size;
        return 0;
}

static int frame_append(Buf *out, IpcFrameType type, const IpcSchema *schema, const void *data) {
        char number[NUMBER_MAX_BYTES + 1];
        size_t size;
        char *room, *p;
        int r;

        assert(schema->n_fields <= FIELDS_MAX);
        r = payload_size(schema, data, &size);
        if (r != 0)
                return r;
        r = buf_reserve(out, IPC_FRAME_HEADER_BYTES + size, &room);
        if (r != 0)
                return r;
        ipc_frame_write_header(room, type, size);
        p = attribute_write(room + IPC_FRAME_HEADER_BYTES, MESSAGE_ATTRIBUTE,
                            str_from_cstr(schema->name));
        for (size_t i = 0; i < schema->n_fields; i++)
                p = attribute_write(p, str_from_cstr(schema->fields[i].name),
                                    field_text(&schema->fields[i], data, number));
        assert(p == room + IPC_FRAME_HEADER_BYTES + size);
        buf_commit(out, IPC_FRAME_HEADER_BYTES + size);
        return 0;
}

int ipc_message_append(Buf *out, const IpcSchema *schema, const void *data) {
        return frame_append(out, IPC_FRAME_MESSAGE, schema, data);
}

int ipc_hello_append(Buf *out, Str role) {
        return frame_append(out, IPC_FRAME_HELLO, &hello_schema,
                            &(Hello){ .role = role, .version = PROTOCOL_VERSION });
}

/* ---- reading ---- */

/* Split off the first attribute of *REST. 0, or IPC_E_PROTOCOL when it is not whole. */
static int attribute_next(Str *rest, Str *ret_name, Str *ret_value) {
        Str s = *rest;
        size_t len;

        if (s.len < 1)
                return IPC_E_PROTOCOL;
        len = (uint8_t)s.data[0];
        s = str_skip(s, 1);
        if (len == 0 || s.len < len + 4)
                return IPC_E_PROTOCOL;
        *ret_name = str_first(s, len);
        s = str_skip(s, len);
        len = ipc_read_be32(s.data);
        s = str_skip(s, 4);
        if (s.len < len)
                return IPC_E_PROTOCOL;
        *ret_value = str_first(s, len);
        *rest = str_skip(s, len);
        return 0;
}

static int field_store(const IpcField *field, Str value, void *data) {
        char *member = (char *)data + field->offset;
        uint64_t number;

        if (field->type == IPC_STR) {
                if (value.len > field->max)
                        return IPC_E_PROTOCOL;
                *(Str *)(void *)member = value;
                return 0;
        }
        if (value.len > NUMBER_MAX_BYTES || str_parse_u64(value, field->max, &number) != 0)
                return IPC_E_PROTOCOL;
        if (field->type == IPC_U64)
                *(uint64_t *)(void *)member = number;
        else if (number <= UINT32_MAX)
                *(uint32_t *)(void *)member = (uint32_t)number;
        else
                return IPC_E_PROTOCOL;
        return 0;
}

/* Index of the field NAME, looking at HINT first: writers send in the table's order. */
static size_t field_find(const IpcSchema *schema, Str name, size_t hint) {
        for (size_t n = 0; n < schema->n_fields; n++) {
                size_t i = (hint + n) % schema->n_fields;

                if (str_equal(name, str_from_cstr(schema->fields[i].name)))
                        return i;
        }
        return schema->n_fields;
}

int ipc_message_parse(Str payload, const IpcSchema *schema, void *data) {
        uint64_t seen = 0;
        Str name, value;
        size_t n_seen = 0;

        assert(schema->n_fields <= FIELDS_MAX);
        if (attribute_next(&payload, &name, &value) != 0 || !str_equal(name, MESSAGE_ATTRIBUTE) ||
            !str_equal(value, str_from_cstr(schema->name)))
                return IPC_E_PROTOCOL;
        while (payload.len > 0) {
                size_t i;

                if (attribute_next(&payload, &name, &value) != 0)
                        return IPC_E_PROTOCOL;
                i = field_find(schema, name, n_seen);
                if (i == schema->n_fields || (seen & (UINT64_C(1) << i)))
                        return IPC_E_PROTOCOL;
                if (field_store(&schema->fields[i], value, data) != 0)
                        return IPC_E_PROTOCOL;
                seen |= UINT64_C(1) << i;
                n_seen++;
        }
        return n_seen == schema->n_fields ? 0 : IPC_E_PROTOCOL;
}

Str ipc_message_name(Str payload) {
        Str name, value;

        if (attribute_next(&payload, &name, &value) != 0 || !str_equal(name, MESSAGE_ATTRIBUTE))
                return STR_NULL;
        return value;
}

int ipc_hello_parse(Str payload, Str role) {
        Hello hello = { 0 };
        int r;

        r = ipc_message_parse(payload, &hello_schema, &hello);
        if (r != 0)
                return r;
        return str_equal(hello.role, role) && hello.version == PROTOCOL_VERSION ? 0
                                                                                : IPC_E_PROTOCOL;
}
