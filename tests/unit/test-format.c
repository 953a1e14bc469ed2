/* What postqueue -p and -j print: the forms that queue tools parse, and nothing that could hurt. */

#include <stdlib.h>

#include "tests/unit/unit.h"
#include "tools/postqueue/format.h"

#define NOV_24 ((uint64_t)1795557651 * 1000000) /* Tue Nov 24 22:00:51 2026 UTC */

static FormatState state;
static Buf out;

static void setup(void) {
        (void)setenv("TZ", "UTC", 1);
        state = FORMAT_STATE_INIT;
        out = BUF_INIT(FORMAT_MAX);
}

static void teardown(void) {
        format_state_deinit(&state);
        buf_deinit(&out);
}

static const ShowqMessage message = {
        .queue_name = { "active", 6 },
        .queue_id = { "6610D85736B5B9E3AD82", 20 },
        .arrival_usec = NOV_24,
        .size = 1234,
        .sender = { "ann@example.org", 15 },
};

static void add_message(const Format *format, const char *queue, Str sender) {
        ShowqMessage copy = message;

        copy.queue_name = str_from_cstr(queue);
        copy.sender = sender;
        ck_assert_int_eq(format->message(&state, &copy, &out), 0);
}

static void add_recipient(const Format *format, Str address, Str reason) {
        ShowqRecipient recipient = { address, reason };

        ck_assert_int_eq(format->recipient(&state, &recipient, &out), 0);
}

static void check_end(const Format *format, Str expected) {
        ck_assert_int_eq(format->end(&state, &out), 0);
        ck_assert_msg(str_equal(buf_str(&out), expected), "%.*s", STR_FMT(buf_str(&out)));
}

START_TEST(an_empty_queue_has_postfixs_words) {
        check_end(&format_text, STR("Mail queue is empty\n"));
}
END_TEST

START_TEST(an_empty_queue_is_no_json_at_all) {
        check_end(&format_json, STR_NULL);
}
END_TEST

START_TEST(the_listing_has_postfixs_columns) {
        add_message(&format_text, "active", message.sender);
        add_recipient(&format_text, STR("bob@x"), STR_NULL);
        add_message(&format_text, "hold", STR_NULL);
        add_recipient(&format_text, STR("a@x"), STR("no route"));
        add_recipient(&format_text, STR("b@x"), STR("no route"));
        add_recipient(&format_text, STR("c@x"), STR_NULL);
        add_message(&format_text, "deferred", message.sender);
        check_end(&format_text,
                  STR("-Queue ID-            --Size-- ----Arrival Time---- "
                      "-Sender/Recipient-------\n"
                      "6610D85736B5B9E3AD82*     1234 Tue Nov 24 22:00:51  ann@example.org\n"
                      "                                                    bob@x\n"
                      "\n"
                      "6610D85736B5B9E3AD82!     1234 Tue Nov 24 22:00:51  MAILER-DAEMON\n"
                      "                                                                    "
                      "(no route)\n"
                      "                                                    a@x\n"
                      "                                                    b@x\n"
                      "                                                          "
                      "(reason unavailable)\n"
                      "                                                    c@x\n"
                      "\n"
                      "6610D85736B5B9E3AD82      1234 Tue Nov 24 22:00:51  ann@example.org\n"
                      "\n-- 3 Kbytes in 3 Requests.\n"));
}
END_TEST

START_TEST(one_message_is_one_request) {
        add_message(&format_text, "incoming", message.sender);
        ck_assert_int_eq(format_text.end(&state, &out), 0);
        ck_assert(str_has_suffix(buf_str(&out), STR("\n-- 1 Kbytes in 1 Request.\n")));
}
END_TEST

