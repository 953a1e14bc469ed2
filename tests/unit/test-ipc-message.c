/* common/role/ipc-message: named attributes, read strictly. */

#include <errno.h>
#include <stdlib.h>

#include "common/base/macro.h"
#include "common/role/ipc-message.h"
#include "tests/unit/unit.h"

typedef struct Sample {
        Str text;
        uint64_t wide;
        uint32_t narrow;
        Str more;
} Sample;

static const IpcField sample_fields[] = {
        { "text", IPC_STR, offsetof(Sample, text), 10 },
        { "wide", IPC_U64, offsetof(Sample, wide), UINT64_MAX },
        { "narrow", IPC_U32, offsetof(Sample, narrow), 1000 },
        { "more", IPC_STR, offsetof(Sample, more), 70000 },
};
static const IpcSchema sample_schema = IPC_SCHEMA("sample", sample_fields);

/* One attribute, as written by hand. */
static void append_attribute(Buf *buf, Str name, Str value) {
        char size[4];

        (void)buf_append_char(buf, (char)name.len);
        (void)buf_append_str(buf, name);
        ipc_write_be32(size, (uint32_t)value.len);
        (void)buf_append(buf, size, sizeof(size));
        ck_assert_int_eq(buf_append_str(buf, value), 0);
}

/* The payload of a right sample but for what the callers change. */
typedef struct Attribute {
        Str name;
        Str value;
} Attribute;

static const Attribute right[] = {
        { { "message", 7 }, { "sample", 6 } }, { { "text", 4 }, { "hello", 5 } },
        { { "wide", 4 }, { "17", 2 } },        { { "narrow", 6 }, { "1000", 4 } },
        { { "more", 4 }, { NULL, 0 } },
};

static int parse_with(const Attribute *attributes, size_t n, Sample *ret) {
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(1 << 20);

        for (size_t i = 0; i < n; i++)
                append_attribute(&buf, attributes[i].name, attributes[i].value);
        return ipc_message_parse(buf_str(&buf), &sample_schema, ret);
}

/* The right payload with attribute I replaced. */
static int parse_replaced(size_t i, Str name, Str value) {
        Attribute attributes[ARRAY_LEN(right)];
        Sample sample;

        memcpy(attributes, right, sizeof(right));
        attributes[i] = (Attribute){ name, value };
        return parse_with(attributes, ARRAY_LEN(right), &sample);
}

static Str payload_of(const Buf *frame) {
        return str_skip(buf_str(frame), IPC_FRAME_HEADER_BYTES);
}

START_TEST(message_reads_back_as_it_was_written) {
        static const Sample rows[] = {
                { .text = { "a\0b", 3 }, .wide = UINT64_MAX, .narrow = 1000, .more = { "x", 1 } },
                { .text = { NULL, 0 }, .wide = 0, .narrow = 0, .more = { "\n\r\xff", 3 } },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Buf buf _cleanup_(buf_deinit) = BUF_INIT(1000);
                IpcFrame frame;
                Sample sample;
                size_t size;

                ck_assert_int_eq(ipc_message_append(&buf, &sample_schema, &rows[i]), 0);
                ck_assert_int_eq(ipc_frame_parse(buf_str(&buf), &frame, &size), 0);
                ck_assert_int_eq(frame.type, IPC_FRAME_MESSAGE);
                ck_assert(str_equal(ipc_message_name(frame.payload), STR("sample")));
                ck_assert_int_eq(ipc_message_parse(frame.payload, &sample_schema, &sample), 0);
                ck_assert(str_equal(sample.text, rows[i].text));
                ck_assert(str_equal(sample.more, rows[i].more));
                ck_assert_uint_eq(sample.wide, rows[i].wide);
                ck_assert_uint_eq(sample.narrow, rows[i].narrow);
        }
}
END_TEST

