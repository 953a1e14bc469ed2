/* mbox: what a reader that splits at From_ lines sees is one message, whatever the bytes are. */

#include <stdlib.h>

#include "services/local/mbox.h"
#include "tests/unit/unit.h"

#define NOV_24 ((usec_t)1795557651 * USEC_PER_SEC) /* Tue Nov 24 22:00:51 2026 UTC */

static int collect(void *userdata, Str data) {
        return buf_append_str(userdata, data);
}

/* CONTENT through the writer in pieces of SIZE bytes. */
static void write_in_pieces(Str content, size_t size, Buf *out) {
        MboxWriter writer;

        mbox_writer_init(&writer, collect, out);
        while (content.len > 0) {
                ck_assert_int_eq(mbox_writer_add(&writer, str_first(content, size)), 0);
                content = str_skip(content, size);
        }
        ck_assert_int_eq(mbox_writer_finish(&writer), 0);
}

static const struct {
        const char *content;
        const char *written;
} bodies[] = {
        { "", "\n" },
        { "a\n", "a\n\n" },
        { "a", "a\n\n" },
        { "\n", "\n\n" },
        { "From x\n", ">From x\n\n" },
        { "From ", ">From \n\n" },
        { "From", "From\n\n" },
        { "F", "F\n\n" },
        { "From\n", "From\n\n" },
        { ">From x\n", ">From x\n\n" },
        { "from x\n", "from x\n\n" },
        { "a\nFrom b\nFrom c\n", "a\n>From b\n>From c\n\n" },
        { "a\n\nFrom b", "a\n\n>From b\n\n" },
        { "a From b\n", "a From b\n\n" },
        { " From b\n", " From b\n\n" },
        { "FFrom b\n", "FFrom b\n\n" },
        { "F\nFrom b\n", "F\n>From b\n\n" },
        { "Fro\nFrom b\n", "Fro\n>From b\n\n" },
        { "a\r\nFrom b\r\n", "a\r\n>From b\r\n\n" },
        { "a\rFrom b\r", "a\rFrom b\r\n\n" },
        { "\n\n\nFrom \n\n", "\n\n\n>From \n\n\n" },
};

START_TEST(from_lines_are_quoted_in_any_chunking) {
        Str content = str_from_cstr(bodies[_i].content);

        for (size_t size = 1; size <= content.len + 1; size++) {
                _cleanup_(buf_deinit) Buf out = BUF_INIT(1000);

                write_in_pieces(content, size, &out);
                ck_assert_msg(str_equal(buf_str(&out), str_from_cstr(bodies[_i].written)),
                              "case %d, pieces of %zu: '%.*s'", _i, size, STR_FMT(buf_str(&out)));
        }
}
END_TEST

START_TEST(a_nul_in_the_body_is_kept) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(1000);

        write_in_pieces(STR("a\0b\nFrom \0\n"), 3, &out);
        ck_assert(str_equal(buf_str(&out), STR("a\0b\n>From \0\n\n")));
}
END_TEST

static int refuse(void *userdata, Str data) {
        return --*(int *)userdata < 0 ? 42 : 0;
}

START_TEST(what_the_output_says_ends_the_writing) {
        for (int after = 0; after < 4; after++) {
                MboxWriter writer;
                int left = after, r;

                mbox_writer_init(&writer, refuse, &left);
                r = mbox_writer_add(&writer, STR("a\nFrom b\n"));
                if (r == 0)
                        r = mbox_writer_finish(&writer);
                ck_assert_int_eq(r, 42);
        }
}
END_TEST

static void check_header(MboxEnvelope envelope, const char *expected) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(MBOX_HEADER_MAX);

        envelope.time_usec = NOV_24;
        ck_assert_int_eq(mbox_append_header(&envelope, &out), 0);
        ck_assert_msg(str_equal(buf_str(&out), str_from_cstr(expected)), "%.*s",
                      STR_FMT(buf_str(&out)));
}

