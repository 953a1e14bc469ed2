/*
 * services/cleanup/content: what a submitted message is stored as. Each row is fed whole and in
 * pieces cut at every byte; the result must be the same. RECEIVED stands for our own field.
 */

#include <stdlib.h>
#include <time.h>

#include "common/mail/envelope.h"
#include "services/cleanup/content.h"
#include "tests/unit/unit.h"

#define NOW_USEC (1795557651 * USEC_PER_SEC)
#define DATE     "Tue, 24 Nov 2026 22:00:51 +0000 (UTC)"

#define RECEIVED   "Received: by h.example (unitpost, from userid 1000)\n\tid 0ABC; " DATE "\n"
#define MESSAGE_ID "Message-Id: <20261124220051.0ABC@h.example>\n"
#define FROM       "From: Jo Doe <jo@o.example>\n"
#define MISSING    MESSAGE_ID "Date: " DATE "\n" FROM
#define PRESENT    "From: a\nDate: b\nMessage-ID: <c>\nTo: d\n"

static ContentOptions options(void) {
        return (ContentOptions){
                .queue_id = STR("0ABC"),
                .sender = STR("jo@o.example"),
                .full_name = STR("Jo Doe"),
                .now_usec = NOW_USEC,
                .uid = 1000,
                .add_received = true,
                .add_missing = true,
                .hostname = "h.example",
                .origin = "o.example",
                .mail_name = "unitpost",
                .drop_headers = "bcc, content-length, resent-bcc, return-path",
                .undisclosed = "",
                .header_max_bytes = 102400,
                .line_max_bytes = 2048,
                .hops_max = 50,
        };
}

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

static int stop(void *userdata, Str data) {
        return -5;
}

/* Feed INPUT in two pieces, cut at CUT; the result of the first call that says no, or of finish. */
static int run(const ContentOptions *with, Str input, size_t cut, Buf *ret) {
        _cleanup_(content_freep) Content *content = NULL;
        int r;

        ck_assert_int_eq(content_new(with, collect, ret, &content), 0);
        r = content_feed(content, str_first(input, cut));
        if (r == 0)
                r = content_feed(content, str_skip(input, cut));
        return r == 0 ? content_finish(content) : r;
}

static void assert_becomes(const ContentOptions *with, Str input, Str want) {
        for (size_t cut = 0; cut <= input.len; cut++) {
                _cleanup_(buf_deinit) Buf got = BUF_INIT(1 << 24);

                ck_assert_int_eq(run(with, input, cut, &got), 0);
                ck_assert_msg(str_equal(buf_str(&got), want),
                              "cut at %zu of \"%.*s\": got\n%.*s\nwant\n%.*s", cut, STR_FMT(input),
                              STR_FMT(buf_str(&got)), STR_FMT(want));
        }
}

typedef struct Row {
        Str input, want;
} Row;

static void assert_rows(const Row *rows, size_t n) {
        ContentOptions with = options();

        for (size_t i = 0; i < n; i++)
                assert_becomes(&with, rows[i].input, rows[i].want);
}