START_TEST(attributes_come_in_any_order) {
        Attribute attributes[ARRAY_LEN(right)];
        Sample sample;

        attributes[0] = right[0];
        for (size_t i = 1; i < ARRAY_LEN(right); i++)
                attributes[i] = right[ARRAY_LEN(right) - i];
        ck_assert_int_eq(parse_with(attributes, ARRAY_LEN(right), &sample), 0);
        ck_assert_uint_eq(sample.wide, 17);
}
END_TEST

START_TEST(truncation_at_every_byte_is_refused) {
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(1000);
        Sample sample = { .text = STR("abc"), .wide = 123456, .narrow = 7, .more = STR("tail") };

        ck_assert_int_eq(ipc_message_append(&buf, &sample_schema, &sample), 0);
        for (size_t n = 0; n < payload_of(&buf).len; n++) {
                /* A copy of its own size, so that a sanitizer sees a read behind its end. */
                char *copy = malloc(n + (n == 0));

                ck_assert_ptr_nonnull(copy);
                memcpy(copy, payload_of(&buf).data, n);
                ck_assert_int_eq(ipc_message_parse(str_from(copy, n), &sample_schema, &sample),
                                 IPC_E_PROTOCOL);
                free(copy);
        }
}
END_TEST

START_TEST(each_attribute_must_come_once_and_no_other) {
        Attribute attributes[ARRAY_LEN(right) + 1];
        Sample sample;

        ck_assert_int_eq(parse_with(right, ARRAY_LEN(right), &sample), 0);
        for (size_t i = 0; i < ARRAY_LEN(right); i++) {
                /* missing */
                memcpy(attributes, right, i * sizeof(Attribute));
                memcpy(attributes + i, right + i + 1,
                       (ARRAY_LEN(right) - i - 1) * sizeof(Attribute));
                ck_assert_int_eq(parse_with(attributes, ARRAY_LEN(right) - 1, &sample),
                                 IPC_E_PROTOCOL);
                /* twice */
                memcpy(attributes, right, sizeof(right));
                attributes[ARRAY_LEN(right)] = right[i];
                ck_assert_int_eq(parse_with(attributes, ARRAY_LEN(right) + 1, &sample),
                                 IPC_E_PROTOCOL);
                /* under another name */
                ck_assert_int_eq(parse_replaced(i, STR("other"), right[i].value), IPC_E_PROTOCOL);
                ck_assert_int_eq(parse_replaced(i, STR_NULL, right[i].value), IPC_E_PROTOCOL);
        }
        /* twice, in the place of another one: their number is right */
        for (size_t i = 1; i + 1 < ARRAY_LEN(right); i++)
                ck_assert_int_eq(parse_replaced(i, right[i + 1].name, right[i + 1].value),
                                 IPC_E_PROTOCOL);
        memcpy(attributes, right, sizeof(right));
        attributes[ARRAY_LEN(right)] = (Attribute){ STR("extra"), STR("x") };
        ck_assert_int_eq(parse_with(attributes, ARRAY_LEN(right) + 1, &sample), IPC_E_PROTOCOL);
}
END_TEST

