/* The keys of a message: of its header, its body, and with MIME of its parts. */

#include "tools/map/message-keys.h"

#include "tests/unit/unit.h"

static Buf found;

/* Header fields and lines of the body look the same to the callback, so each is asked for alone. */
static int note(void *userdata, Str key) {
        (void)buf_append_str(&found, key);
        return buf_append_char(&found, '|');
}

static const char *keys_of(unsigned wanted, const char *message) {
        MessageKeys *keys = message_keys_new(wanted, note, NULL);
        Str rest = str_from_cstr(message);
        Str line;

        ck_assert_ptr_nonnull(keys);
        buf_deinit(&found);
        found = BUF_INIT(1024 * 1024);
        while (str_next_part(&rest, '\n', &line))
                if (line.len > 0 || rest.data)
                        ck_assert_int_eq(message_keys_line(keys, line), 0);
        ck_assert_int_eq(message_keys_end(keys), 0);
        message_keys_free(keys);
        return buf_cstr(&found);
}

static const char mail[] = "Received: from x\n\tby y\n"
                           "Content-Type: multipart/mixed;\n boundary=\"b 1\"; x=y\n"
                           "\n"
                           "preamble\n"
                           "--b 1\n"
                           "Content-Type: text/plain\n"
                           "\n"
                           "text\n"
                           "--b 1\n"
                           "content-type: message/rfc822 (attached)\n"
                           "\n"
                           "Subject: nested\n"
                           "Content-Type: multipart/digest; boundary (c) = b2\n"
                           "\n"
                           "--b2\n"
                           "\n"
                           "Subject: digested\n"
                           "\n"
                           "--b2--\n"
                           "Epilogue: 2\n"
                           "--b 1\n"
                           "no header\n"
                           "--b 1--\n"
                           "Epilogue: 1\n";

START_TEST(without_mime_all_behind_the_header_is_body) {
        ck_assert_str_eq(keys_of(MESSAGE_KEYS_HEADER, mail),
                         "Received: from x\n\tby y|"
                         "Content-Type: multipart/mixed;\n boundary=\"b 1\"; x=y|");
        (void)keys_of(MESSAGE_KEYS_BODY, mail);
        ck_assert(
                str_has_prefix(buf_str(&found), STR("|preamble|--b 1|Content-Type: text/plain|")));
        ck_assert(str_has_suffix(buf_str(&found), STR("|--b 1--|Epilogue: 1|")));
}
END_TEST

START_TEST(with_mime_parts_and_attached_messages_have_headers) {
        ck_assert_str_eq(keys_of(MESSAGE_KEYS_HEADER | MESSAGE_KEYS_MIME, mail),
                         "Received: from x\n\tby y|"
                         "Content-Type: multipart/mixed;\n boundary=\"b 1\"; x=y|"
                         "Content-Type: text/plain|content-type: message/rfc822 (attached)|"
                         "Subject: nested|Content-Type: multipart/digest; boundary (c) = b2|"
                         "Subject: digested|");
        ck_assert_str_eq(keys_of(MESSAGE_KEYS_BODY | MESSAGE_KEYS_MIME, mail),
                         "|preamble|--b 1||text|--b 1|||--b2|||--b2--|Epilogue: 2|--b 1|no header|"
                         "--b 1--|Epilogue: 1|");
}
END_TEST

START_TEST(a_line_that_is_no_field_ends_the_header) {
        static const char text[] = "A: 1\nFrom x y\nB: 2\n\nC: 3\n";

        ck_assert_str_eq(keys_of(MESSAGE_KEYS_HEADER, text), "A: 1|");
        ck_assert_str_eq(keys_of(MESSAGE_KEYS_BODY, text), "|From x y|B: 2||C: 3|");
        ck_assert_str_eq(keys_of(MESSAGE_KEYS_HEADER, ""), "");
        ck_assert_str_eq(keys_of(MESSAGE_KEYS_HEADER, " cont\nA: 1\n"), "");
}
END_TEST

/* Nothing grows without end: neither a field nor the nesting nor a boundary. */
START_TEST(what_has_no_end_is_cut) {
        Buf text = BUF_INIT(8 * 1024 * 1024);

        (void)buf_append_cstr(&text, "A: 1\n");
        for (int i = 0; i < 100000; i++)
                (void)buf_append_cstr(&text, " more\n");
        (void)keys_of(MESSAGE_KEYS_HEADER, buf_cstr(&text));
        ck_assert_uint_eq(found.len, MESSAGE_KEYS_FIELD_MAX + 1);
        buf_reset(&text);
        for (int i = 0; i < 150; i++)
                (void)buf_printf(
                        &text, "Content-Type: multipart/mixed; boundary=b%03d\n\n--b%03d\n", i, i);
        (void)keys_of(MESSAGE_KEYS_HEADER | MESSAGE_KEYS_MIME, buf_cstr(&text));
        ck_assert_ptr_nonnull(strstr(buf_cstr(&found), "=b100|"));
        ck_assert_ptr_null(strstr(buf_cstr(&found), "=b101|"));
        buf_reset(&text);
        (void)buf_append_cstr(&text, "Content-Type: multipart/mixed; boundary=");
        for (int i = 0; i < 5000; i++)
                (void)buf_append_char(&text, 'b');
        (void)buf_append_cstr(&text, "\n\n--b\nX: y\n");
        (void)keys_of(MESSAGE_KEYS_HEADER | MESSAGE_KEYS_MIME, buf_cstr(&text));
        ck_assert_ptr_null(strstr(buf_cstr(&found), "X: y"));
        buf_deinit(&text);
}
END_TEST

static int refuse(void *userdata, Str key) {
        return 7;
}

START_TEST(the_callback_ends_it) {
        MessageKeys *keys = message_keys_new(MESSAGE_KEYS_HEADER, refuse, NULL);

        ck_assert_int_eq(message_keys_line(keys, STR("A: 1")), 0);
        ck_assert_int_eq(message_keys_line(keys, STR("B: 1")), 7);
        message_keys_free(keys);
        buf_deinit(&found);
}
END_TEST

int main(void) {
        return unit_main("message-keys", without_mime_all_behind_the_header_is_body,
                         with_mime_parts_and_attached_messages_have_headers,
                         a_line_that_is_no_field_ends_the_header, what_has_no_end_is_cut,
                         the_callback_ends_it, NULL);
}