/* XA12: escape sequences, C1 bytes, line ends. */
START_TEST(no_control_character_reaches_the_terminal) {
        add_message(&format_text, "active", STR("a\x1b[2J\n\xc2\x9b\xff\0@x"));
        add_recipient(&format_text, STR("b\r\n@x"), STR("c\x07\x7f"));
        for (size_t i = 0; i < out.len; i++)
                ck_assert(out.data[i] == '\n' || (unsigned char)out.data[i] >= 0x20);
        ck_assert_ptr_nonnull(memmem(out.data, out.len,
                                     "a?[2J???"
                                     "??@x\n",
                                     12));
        ck_assert_ptr_nonnull(memmem(out.data, out.len,
                                     "b?"
                                     "?@x\n",
                                     6));
        ck_assert_ptr_nonnull(memmem(out.data, out.len,
                                     "(c?"
                                     "?)\n",
                                     6));
}
END_TEST

START_TEST(json_has_postfixs_members_one_object_a_line) {
        add_message(&format_json, "deferred", STR_NULL);
        add_recipient(&format_json, STR("a@x"), STR_NULL);
        add_recipient(&format_json, STR("b@x"), STR("no \"route\""));
        add_message(&format_json, "hold", message.sender);
        check_end(&format_json,
                  STR("{\"queue_name\": \"deferred\", \"queue_id\": \"6610D85736B5B9E3AD82\", "
                      "\"arrival_time\": 1795557651, \"message_size\": 1234, "
                      "\"forced_expire\": false, \"sender\": \"MAILER-DAEMON\", "
                      "\"recipients\": [{\"address\": \"a@x\"}, {\"address\": \"b@x\", "
                      "\"delay_reason\": \"no \\\"route\\\"\"}]}\n"
                      "{\"queue_name\": \"hold\", \"queue_id\": \"6610D85736B5B9E3AD82\", "
                      "\"arrival_time\": 1795557651, \"message_size\": 1234, "
                      "\"forced_expire\": false, \"sender\": \"ann@example.org\", "
                      "\"recipients\": []}\n"));
}
END_TEST

/* RFC 8259 7 and 8.1. */
static const struct {
        Str text;
        const char *json;
} strings[] = {
        { { "\\\"/", 3 }, "\\\\\\\"/" },
        { { "\b\f\n\r\t", 5 }, "\\b\\f\\n\\r\\t" },
        { { "\0\x01\x1f\x7f", 4 }, "\\u0000\\u0001\\u001F\\u007F" },
        { { "j\xc3\xb6rg", 5 }, "j\xc3\xb6rg" },
        { { "\xff\xc3", 2 },
          "?"
          "?" },
        { { "\xc3\"", 2 }, "?\\\"" },
        { { "\xed\xa0\x80", 3 },
          "?"
          "?"
          "?" },
        { { "\xf0\x9f\x92\xa9", 4 }, "\xf0\x9f\x92\xa9" },
};

START_TEST(json_strings_are_escaped_and_utf_8) {
        _cleanup_(buf_deinit) Buf expected = BUF_INIT(1000);

        add_message(&format_json, "hold", strings[_i].text);
        (void)buf_printf(&expected, "\"sender\": \"%s\", \"recipients\": [", strings[_i].json);
        ck_assert_msg(str_has_suffix(buf_str(&out), buf_str(&expected)), "%.*s",
                      STR_FMT(buf_str(&out)));
}
END_TEST

START_TEST(the_largest_texts_fit) {
        static char longest[2048];
        Str text = str_from(memset(longest, '\1', sizeof(longest)), sizeof(longest));

        add_message(&format_json, "hold", text);
        add_recipient(&format_json, text, str_first(text, DSN_TEXT_MAX));
        buf_reset(&out);
        add_message(&format_text, "hold", text);
        add_recipient(&format_text, text, text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("format");
        TCase *tcase = tcase_create("format");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_add_test(tcase, an_empty_queue_has_postfixs_words);
        tcase_add_test(tcase, an_empty_queue_is_no_json_at_all);
        tcase_add_test(tcase, the_listing_has_postfixs_columns);
        tcase_add_test(tcase, one_message_is_one_request);
        tcase_add_test(tcase, no_control_character_reaches_the_terminal);
        tcase_add_test(tcase, json_has_postfixs_members_one_object_a_line);
        tcase_add_loop_test(tcase, json_strings_are_escaped_and_utf_8, 0, ARRAY_LEN(strings));
        tcase_add_test(tcase, the_largest_texts_fit);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
