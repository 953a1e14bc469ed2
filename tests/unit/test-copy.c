/*
 * copy: what stands in front of a message cannot be forged by an address, the content comes out as
 * it lies in the queue file, and a message that was here before is known.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/file.h"
#include "services/local/copy.h"
#include "tests/unit/unit.h"

#define NOV_24 ((usec_t)1795557651 * USEC_PER_SEC) /* Tue Nov 24 22:00:51 2026 UTC */
#define OFFSET 100

static Copy copy;

static void teardown(void) {
        copy_deinit(&copy);
}

/* ---- the lines in front ---- */

static void check_header(CopyEnvelope envelope, const char *expected) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(COPY_HEADER_MAX);

        envelope.time_usec = NOV_24;
        ck_assert_int_eq(copy_append_header(&envelope, &out), 0);
        ck_assert_msg(str_equal(buf_str(&out), str_from_cstr(expected)), "%.*s",
                      STR_FMT(buf_str(&out)));
}

START_TEST(header_lines_have_postfix_order_and_the_original_only_when_known) {
        unsigned all = COPY_FROM_LINE | COPY_DELIVERED_TO;

        check_header((CopyEnvelope){ STR("a@b"), STR("root"), STR("c@d"), 0, all },
                     "From a@b  Tue Nov 24 22:00:51 2026\nReturn-Path: <a@b>\n"
                     "X-Original-To: root\nDelivered-To: c@d\n");
        check_header((CopyEnvelope){ .delivered = STR("c@d"), .flags = all },
                     "From MAILER-DAEMON  Tue Nov 24 22:00:51 2026\nReturn-Path: <>\n"
                     "Delivered-To: c@d\n");
}
END_TEST

START_TEST(lines_that_are_not_asked_for_are_left_out) {
        CopyEnvelope envelope = { STR("a@b"), STR("root"), STR("c@d"), 0, COPY_DELIVERED_TO };

        check_header(envelope, "Return-Path: <a@b>\nX-Original-To: root\nDelivered-To: c@d\n");
        envelope.flags = 0;
        check_header(envelope, "Return-Path: <a@b>\nX-Original-To: root\n");
        envelope.flags = COPY_FROM_LINE;
        check_header(envelope, "From a@b  Tue Nov 24 22:00:51 2026\nReturn-Path: <a@b>\n"
                               "X-Original-To: root\n");
}
END_TEST

/* XA8 and PF 20260807: a sender with white space or a line end. */
START_TEST(no_address_can_forge_a_line) {
        check_header((CopyEnvelope){ STR("\"a b\nFrom c\"@d\t"), STR("x\ny"), STR("p\r\nq\0r"), 0,
                                     COPY_FROM_LINE | COPY_DELIVERED_TO },
                     "From \"a-b-From-c\"@d-  Tue Nov 24 22:00:51 2026\n"
                     "Return-Path: <\"a b?From c\"@d?>\n"
                     "X-Original-To: x?y\nDelivered-To: p??q?r\n");
}
END_TEST

START_TEST(delivered_to_is_to_be_had_alone) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(32);

        ck_assert_int_eq(copy_append_delivered_to(STR("a\nb@c"), &out), 0);
        ck_assert_str_eq(buf_cstr(&out), "Delivered-To: a?b@c\n");
        ck_assert_int_eq(copy_append_delivered_to(STR("a@b"), &out), BUF_E_FULL);
}
END_TEST

START_TEST(the_largest_addresses_fit) {
        static char longest[2048];
        _cleanup_(buf_deinit) Buf out = BUF_INIT(COPY_HEADER_MAX);
        Str address = str_from(memset(longest, 'x', sizeof(longest)), sizeof(longest));
        CopyEnvelope envelope = { address, address, address, NOV_24,
                                  COPY_FROM_LINE | COPY_DELIVERED_TO };

        ck_assert_int_eq(copy_append_header(&envelope, &out), 0);
}
END_TEST

START_TEST(a_date_beyond_all_calendars_still_gives_a_from_line) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(COPY_HEADER_MAX);
        CopyEnvelope envelope = { .time_usec = USEC_INFINITY, .flags = COPY_FROM_LINE };

        ck_assert_int_eq(copy_append_header(&envelope, &out), 0);
        ck_assert(str_has_prefix(buf_str(&out), STR("From MAILER-DAEMON  ")));
}
END_TEST

