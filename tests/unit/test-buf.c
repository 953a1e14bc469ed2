/* Buf: grows up to a bound that no input moves, and keeps its first failure. */

#include <errno.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "tests/unit/unit.h"

START_TEST(a_null_buffer_takes_nothing_and_may_be_deinited) {
        Buf buf = BUF_NULL;

        ck_assert_int_eq(buf_append_char(&buf, 'x'), BUF_E_FULL);
        buf_deinit(&buf);
        buf_deinit(&buf);
        ck_assert_ptr_null(buf.data);
}
END_TEST

START_TEST(it_fills_to_the_bound_and_not_a_byte_further) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(4);

        ck_assert_int_eq(buf_append(&buf, "abc", 3), 0);
        ck_assert_int_eq(buf_append_char(&buf, 'd'), 0);
        ck_assert_int_eq(buf_append_char(&buf, 'e'), BUF_E_FULL);
        ck_assert(str_equal(buf_str(&buf), STR("abcd")));
}
END_TEST

START_TEST(an_append_that_does_not_fit_leaves_no_part_of_it) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(4);

        ck_assert_int_eq(buf_append_cstr(&buf, "abc"), 0);
        ck_assert_int_eq(buf_append_str(&buf, STR("de")), BUF_E_FULL);
        ck_assert(str_equal(buf_str(&buf), STR("abc")));
}
END_TEST

START_TEST(the_first_failure_is_sticky_until_reset) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(4);

        ck_assert_int_eq(buf_append_cstr(&buf, "abcde"), BUF_E_FULL);
        ck_assert_int_eq(buf_append_char(&buf, 'x'), BUF_E_FULL);
        ck_assert_int_eq(buf_printf(&buf, "x"), BUF_E_FULL);
        ck_assert_uint_eq(buf.len, 0);
        buf_reset(&buf);
        ck_assert_int_eq(buf_append_char(&buf, 'x'), 0);
        ck_assert_uint_eq(buf.max, 4);
}
END_TEST

START_TEST(a_huge_length_does_not_wrap_the_bound) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(100);
        char *room;

        ck_assert_int_eq(buf_append_cstr(&buf, "ten bytes."), 0);
        ck_assert_int_eq(buf_reserve(&buf, SIZE_MAX - 5, &room), BUF_E_FULL);
}
END_TEST

/* The address sanitizer reads this; it would take a refused allocation for a bug otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
        return "allocator_may_return_null=1";
}

START_TEST(memory_that_is_out_is_an_error_not_a_crash) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(SIZE_MAX);
        char *room;

        ck_assert_int_eq(buf_reserve(&buf, SIZE_MAX / 2, &room), -ENOMEM);
        ck_assert_int_eq(buf_append_char(&buf, 'x'), -ENOMEM);
}
END_TEST

START_TEST(printf_formats_to_the_last_byte_of_the_bound) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(8);

        ck_assert_int_eq(buf_printf(&buf, "%s-%d", "ab", 42), 0);
        ck_assert_int_eq(buf_printf(&buf, "%03d", 7), 0);
        ck_assert(str_equal(buf_str(&buf), STR("ab-42007")));
        ck_assert_int_eq(buf_printf(&buf, "%s", ""), 0);
        ck_assert_int_eq(buf_printf(&buf, "x"), BUF_E_FULL);
}
END_TEST

START_TEST(printf_grows_through_many_sizes) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(100000);

        for (int i = 0; i < 1000; i++)
                ck_assert_int_eq(buf_printf(&buf, "%063d", i), 0);
        ck_assert_uint_eq(buf.len, 63000);
        ck_assert_int_eq(memcmp(buf.data + 62998, "99", 2), 0);
}
END_TEST

START_TEST(a_clipped_append_takes_what_fits_and_says_how_much) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(4);

        ck_assert_int_eq(buf_append_clipped(&buf, STR("abc")), 3);
        ck_assert_int_eq(buf_append_clipped(&buf, STR("def")), 1);
        ck_assert_int_eq(buf_append_clipped(&buf, STR("ghi")), 0);
        ck_assert(str_equal(buf_str(&buf), STR("abcd")));
        ck_assert_int_eq(buf.error, 0);
}
END_TEST

START_TEST(reserve_then_commit_part_of_it) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(16);
        char *room;

        ck_assert_int_eq(buf_reserve(&buf, 16, &room), 0);
        memcpy(room, "abc", 3);
        buf_commit(&buf, 3);
        ck_assert(str_equal(buf_str(&buf), STR("abc")));
        ck_assert_int_eq(buf_reserve(&buf, 13, &room), 0);
        ck_assert_int_eq(buf_reserve(&buf, 14, &room), BUF_E_FULL);
}
END_TEST

START_TEST(consume_moves_the_rest_to_the_front) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(16);

        ck_assert_int_eq(buf_append_cstr(&buf, "abcdef"), 0);
        buf_consume(&buf, 0);
        buf_consume(&buf, 4);
        ck_assert(str_equal(buf_str(&buf), STR("ef")));
        buf_consume(&buf, 2);
        ck_assert_uint_eq(buf.len, 0);
}
END_TEST

START_TEST(truncate_keeps_the_front) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(16);

        ck_assert_int_eq(buf_append_cstr(&buf, "abcdef"), 0);
        buf_truncate(&buf, 2);
        ck_assert(str_equal(buf_str(&buf), STR("ab")));
}
END_TEST

START_TEST(cstr_ends_in_a_nul_that_is_not_counted) {
        _cleanup_(buf_deinit) Buf buf = BUF_INIT(4);

        ck_assert_int_eq(buf_append_cstr(&buf, "abc"), 0);
        ck_assert_str_eq(buf_cstr(&buf), "abc");
        ck_assert_uint_eq(buf.len, 3);
        ck_assert_int_eq(buf_append_char(&buf, 'd'), 0);
        ck_assert_ptr_null(buf_cstr(&buf));
}
END_TEST

static Suite *suite_make(void) {
        Suite *suite = suite_create("buf");
        TCase *tcase = tcase_create("buf");

        tcase_add_test(tcase, a_null_buffer_takes_nothing_and_may_be_deinited);
        tcase_add_test(tcase, it_fills_to_the_bound_and_not_a_byte_further);
        tcase_add_test(tcase, an_append_that_does_not_fit_leaves_no_part_of_it);
        tcase_add_test(tcase, the_first_failure_is_sticky_until_reset);
        tcase_add_test(tcase, a_huge_length_does_not_wrap_the_bound);
        tcase_add_test(tcase, memory_that_is_out_is_an_error_not_a_crash);
        tcase_add_test(tcase, printf_formats_to_the_last_byte_of_the_bound);
        tcase_add_test(tcase, printf_grows_through_many_sizes);
        tcase_add_test(tcase, a_clipped_append_takes_what_fits_and_says_how_much);
        tcase_add_test(tcase, reserve_then_commit_part_of_it);
        tcase_add_test(tcase, consume_moves_the_rest_to_the_front);
        tcase_add_test(tcase, truncate_keeps_the_front);
        tcase_add_test(tcase, cstr_ends_in_a_nul_that_is_not_counted);
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_run(suite_make());
}
