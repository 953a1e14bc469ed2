/* tools/sendmail/recipients: -t, whom a message names in its header (RFC 5322 3.6.3, 3.6.6). */

#include "tests/unit/unit.h"
#include "tools/sendmail/recipients.h"

static void assert_str(Str got, Str want) {
        ck_assert_msg(str_equal(got, want), "got \"%.*s\", want \"%.*s\"", STR_FMT(got),
                      STR_FMT(want));
}

/* Read MESSAGE cut at CUT; who counts. */
static void assert_names(Str message, size_t cut, Str want) {
        RecipientList plain = RECIPIENT_LIST_INIT, resent = RECIPIENT_LIST_INIT;
        HeaderReader reader;

        header_reader_init(&reader, &plain, &resent);
        ck_assert_int_eq(header_reader_feed(&reader, str_first(message, cut)), 0);
        ck_assert_int_eq(header_reader_feed(&reader, str_skip(message, cut)), 0);
        ck_assert_int_eq(header_reader_finish(&reader), 0);
        assert_str(buf_str(reader.has_resent ? &resent.text : &plain.text), want);
        header_reader_deinit(&reader);
        recipient_list_deinit(&plain);
        recipient_list_deinit(&resent);
}

START_TEST(to_cc_bcc_or_their_resent_forms_name_the_recipients) {
        static const struct {
                Str message, want;
        } rows[] = {
                { STR("To: a@b, C <c@d>\ncc:e\nBCC : f@g\n\nTo: body\n"),
                  STR("a@b\nc@d\ne\nf@g\n") },
                { STR("To: a,\n b,\n\tc\nSubject: To: x\n\n"), STR("a\nb\nc\n") },
                { STR("To: a\nResent-To: b\nResent-cc: c\nCc: d\n\n"), STR("b\nc\n") },
                { STR("Resent-Bcc: b\nTo: a"), STR("b\n") },
                { STR("Resent-From: b\nTo: a"), STR("a\n") },
                { STR("Subject: x\n a@b\nTo: c\n"), STR("c\n") },
                { STR("no header\nTo: a\n"), STR("") },
                { STR("\nTo: a\n"), STR("") },
                { STR(" To: a\nTo: b\n"), STR("") },
                { STR("To: a@, b@c, <>\n\n"), STR("b@c\n") },
                { STR("To: undisclosed-recipients:;\n\n"), STR("") },
                { STR("To: x\0y@z, b\n"), STR("b\n") },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                for (size_t cut = 0; cut <= rows[i].message.len; cut++)
                        assert_names(rows[i].message, cut, rows[i].want);
}
END_TEST

START_TEST(long_lines_are_read_whole) {
        _cleanup_(buf_deinit) Buf message = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);

        (void)buf_append_cstr(&message, "To: x");
        (void)buf_append_cstr(&want, "x\n");
        for (int i = 0; i < 10000; i++) {
                (void)buf_printf(&message, ", user%d@example.org", i);
                (void)buf_printf(&want, "user%d@example.org\n", i);
        }
        (void)buf_append_cstr(&message, "\n\n");
        assert_names(buf_str(&message), 5000, buf_str(&want));
}
END_TEST

START_TEST(too_many_recipients_are_an_error_not_a_cut) {
        RecipientList plain = RECIPIENT_LIST_INIT, resent = RECIPIENT_LIST_INIT;
        HeaderReader reader;
        int r;

        header_reader_init(&reader, &plain, &resent);
        r = header_reader_feed(&reader, STR("To: x"));
        for (int i = 0; r == 0 && i < 20; i++) {
                _cleanup_(buf_deinit) Buf text = BUF_INIT(1 << 20);

                while (buf_append_cstr(&text, ",abcdefg") == 0)
                        ;
                r = header_reader_feed(&reader, buf_str(&text));
        }
        ck_assert_int_eq(r, BUF_E_FULL);
        header_reader_deinit(&reader);
        recipient_list_deinit(&plain);
        recipient_list_deinit(&resent);
}
END_TEST

int main(void) {
        return unit_main("sendmail-recipients", to_cc_bcc_or_their_resent_forms_name_the_recipients,
                         long_lines_are_read_whole, too_many_recipients_are_an_error_not_a_cut,
                         NULL);
}