START_TEST(kinds_of_delivery_are_postfixs_words) {
        unsigned kinds;

        ck_assert(copy_parse_kinds(STR("command, file, forward"), &kinds));
        ck_assert_uint_eq(kinds, COPY_KIND_COMMAND | COPY_KIND_FILE | COPY_KIND_FORWARD);
        ck_assert(copy_parse_kinds(STR("Forward"), &kinds));
        ck_assert_uint_eq(kinds, COPY_KIND_FORWARD);
        ck_assert(copy_parse_kinds(STR(""), &kinds));
        ck_assert_uint_eq(kinds, 0);
        ck_assert(!copy_parse_kinds(STR("file, mailbox"), &kinds));
}
END_TEST

/* ---- the content ---- */

/* A descriptor as qmgr hands it over: the content is somewhere inside a file. */
static Delivery delivery_new(Str content) {
        Delivery delivery = {
                .request = { .content_offset = OFFSET, .content_size = content.len },
                .message_fd = memfd_create("message", MFD_CLOEXEC),
        };

        ck_assert_int_ge(delivery.message_fd, 0);
        ck_assert_int_eq(file_pwrite_all(delivery.message_fd, content.data, content.len, OFFSET),
                         0);
        ck_assert_int_eq(
                file_pwrite_all(delivery.message_fd, "behind", 6, OFFSET + (off_t)content.len), 0);
        return delivery;
}

/* All pieces of a copy but the first, which is the header. */
static void pull(Buf *ret) {
        Str piece;

        for (;;) {
                ck_assert_int_eq(copy_next(&copy, &piece), 0);
                if (str_is_empty(piece))
                        return;
                ck_assert_int_le(piece.len, COPY_BLOCK_BYTES);
                ck_assert_int_eq(buf_append_str(ret, piece), 0);
        }
}

static void check_content(Str content) {
        _cleanup_(buf_deinit) Buf out = BUF_INIT(1 << 20);
        CopyEnvelope envelope = { .sender = STR("a@b"), .flags = COPY_FROM_LINE };
        Delivery delivery = delivery_new(content);
        Str header;

        ck_assert_int_eq(copy_begin(&copy, &delivery, &envelope), 0);
        ck_assert_int_eq(copy_next(&copy, &header), 0);
        ck_assert(str_has_suffix(header, STR("\nReturn-Path: <a@b>\n")));
        ck_assert_int_eq(copy.from_line_len, str_find(header, '\n') + 1);
        pull(&out);
        ck_assert(str_equal(buf_str(&out), content));
        (void)close(delivery.message_fd);
}

START_TEST(the_content_comes_out_as_it_is_in_any_size) {
        static char text[3 * COPY_BLOCK_BYTES];
        const size_t sizes[] = {
                0, 1, COPY_BLOCK_BYTES - 1, COPY_BLOCK_BYTES, COPY_BLOCK_BYTES + 1, sizeof(text),
        };

        for (size_t i = 0; i < sizeof(text); i++)
                text[i] = (char)random();
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
                check_content(str_from(text, sizes[i]));
}
END_TEST

START_TEST(a_second_message_knows_nothing_of_the_first) {
        CopyEnvelope envelope = { .sender = STR("a@b"), .flags = COPY_FROM_LINE };
        Delivery delivery = delivery_new(STR("first\n"));
        Str piece;

        ck_assert_int_eq(copy_begin(&copy, &delivery, &envelope), 0);
        ck_assert_int_eq(copy_next(&copy, &piece), 0);
        check_content(STR("second\n"));
        envelope.flags = 0;
        ck_assert_int_eq(copy_begin(&copy, &delivery, &envelope), 0);
        ck_assert_int_eq(copy.from_line_len, 0);
        (void)close(delivery.message_fd);
}
END_TEST

