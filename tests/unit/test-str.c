/* Str: slices that may hold any byte, compared and parsed by ASCII rules only. */

#include <stdlib.h>

#include "common/base/macro.h"
#include "common/base/str.h"
#include "tests/unit/unit.h"

static bool same(Str s, const char *expected) {
        return str_equal(s, str_from_cstr(expected));
}

START_TEST(a_nul_inside_is_a_byte_like_any_other) {
        Str s = STR("ab\0cd");

        ck_assert_uint_eq(s.len, 5);
        ck_assert(!str_equal(s, STR("ab")));
        ck_assert(!str_equal(s, STR("ab\0ce")));
        ck_assert(str_equal(s, STR("ab\0cd")));
        ck_assert(str_contains(s, '\0'));
        ck_assert_uint_eq(str_find(s, 'c'), 3);
}
END_TEST

START_TEST(empty_slices_without_memory_are_equal_to_any_empty_one) {
        ck_assert(str_equal(STR_NULL, STR("")));
        ck_assert(str_equal_nocase(STR_NULL, STR("")));
        ck_assert(str_is_empty(str_from_cstr(NULL)));
        ck_assert(str_has_prefix(STR_NULL, STR_NULL));
        ck_assert(str_has_suffix(STR("x"), STR_NULL));
        ck_assert(!str_contains(STR_NULL, 'x'));
        ck_assert_uint_eq(str_trim(STR_NULL).len, 0);
        ck_assert_uint_eq(str_skip(STR_NULL, 3).len, 0);
}
END_TEST

START_TEST(case_folds_for_ascii_letters_only) {
        ck_assert(str_equal_nocase(STR("MAIL From:"), STR("mail fROM:")));
        ck_assert(str_has_prefix_nocase(STR("Received: x"), STR("rECEIVED:")));
        ck_assert(!str_has_prefix_nocase(STR("Rec"), STR("rECEIVED:")));
        ck_assert(!str_equal_nocase(STR("\xc4"), STR("\xe4")));
        ck_assert(!str_equal_nocase(STR("@"), STR("`")));
        ck_assert(!str_equal_nocase(STR("["), STR("{")));
        ck_assert(!str_equal(STR("a"), STR("A")));
}
END_TEST

START_TEST(prefix_and_suffix_need_their_whole_length) {
        ck_assert(str_has_prefix(STR("abc"), STR("ab")));
        ck_assert(!str_has_prefix(STR("a"), STR("ab")));
        ck_assert(str_has_suffix(STR("abc"), STR("bc")));
        ck_assert(!str_has_suffix(STR("c"), STR("bc")));
}
END_TEST

START_TEST(find_gives_the_length_when_there_is_none) {
        ck_assert_uint_eq(str_find(STR("a@b@c"), '@'), 1);
        ck_assert_uint_eq(str_find_last(STR("a@b@c"), '@'), 3);
        ck_assert_uint_eq(str_find(STR("abc"), '@'), 3);
        ck_assert_uint_eq(str_find_last(STR("abc"), '@'), 3);
        ck_assert_uint_eq(str_find_last(STR_NULL, '@'), 0);
}
END_TEST

START_TEST(skip_and_first_stop_at_the_end) {
        ck_assert(same(str_skip(STR("abc"), 1), "bc"));
        ck_assert(same(str_skip(STR("abc"), 9), ""));
        ck_assert(same(str_first(STR("abc"), 2), "ab"));
        ck_assert(same(str_first(STR("abc"), 9), "abc"));
}
END_TEST

START_TEST(trim_takes_white_space_off_both_ends_only) {
        ck_assert(same(str_trim(STR(" \t a b\r\n\v\f")), "a b"));
        ck_assert(same(str_trim(STR(" \t ")), ""));
        ck_assert_uint_eq(str_trim(STR("\0a ")).len, 2);
}
END_TEST

START_TEST(parts_between_separators_may_be_empty) {
        const char *expected[] = { "a", "", "b", "" };
        Str rest = STR("a,,b,"), part;
        size_t n = 0;

        while (str_next_part(&rest, ',', &part)) {
                ck_assert_uint_lt(n, ARRAY_LEN(expected));
                ck_assert(same(part, expected[n]));
                n++;
        }
        ck_assert_uint_eq(n, ARRAY_LEN(expected));
        ck_assert(!str_next_part(&rest, ',', &part));
}
END_TEST

START_TEST(words_are_split_at_white_space_and_commas) {
        const char *expected[] = { "a", "b", "c" };
        Str rest = STR(" a,, b\n\tc , "), word;
        size_t n = 0;

        while (str_next_word(&rest, &word)) {
                ck_assert_uint_lt(n, ARRAY_LEN(expected));
                ck_assert(same(word, expected[n]));
                n++;
        }
        ck_assert_uint_eq(n, ARRAY_LEN(expected));
}
END_TEST

START_TEST(a_copy_ends_in_a_nul) {
        _cleanup_(freep) char *copy = str_dup(str_first(STR("abc"), 2));
        _cleanup_(freep) char *empty = str_dup(STR_NULL);

        ck_assert_str_eq(copy, "ab");
        ck_assert_str_eq(empty, "");
}
END_TEST