START_TEST(values_are_bounded) {
        static const struct {
                size_t attribute;
                Str value;
                int result;
        } rows[] = {
                { 0, { "sampl", 5 }, IPC_E_PROTOCOL },
                { 0, { "sample2", 7 }, IPC_E_PROTOCOL },
                { 1, { "1234567890", 10 }, 0 },
                { 1, { "12345678901", 11 }, IPC_E_PROTOCOL },
                { 1, { "a\0b", 3 }, 0 },
                { 2, { "", 0 }, IPC_E_PROTOCOL },
                { 2, { "-1", 2 }, IPC_E_PROTOCOL },
                { 2, { "+1", 2 }, IPC_E_PROTOCOL },
                { 2, { " 1", 2 }, IPC_E_PROTOCOL },
                { 2, { "1 ", 2 }, IPC_E_PROTOCOL },
                { 2, { "1\0", 2 }, IPC_E_PROTOCOL },
                { 2, { "0x10", 4 }, IPC_E_PROTOCOL },
                { 2, { "18446744073709551615", 20 }, 0 },
                { 2, { "18446744073709551616", 20 }, IPC_E_PROTOCOL },
                { 2, { "000000000000000000001", 21 }, IPC_E_PROTOCOL },
                { 3, { "1001", 4 }, IPC_E_PROTOCOL },
                { 3, { "4294967297", 10 }, IPC_E_PROTOCOL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                ck_assert_msg(parse_replaced(rows[i].attribute, right[rows[i].attribute].name,
                                             rows[i].value) == rows[i].result,
                              "row %zu", i);
}
END_TEST

START_TEST(lengths_that_lead_outside_are_refused) {
        static const struct {
                const char *bytes;
                size_t len;
        } rows[] = {
                { "", 0 },
                { "\0", 1 },
                { "\xff", 1 },
                { "\7message", 8 },
                { "\7message\0\0\0\7sample", 18 },
                { "\7message\xff\xff\xff\xffsample", 18 },
                { "\7message\x7f\xff\xff\xffsample", 18 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                Str payload = str_from(rows[i].bytes, rows[i].len);
                Sample sample;

                ck_assert_int_eq(ipc_message_parse(payload, &sample_schema, &sample),
                                 IPC_E_PROTOCOL);
                ck_assert(str_is_empty(ipc_message_name(payload)));
        }
}
END_TEST

START_TEST(writer_refuses_what_its_reader_would) {
        static const Sample rows[] = {
                { .text = { "12345678901", 11 } },
                { .narrow = 1001 },
        };
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(200000);
        char *large = calloc(1, 70000);
        Sample sample = { 0 };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                ck_assert_int_eq(ipc_message_append(&buf, &sample_schema, &rows[i]), -EMSGSIZE);
        /* within its own bound, but more than a frame */
        ck_assert_ptr_nonnull(large);
        sample.more = str_from(large, 65536);
        ck_assert_int_eq(ipc_message_append(&buf, &sample_schema, &sample), -EMSGSIZE);
        ck_assert_uint_eq(buf.len, 0);
        sample.more = str_from(large, 65000);
        ck_assert_int_eq(ipc_message_append(&buf, &sample_schema, &sample), 0);
        free(large);
}
END_TEST

START_TEST(hello_names_the_role_and_the_version) {
        Buf buf _cleanup_(buf_deinit) = BUF_INIT(1000);
        Buf other _cleanup_(buf_deinit) = BUF_INIT(1000);
        IpcFrame frame;
        size_t size;

        ck_assert_int_eq(ipc_hello_append(&buf, STR("cleanup")), 0);
        ck_assert_int_eq(ipc_frame_parse(buf_str(&buf), &frame, &size), 0);
        ck_assert_int_eq(frame.type, IPC_FRAME_HELLO);
        ck_assert_int_eq(ipc_hello_parse(frame.payload, STR("cleanup")), 0);
        ck_assert_int_eq(ipc_hello_parse(frame.payload, STR("cleanu")), IPC_E_PROTOCOL);
        ck_assert_int_eq(ipc_hello_parse(frame.payload, STR("cleanup2")), IPC_E_PROTOCOL);
        append_attribute(&other, STR("message"), STR("hello"));
        append_attribute(&other, STR("role"), STR("cleanup"));
        append_attribute(&other, STR("version"), STR("2"));
        ck_assert_int_eq(ipc_hello_parse(buf_str(&other), STR("cleanup")), IPC_E_PROTOCOL);
}
END_TEST

int main(void) {
        return unit_main(
                "ipc-message", message_reads_back_as_it_was_written, attributes_come_in_any_order,
                truncation_at_every_byte_is_refused, each_attribute_must_come_once_and_no_other,
                values_are_bounded, lengths_that_lead_outside_are_refused,
                writer_refuses_what_its_reader_would, hello_names_the_role_and_the_version, NULL);
}