static void begin_and_check(const Delivery *delivery, int expected, Str content) {
        CopyEnvelope envelope = { .sender = STR("a@b") };
        Str piece;

        ck_assert_int_eq(copy_begin(&copy, delivery, &envelope), 0);
        ck_assert_int_eq(copy_next(&copy, &piece), 0);
        ck_assert_int_eq(copy_next(&copy, &piece), expected);
        ck_assert(expected != 0 || str_equal(piece, content));
}

/* Shown by a descriptor that cannot be read any more. */
START_TEST(a_block_that_is_here_is_taken_for_its_own_delivery_only) {
        Delivery one = delivery_new(STR("first\n")), two = delivery_new(STR("other\n"));
        _cleanup_(buf_deinit) Buf list = BUF_INIT(COPY_LOOP_HEADER_MAX);

        one.serial = 1;
        two.serial = 2;
        ck_assert_int_eq(copy_list_delivered_to(&one, &copy, &list), 0);
        fd_closep(&one.message_fd);
        begin_and_check(&one, 0, STR("first\n"));
        begin_and_check(&two, 0, STR("other\n"));
        begin_and_check(&one, COPY_E_SOURCE, STR_NULL);
        begin_and_check(&two, 0, STR("other\n"));
        fd_closep(&two.message_fd);
        begin_and_check(&one, COPY_E_SOURCE, STR_NULL);
        begin_and_check(&two, COPY_E_SOURCE, STR_NULL); /* a read that failed spoils the block */
        one = delivery_new(STR("first\n"));
        begin_and_check(&one, 0, STR("first\n"));
        fd_closep(&one.message_fd);
        begin_and_check(&one, COPY_E_SOURCE, STR_NULL); /* serial 0 */
}
END_TEST

START_TEST(a_file_that_ends_early_is_the_sources_fault) {
        CopyEnvelope envelope = { .sender = STR("a@b") };
        Delivery delivery = delivery_new(STR("x\n"));
        _cleanup_(buf_deinit) Buf list = BUF_INIT(COPY_LOOP_HEADER_MAX);
        Str piece;

        delivery.request.content_size = 1000;
        ck_assert_int_eq(copy_begin(&copy, &delivery, &envelope), 0);
        ck_assert_int_eq(copy_next(&copy, &piece), 0);
        ck_assert_int_eq(copy_next(&copy, &piece), COPY_E_SOURCE);
        ck_assert_int_eq(copy_list_delivered_to(&delivery, &copy, &list), COPY_E_SOURCE);
        delivery.request.content_size = UINT64_MAX;
        delivery.request.content_offset = UINT64_MAX - 1;
        ck_assert_int_eq(copy_begin(&copy, &delivery, &envelope), 0);
        ck_assert_int_eq(copy_next(&copy, &piece), 0);
        ck_assert_int_eq(copy_next(&copy, &piece), COPY_E_SOURCE);
        (void)close(delivery.message_fd);
}
END_TEST

/* ---- the loop stop ---- */

static bool has_been_at(Str content, Str address) {
        _cleanup_(buf_deinit) Buf list = BUF_INIT(COPY_LOOP_HEADER_MAX);
        Delivery delivery = delivery_new(content);

        ck_assert_int_eq(copy_list_delivered_to(&delivery, &copy, &list), 0);
        (void)close(delivery.message_fd);
        return copy_has_delivered_to(buf_str(&list), address);
}

static const struct {
        const char *content;
        bool found;
} loops[] = {
        { "Delivered-To: a@b\n", true },
        { "Subject: x\ndelivered-to:A@B  \r\n\nbody", true },
        { "Delivered-To: c@d\nDelivered-To: a@b\nDelivered-To: e@f\n\n", true },
        { "Delivered-To: a@b", true },
        { "Delivered-To: xa@b\n", false },
        { "Delivered-To: a@b.c\n", false },
        { "X-Delivered-To: a@b\n", false },
        { "Subject: x\n\nDelivered-To: a@b\n", false },
        { "Subject: x\n\r\nDelivered-To: a@b\n", false },
        { "", false },
};

START_TEST(a_delivered_to_of_this_address_in_the_header_is_found) {
        ck_assert_int_eq(has_been_at(str_from_cstr(loops[_i].content), STR("a@b")),
                         loops[_i].found);
}
END_TEST