START_TEST(missing_fields_come_at_the_end_of_the_header_block) {
        static const Row rows[] = {
                { STR("Subject: x\n\nbody\n"), STR(RECEIVED "Subject: x\n" MISSING "\nbody\n") },
                { STR(PRESENT "\nbody\n"), STR(RECEIVED PRESENT "\nbody\n") },
                { STR("from: a\n\n"), STR(RECEIVED "from: a\n" MESSAGE_ID "Date: " DATE "\n\n") },
                { STR("DATE: b\n\n"), STR(RECEIVED "DATE: b\n" MESSAGE_ID FROM "\n") },
                { STR(""), STR(RECEIVED MISSING) },
                { STR("Subject: x"), STR(RECEIVED "Subject: x\n" MISSING) },
                { STR("\n"), STR(RECEIVED MISSING "\n") },
                { STR("\nbody"), STR(RECEIVED MISSING "\nbody\n") },
        };

        assert_rows(rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(resent_mail_gets_resent_fields_rfc5322_3_6_6) {
        static const Row rows[] = {
                { STR(PRESENT "Resent-To: x\n\n"),
                  STR(RECEIVED PRESENT "Resent-To: x\nResent-" MESSAGE_ID "Resent-Date: " DATE
                                       "\nResent-" FROM "\n") },
                { STR("Resent-From: a\nResent-Date: b\nResent-Message-ID: <c>\n\n"),
                  STR(RECEIVED "Resent-From: a\nResent-Date: b\nResent-Message-ID: <c>\n\n") },
                { STR("Resent-Bcc: a\nResent-Date: b\nResent-Message-ID: <c>\n\n"),
                  STR(RECEIVED "Resent-Date: b\nResent-Message-ID: <c>\nResent-" FROM "\n") },
        };

        assert_rows(rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(dropped_fields_go_with_their_continuation_lines) {
        static const Row rows[] = {
                { STR("Bcc: a,\n b,\n\tc\n" PRESENT "\n"), STR(RECEIVED PRESENT "\n") },
                { STR(PRESENT "BCC : a\nContent-Length: 5\nReturn-Path: <x>\nResent-To: y\n"
                              "Resent-From: a\nResent-Date: b\nResent-Message-Id: <c>\n"
                              "Resent-Bcc: z\n\nBcc: in the body\n"),
                  STR(RECEIVED PRESENT "Resent-To: y\nResent-From: a\nResent-Date: b\n"
                                       "Resent-Message-Id: <c>\n\nBcc: in the body\n") },
                { STR(PRESENT "Bcc: a"), STR(RECEIVED PRESENT) },
                { STR(PRESENT "Bccx: a\n\n"), STR(RECEIVED PRESENT "Bccx: a\n\n") },
        };

        assert_rows(rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(a_header_block_ends_in_an_empty_line) {
        static const Row rows[] = {
                { STR("no header\nbody\n"), STR(RECEIVED MISSING "\nno header\nbody\n") },
                { STR(" leading space\n"), STR(RECEIVED MISSING "\n leading space\n") },
                { STR(PRESENT "not a field\nX: body\n"),
                  STR(RECEIVED PRESENT "\nnot a field\nX: body\n") },
                { STR(PRESENT ": no name\n"), STR(RECEIVED PRESENT "\n: no name\n") },
                /* a line of blanks is a continuation (RFC 5322 4.2 obs-FWS) */
                { STR(PRESENT "  \nX: y\n\n"), STR(RECEIVED PRESENT "  \nX: y\n\n") },
                { STR(PRESENT "Subject \t: x\n\n"), STR(RECEIVED PRESENT "Subject: x\n\n") },
                { STR("From: a\nFrom b Mon\n"),
                  STR(RECEIVED "From: a\n" MESSAGE_ID "Date: " DATE "\n\nFrom b Mon\n") },
        };

        assert_rows(rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(mailbox_from_lines_in_front_are_left_out) {
        static const Row rows[] = {
                { STR("From jo Mon Jan 1\n" PRESENT "\nFrom me\n"),
                  STR(RECEIVED PRESENT "\nFrom me\n") },
                { STR("From a\n>>From b\n" PRESENT "\n"), STR(RECEIVED PRESENT "\n") },
                { STR("From a"), STR(RECEIVED MISSING) },
                { STR("From a\n"), STR(RECEIVED MISSING) },
        };

        assert_rows(rows, ARRAY_LEN(rows));
}
END_TEST

START_TEST(cr_becomes_a_space_and_all_other_bytes_stay) {
        static const Row rows[] = {
                { STR(PRESENT "\na\rb\r\n\r\r\n\0\xff\n"),
                  STR(RECEIVED PRESENT "\na b \n  \n\0\xff\n") },
                { STR(PRESENT "X: a\rb\0c\r\n\n"), STR(RECEIVED PRESENT "X: a b\0c \n\n") },
                { STR("first\rline\n"), STR(RECEIVED MISSING "\nfirst line\n") },
                { STR(PRESENT "\r\nbody\n"), STR(RECEIVED PRESENT " \n\nbody\n") },
                { STR(PRESENT "\n.\r\n.\n"), STR(RECEIVED PRESENT "\n. \n.\n") },
        };
        ContentOptions with = options();

        assert_rows(rows, ARRAY_LEN(rows));
        with.keep_cr = true;
        assert_becomes(&with, STR(PRESENT "X: a\rb\n\na\rb\r\n"),
                       STR(RECEIVED PRESENT "X: a\rb\n\na\rb\r\n"));
}
END_TEST

START_TEST(the_sender_is_named_as_header_from_format_standard_says) {
        static const struct {
                Str sender, full_name, want;
        } rows[] = {
                { STR("jo@o"), STR(""), STR("From: jo@o\n") },
                { STR("jo@o"), STR("Doe, Jo"), STR("From: \"Doe, Jo\" <jo@o>\n") },
                { STR("jo@o"), STR("x\nBcc: y"), STR("From: \"xBcc: y\" <jo@o>\n") },
                { STR("\"j d\"@o"), STR("J"), STR("From: J <\"j d\"@o>\n") },
                { STR(""), STR("Nobody"), STR("From: MAILER-DAEMON@o.example\n") },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                ContentOptions with = options();
                _cleanup_(buf_deinit) Buf want = BUF_INIT(1000);

                with.sender = rows[i].sender;
                with.full_name = rows[i].full_name;
                with.add_received = false;
                (void)buf_append_cstr(&want, MESSAGE_ID "Date: " DATE "\n");
                (void)buf_append_str(&want, rows[i].want);
                assert_becomes(&with, STR(""), buf_str(&want));
        }
}
END_TEST

START_TEST(undisclosed_recipients_header_stands_for_missing_to_and_cc) {
        ContentOptions with = options();

        with.add_received = false;
        with.undisclosed = "To: undisclosed-recipients:;";
        assert_becomes(&with, STR("Bcc: x\n\n"), STR(MISSING "To: undisclosed-recipients:;\n\n"));
        assert_becomes(&with, STR("Cc: x\n\n"), STR("Cc: x\n" MISSING "\n"));
}
END_TEST

START_TEST(mail_of_others_is_not_completed) {
        ContentOptions with = options();

        with.add_missing = false;
        with.uid = ENVELOPE_NO_UID;
        assert_becomes(
                &with, STR("Subject: x\n\n"),
                STR("Received: by h.example (unitpost)\n\tid 0ABC; " DATE "\nSubject: x\n\n"));
}
END_TEST

START_TEST(a_long_field_is_cut_at_the_piece_that_reaches_the_limit) {
        _cleanup_(buf_deinit) Buf input = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
        _cleanup_(content_freep) Content *content = NULL;
        _cleanup_(buf_deinit) Buf got = BUF_INIT(1 << 20);
        ContentOptions with = options();

        with.add_received = false;
        with.header_max_bytes = 1000;
        with.line_max_bytes = 512;
        (void)buf_append_cstr(&want, PRESENT "X: ");
        for (int i = 0; i < 1021; i++)
                (void)buf_append_char(&want, 'x');
        (void)buf_append_str(&input, buf_str(&want));
        (void)buf_append_cstr(&input, "cut away\n and this\nY: z\n\nbody\n");
        (void)buf_append_cstr(&want, "\nY: z\n\nbody\n");
        assert_becomes(&with, buf_str(&input), buf_str(&want));

        ck_assert_int_eq(content_new(&with, collect, &got, &content), 0);
        ck_assert_int_eq(content_feed(content, buf_str(&input)), 0);
        ck_assert_int_eq(content_finish(content), 0);
        ck_assert_uint_eq(content_n_fields_cut(content), 1);
}
END_TEST

START_TEST(lines_longer_than_the_limit_pass_whole) {
        _cleanup_(buf_deinit) Buf input = BUF_INIT(1 << 16), want = BUF_INIT(1 << 16);
        ContentOptions with = options();

        with.line_max_bytes = 512;
        for (size_t len = 510; len <= 1026; len += 1 + (len == 514) * 506) {
                buf_reset(&input);
                buf_reset(&want);
                for (size_t i = 0; i < len; i++)
                        (void)buf_append_char(&input, i == 511 ? ':' : 'x');
                (void)buf_append_cstr(&input, "\nrest\n");
                (void)buf_append_cstr(&want, RECEIVED);
                /* a colon in the first piece makes a field of it */
                if (len >= 512)
                        (void)buf_append_str(&want, str_first(buf_str(&input), len + 1));
                (void)buf_append_cstr(&want, MISSING "\n");
                (void)buf_append_str(&want, str_skip(buf_str(&input), len >= 512 ? len + 1 : 0));
                assert_becomes(&with, buf_str(&input), buf_str(&want));
        }
}
END_TEST

START_TEST(received_fields_are_counted_ours_among_them) {
        _cleanup_(buf_deinit) Buf input = BUF_INIT(10000), got = BUF_INIT(10000);
        ContentOptions with = options();

        for (int i = 0; i < 48; i++)
                (void)buf_append_cstr(&input, "received: x\n");
        ck_assert_int_eq(run(&with, buf_str(&input), 0, &got), 0);
        (void)buf_append_cstr(&input, "Received: x\n");
        ck_assert_int_eq(run(&with, buf_str(&input), 0, &got), CONTENT_E_HOPS);
        (void)buf_append_cstr(&input, "\n");
        ck_assert_int_eq(run(&with, buf_str(&input), 5, &got), CONTENT_E_HOPS);
}
END_TEST

START_TEST(the_size_limit_counts_what_comes_in) {
        ContentOptions with = options();
        _cleanup_(buf_deinit) Buf got = BUF_INIT(10000);
        Str input = STR("From a\nFrom b\nX: y\n\nbody\n");

        with.message_max_bytes = input.len;
        ck_assert_int_eq(run(&with, input, 3, &got), 0);
        with.message_max_bytes--;
        ck_assert_int_eq(run(&with, input, 3, &got), CONTENT_E_TOO_BIG);
}
END_TEST

static void assert_ids(const char *input, const char *message_id, const char *resent) {
        _cleanup_(content_freep) Content *content = NULL;
        _cleanup_(buf_deinit) Buf got = BUF_INIT(10000);
        ContentOptions with = options();

        ck_assert_int_eq(content_new(&with, collect, &got, &content), 0);
        ck_assert_int_eq(content_feed(content, str_from_cstr(input)), 0);
        ck_assert_int_eq(content_finish(content), 0);
        ck_assert(str_equal(content_message_id(content), str_from_cstr(message_id)));
        ck_assert(str_equal(content_resent_message_id(content), str_from_cstr(resent)));
}

START_TEST(message_ids_are_kept_for_the_log) {
        assert_ids("Message-ID:\n <a@b> \nMessage-ID: <c@d>\n\n", "<a@b>", "");
        assert_ids("", "<20261124220051.0ABC@h.example>", "");
        assert_ids("Message-ID: <a@b>\nResent-To: x\n", "<a@b>", "<20261124220051.0ABC@h.example>");
        assert_ids("Resent-Message-ID: <a@b>\n", "", "<a@b>");
}
END_TEST

START_TEST(what_the_output_says_goes_up_unchanged) {
        static const char *const inputs[] = { "", "X: y\n\n", "body\n" };
        ContentOptions with = options();

        for (size_t i = 0; i < ARRAY_LEN(inputs); i++) {
                _cleanup_(content_freep) Content *content = NULL;
                int r;

                ck_assert_int_eq(content_new(&with, stop, NULL, &content), 0);
                r = content_feed(content, str_from_cstr(inputs[i]));
                ck_assert_int_eq(r == 0 ? content_finish(content) : r, -5);
        }
}
END_TEST

START_TEST(addresses_of_the_header_are_rewritten_where_options_say) {
        static const RewriteRules rules = { .origin = STR("o.example") };
        ContentOptions with = options();
        Str input = STR("To: bob,\n\tsue@x (Sue)\nX-To: bob\nBcc: x\nFrom: a b\nDate: b\n"
                        "Message-ID: c\n\nTo: body\n");

        with.add_received = false;
        assert_becomes(&with, input,
                       STR("To: bob,\n\tsue@x (Sue)\nX-To: bob\nFrom: a b\nDate: b\n"
                           "Message-ID: c\n\nTo: body\n"));
        with.rewrite = &rules;
        with.tokens_max = 10240;
        assert_becomes(&with, input,
                       STR("To: bob@o.example,\n\tsue@x (Sue)\nX-To: bob\n"
                           "From: a@o.example, b@o.example\nDate: b\nMessage-ID: c\n\nTo: body\n"));
}
END_TEST

START_TEST(the_sender_is_named_as_header_from_format_obsolete_says) {
        ContentOptions with = options();
        Str input = STR("Date: b\nMessage-ID: c\n\n");

        with.add_received = false;
        with.obsolete_from = true;
        assert_becomes(&with, input,
                       STR("Date: b\nMessage-ID: c\nFrom: jo@o.example (Jo Doe)\n\n"));
        with.full_name = STR_NULL;
        assert_becomes(&with, input, STR("Date: b\nMessage-ID: c\nFrom: jo@o.example\n\n"));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("cleanup-content");
        TCase *tcase = tcase_create("cleanup-content");

        setenv("TZ", "UTC0", 1);
        tzset();
        tcase_add_test(tcase, missing_fields_come_at_the_end_of_the_header_block);
        tcase_add_test(tcase, resent_mail_gets_resent_fields_rfc5322_3_6_6);
        tcase_add_test(tcase, dropped_fields_go_with_their_continuation_lines);
        tcase_add_test(tcase, a_header_block_ends_in_an_empty_line);
        tcase_add_test(tcase, mailbox_from_lines_in_front_are_left_out);
        tcase_add_test(tcase, cr_becomes_a_space_and_all_other_bytes_stay);
        tcase_add_test(tcase, the_sender_is_named_as_header_from_format_standard_says);
        tcase_add_test(tcase, the_sender_is_named_as_header_from_format_obsolete_says);
        tcase_add_test(tcase, addresses_of_the_header_are_rewritten_where_options_say);
        tcase_add_test(tcase, undisclosed_recipients_header_stands_for_missing_to_and_cc);
        tcase_add_test(tcase, mail_of_others_is_not_completed);
        tcase_add_test(tcase, a_long_field_is_cut_at_the_piece_that_reaches_the_limit);
        tcase_add_test(tcase, lines_longer_than_the_limit_pass_whole);
        tcase_add_test(tcase, received_fields_are_counted_ours_among_them);
        tcase_add_test(tcase, the_size_limit_counts_what_comes_in);
        tcase_add_test(tcase, message_ids_are_kept_for_the_log);
        tcase_add_test(tcase, what_the_output_says_goes_up_unchanged);
        tcase_set_timeout(tcase, 60);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
