/* Base64: the vectors of RFC 4648, section 10, and what is none. */

#include "common/base/base64.h"

#include "tests/unit/unit.h"

static const char *const vectors[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "on", "b24=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xff\xef\xbe\xff", "/+++/w==" },
};

START_TEST(texts_go_there_and_back) {
        for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
                Buf text = BUF_INIT(64);

                ck_assert_int_eq(base64_append_encoded(str_from_cstr(vectors[i][0]), &text), 0);
                ck_assert(str_equal(buf_str(&text), str_from_cstr(vectors[i][1])));
                buf_reset(&text);
                ck_assert_int_eq(base64_append_decoded(str_from_cstr(vectors[i][1]), &text), 0);
                ck_assert(str_equal(buf_str(&text), str_from_cstr(vectors[i][0])));
                buf_deinit(&text);
        }
}
END_TEST

START_TEST(every_byte_goes_there_and_back) {
        char bytes[257];

        for (size_t i = 0; i < sizeof(bytes); i++)
                bytes[i] = (char)i;
        for (size_t len = sizeof(bytes) - 3; len <= sizeof(bytes); len++) {
                Buf text = BUF_INIT(1024);
                Buf back = BUF_INIT(1024);

                ck_assert_int_eq(base64_append_encoded(str_from(bytes, len), &text), 0);
                ck_assert_int_eq(base64_append_decoded(buf_str(&text), &back), 0);
                ck_assert(str_equal(buf_str(&back), str_from(bytes, len)));
                buf_deinit(&text);
                buf_deinit(&back);
        }
}
END_TEST

START_TEST(what_is_none_is_refused_and_appends_nothing) {
        static const Str bad[] = {
                { "Z", 1 },        { "Zg", 2 },   { "Zg=", 3 },   { "Zh==", 4 },
                { "Zm9=", 4 },     { "====", 4 }, { "=g==", 4 },  { "Zg==Zg==", 8 },
                { "Zm9v\n", 5 },   { "Zm 9", 4 }, { "Zm9\0", 4 }, { "Zm9vZm9-", 8 },
                { "Zm9vYg=v", 8 },
        };

        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
                Buf text = BUF_INIT(64);

                ck_assert_int_eq(buf_append_cstr(&text, "x"), 0);
                ck_assert_int_eq(base64_append_decoded(bad[i], &text), BASE64_E_SYNTAX);
                ck_assert_uint_eq(text.len, 1);
                buf_deinit(&text);
        }
}
END_TEST

START_TEST(a_full_buffer_is_an_error) {
        Buf text = BUF_INIT(7);

        ck_assert_int_eq(base64_append_encoded(STR("foob"), &text), BUF_E_FULL);
        buf_reset(&text);
        ck_assert_int_eq(base64_append_decoded(STR("Zm9vYmFyZm9v"), &text), BUF_E_FULL);
        buf_deinit(&text);
}
END_TEST

int main(void) {
        return unit_main("base64", texts_go_there_and_back, every_byte_goes_there_and_back,
                         what_is_none_is_refused_and_appends_nothing, a_full_buffer_is_an_error,
                         NULL);
}