START_TEST(header_lines_have_postfix_order_and_the_original_only_when_known) {
        check_header((MboxEnvelope){ .sender = STR("a@b"),
                                     .original = STR("root"),
                                     .delivered = STR("c@d") },
                     "From a@b  Tue Nov 24 22:00:51 2026\nReturn-Path: <a@b>\n"
                     "X-Original-To: root\nDelivered-To: c@d\n");
        check_header((MboxEnvelope){ .delivered = STR("c@d") },
                     "From MAILER-DAEMON  Tue Nov 24 22:00:51 2026\nReturn-Path: <>\n"
                     "Delivered-To: c@d\n");
}
END_TEST

/* XA8 and PF 20260807: a sender with white space or a line end. */
START_TEST(no_address_can_forge_a_line) {
        check_header((MboxEnvelope){ .sender = STR("\"a b\nFrom c\"@d\t"),
                                     .original = STR("x\ny"),
                                     .delivered = STR("p\r\nq\0r") },
                     "From \"a-b-From-c\"@d-  Tue Nov 24 22:00:51 2026\n"
                     "Return-Path: <\"a b?From c\"@d?>\n"
                     "X-Original-To: x?y\nDelivered-To: p??q?r\n");
}
END_TEST

START_TEST(the_largest_addresses_fit) {
        static char longest[2048];
        _cleanup_(buf_deinit) Buf out = BUF_INIT(MBOX_HEADER_MAX);
        Str address = str_from(memset(longest, 'x', sizeof(longest)), sizeof(longest));
        MboxEnvelope envelope = { address, address, address, NOV_24 };

        ck_assert_int_eq(mbox_append_header(&envelope, &out), 0);
}
END_TEST

START_TEST(a_date_beyond_all_calendars_still_gives_a_from_line) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(MBOX_HEADER_MAX);
        MboxEnvelope envelope = { .time_usec = USEC_INFINITY };

        ck_assert_int_eq(mbox_append_header(&envelope, &out), 0);
        ck_assert(str_has_prefix(buf_str(&out), STR("From MAILER-DAEMON  ")));
}
END_TEST

static const struct {
        const char *content;
        bool found;
} loops[] = {
        { "Delivered-To: a@b\n", true },
        { "Subject: x\ndelivered-to:A@B  \r\n\nbody", true },
        { "Delivered-To: a@b", true },
        { "Delivered-To: xa@b\n", false },
        { "Delivered-To: a@b.c\n", false },
        { "X-Delivered-To: a@b\n", false },
        { "Subject: x\n\nDelivered-To: a@b\n", false },
        { "Subject: x\n\r\nDelivered-To: a@b\n", false },
        { "", false },
};

START_TEST(a_delivered_to_of_this_address_in_the_header_is_found) {
        Str content = str_from_cstr(loops[_i].content);

        ck_assert_int_eq(mbox_has_delivered_to(content, STR("a@b")), loops[_i].found);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("mbox");
        TCase *body = tcase_create("body"), *header = tcase_create("header");

        (void)setenv("TZ", "UTC", 1);
        tcase_add_loop_test(body, from_lines_are_quoted_in_any_chunking, 0, ARRAY_LEN(bodies));
        tcase_add_test(body, a_nul_in_the_body_is_kept);
        tcase_add_test(body, what_the_output_says_ends_the_writing);
        tcase_add_test(header, header_lines_have_postfix_order_and_the_original_only_when_known);
        tcase_add_test(header, no_address_can_forge_a_line);
        tcase_add_test(header, the_largest_addresses_fit);
        tcase_add_test(header, a_date_beyond_all_calendars_still_gives_a_from_line);
        tcase_add_loop_test(header, a_delivered_to_of_this_address_in_the_header_is_found, 0,
                            ARRAY_LEN(loops));
        suite_add_tcase(suite, body);
        suite_add_tcase(suite, header);
        return unit_run(suite);
}