static const struct {
        const char *text;
        uint64_t max;
        int result;
        uint64_t value;
} decimals[] = {
        { "0", 10, 0, 0 },
        { "10", 10, 0, 10 },
        { "0010", 10, 0, 10 },
        { "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
        { "11", 10, STR_E_RANGE, 0 },
        { "18446744073709551616", UINT64_MAX, STR_E_RANGE, 0 },
        { "99999999999999999999", UINT64_MAX, STR_E_RANGE, 0 },
        { "", 10, STR_E_SYNTAX, 0 },
        { "-1", 10, STR_E_SYNTAX, 0 },
        { "+1", 10, STR_E_SYNTAX, 0 },
        { " 1", 10, STR_E_SYNTAX, 0 },
        { "1 ", 10, STR_E_SYNTAX, 0 },
        { "0x1", 10, STR_E_SYNTAX, 0 },
        { "1a", 10, STR_E_SYNTAX, 0 },
};

START_TEST(decimals_take_all_of_the_slice_and_respect_the_bound) {
        uint64_t value = 0;

        ck_assert_int_eq(str_parse_u64(str_from_cstr(decimals[_i].text), decimals[_i].max, &value),
                         decimals[_i].result);
        if (decimals[_i].result == 0)
                ck_assert_uint_eq(value, decimals[_i].value);
}
END_TEST

START_TEST(hexadecimals_come_in_both_cases) {
        uint64_t value = 0;

        ck_assert_int_eq(str_parse_hex_u64(STR("fFfFffFFffffffff"), UINT64_MAX, &value), 0);
        ck_assert_uint_eq(value, UINT64_MAX);
        ck_assert_int_eq(str_parse_hex_u64(STR("10000000000000000"), UINT64_MAX, &value),
                         STR_E_RANGE);
        ck_assert_int_eq(str_parse_hex_u64(STR("0g"), UINT64_MAX, &value), STR_E_SYNTAX);
        ck_assert_int_eq(str_parse_hex_u64(STR("0x1"), UINT64_MAX, &value), STR_E_SYNTAX);
        ck_assert_int_eq(str_parse_hex_u64(STR("\xff"), UINT64_MAX, &value), STR_E_SYNTAX);
}
END_TEST

START_TEST(character_classes_are_ascii_for_every_byte) {
        unsigned n_digit = 0, n_alpha = 0, n_space = 0, n_control = 0;

        for (int c = 0; c < 256; c++) {
                n_digit += ascii_is_digit((char)c);
                n_alpha += ascii_is_alpha((char)c);
                n_space += ascii_is_space((char)c);
                n_control += ascii_is_control((char)c);
        }
        ck_assert_uint_eq(n_digit, 10);
        ck_assert_uint_eq(n_alpha, 52);
        ck_assert_uint_eq(n_space, 6);
        ck_assert_uint_eq(n_control, 33);
}
END_TEST

/* RFC 3629 4: each first and last of a range of the grammar, and what lies just outside. */
static const struct {
        const char *bytes;
        size_t length;
} characters[] = {
        { "", 0 },
        { "a\x80", 1 },
        { "\x80", 0 },
        { "\xc1\xbf", 0 },
        { "\xc2\x80", 2 },
        { "\xdf\xbf"
          "x",
          2 },
        { "\xdf", 0 },
        { "\xc3\xc3", 0 },
        { "\xe0\x9f\xbf", 0 },
        { "\xe0\xa0\x80", 3 },
        { "\xed\x9f\xbf", 3 },
        { "\xed\xa0\x80", 0 },
        { "\xef\xbf", 0 },
        { "\xf0\x8f\xbf\xbf", 0 },
        { "\xf0\x90\x80\x80", 4 },
        { "\xf4\x8f\xbf\xbf", 4 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xf5\x80\x80\x80", 0 },
};

START_TEST(utf8_is_what_rfc_3629_says) {
        ck_assert_uint_eq(str_utf8_length(str_from_cstr(characters[_i].bytes)),
                          characters[_i].length);
}
END_TEST

static Suite *suite_make(void) {
        Suite *suite = suite_create("str");
        TCase *tcase = tcase_create("str");

        tcase_add_test(tcase, a_nul_inside_is_a_byte_like_any_other);
        tcase_add_test(tcase, empty_slices_without_memory_are_equal_to_any_empty_one);
        tcase_add_test(tcase, case_folds_for_ascii_letters_only);
        tcase_add_test(tcase, prefix_and_suffix_need_their_whole_length);
        tcase_add_test(tcase, find_gives_the_length_when_there_is_none);
        tcase_add_test(tcase, skip_and_first_stop_at_the_end);
        tcase_add_test(tcase, trim_takes_white_space_off_both_ends_only);
        tcase_add_test(tcase, parts_between_separators_may_be_empty);
        tcase_add_test(tcase, words_are_split_at_white_space_and_commas);
        tcase_add_test(tcase, a_copy_ends_in_a_nul);
        tcase_add_loop_test(tcase, decimals_take_all_of_the_slice_and_respect_the_bound, 0,
                            ARRAY_LEN(decimals));
        tcase_add_test(tcase, hexadecimals_come_in_both_cases);
        tcase_add_test(tcase, character_classes_are_ascii_for_every_byte);
        tcase_add_loop_test(tcase, utf8_is_what_rfc_3629_says, 0, ARRAY_LEN(characters));
        suite_add_tcase(suite, tcase);
        return suite;
}

int main(void) {
        return unit_run(suite_make());
}