START_TEST(an_address_is_found_as_it_was_written) {
        ck_assert(has_been_at(STR("Delivered-To: p??q@r\n\n"), STR("p\r\nQ@r")));
        ck_assert(!has_been_at(STR("Delivered-To: p\n\n"), STR("p\nq")));
        ck_assert(!has_been_at(STR("Delivered-To:\n\n"), STR("")));
}
END_TEST

/* Nobody can hide it behind much header, or in one that blocks cut. */
START_TEST(a_header_block_of_any_size_is_looked_through) {
        for (size_t size = COPY_BLOCK_BYTES - 20; size < COPY_BLOCK_BYTES + 20; size++) {
                _cleanup_(buf_deinit) Buf text = BUF_INIT(2 << 20);

                ck_assert_int_eq(buf_append_cstr(&text, "X: "), 0);
                while (text.len < size)
                        (void)buf_append_char(&text, 'x');
                (void)buf_append_cstr(&text, "\nDelivered-To: a@b\n\nDelivered-To: c@d\n");
                ck_assert(has_been_at(buf_str(&text), STR("a@b")));
                ck_assert(!has_been_at(buf_str(&text), STR("c@d")));
        }
}
END_TEST

START_TEST(the_look_ends_at_its_limit) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(4 << 20);

        while (text.len < COPY_LOOP_HEADER_MAX - 1000)
                (void)buf_append_cstr(&text, "X-Line: y\n");
        (void)buf_append_cstr(&text, "Delivered-To: a@b\n");
        while (text.len < COPY_LOOP_HEADER_MAX)
                (void)buf_append_cstr(&text, "X-Line: y\n");
        (void)buf_append_cstr(&text, "Delivered-To: c@d\n");
        ck_assert(has_been_at(buf_str(&text), STR("a@b")));
        ck_assert(!has_been_at(buf_str(&text), STR("c@d")));
}
END_TEST

START_TEST(a_list_of_nothing_but_delivered_to_fits) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(2 << 20);

        for (unsigned i = 0; text.len < COPY_LOOP_HEADER_MAX; i++)
                (void)buf_printf(&text, "Delivered-To: %u\n", i);
        ck_assert(has_been_at(buf_str(&text), STR("40000")));
}
END_TEST

static TCase *loop_case(void) {
        TCase *tcase = tcase_create("loop");

        tcase_add_checked_fixture(tcase, NULL, teardown);
        tcase_add_loop_test(tcase, a_delivered_to_of_this_address_in_the_header_is_found, 0,
                            ARRAY_LEN(loops));
        tcase_add_test(tcase, an_address_is_found_as_it_was_written);
        tcase_add_test(tcase, a_header_block_of_any_size_is_looked_through);
        tcase_add_test(tcase, the_look_ends_at_its_limit);
        tcase_add_test(tcase, a_list_of_nothing_but_delivered_to_fits);
        return tcase;
}

int main(void) {
        Suite *suite = suite_create("copy");
        TCase *header = tcase_create("header"), *content = tcase_create("content");

        (void)setenv("TZ", "UTC", 1);
        tcase_add_test(header, header_lines_have_postfix_order_and_the_original_only_when_known);
        tcase_add_test(header, lines_that_are_not_asked_for_are_left_out);
        tcase_add_test(header, no_address_can_forge_a_line);
        tcase_add_test(header, delivered_to_is_to_be_had_alone);
        tcase_add_test(header, the_largest_addresses_fit);
        tcase_add_test(header, a_date_beyond_all_calendars_still_gives_a_from_line);
        tcase_add_test(header, kinds_of_delivery_are_postfixs_words);
        tcase_add_checked_fixture(content, NULL, teardown);
        tcase_add_test(content, the_content_comes_out_as_it_is_in_any_size);
        tcase_add_test(content, a_second_message_knows_nothing_of_the_first);
        tcase_add_test(content, a_block_that_is_here_is_taken_for_its_own_delivery_only);
        tcase_add_test(content, a_file_that_ends_early_is_the_sources_fault);
        suite_add_tcase(suite, header);
        suite_add_tcase(suite, content);
        suite_add_tcase(suite, loop_case());
        return unit_run(suite);
}
