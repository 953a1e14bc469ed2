/*
 * Regular expressions: flags, groups, and that no expression takes longer than it may, whatever
 * the subject. And the translation from POSIX, whose oracle is the C library's own regcomp().
 */

#include "common/base/regex.h"

#include <regex.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/regex-posix.h"
#include "tests/unit/unit.h"

static RegexMatcher *matcher;
static Regex *regex;
static Buf error;

static void set_up(void) {
        ck_assert_int_eq(regex_matcher_new(&matcher), 0);
        error = BUF_INIT(256);
}

static void tear_down(void) {
        regex = regex_free(regex);
        matcher = regex_matcher_free(matcher);
        buf_deinit(&error);
}

static void make(const char *pattern, unsigned flags) {
        regex = regex_free(regex);
        ck_assert_msg(regex_new(str_from_cstr(pattern), flags, &regex, &error) == 0, "%s: %s",
                      pattern, buf_cstr(&error));
}

static int match(Str subject) {
        regex_matcher_start(matcher, subject);
        return regex_match(regex, matcher);
}

static void expect_group(unsigned i, const char *text) {
        Str group = regex_matcher_group(matcher, i);

        ck_assert_msg(str_equal(group, str_from_cstr(text)), "%.*s", STR_FMT(group));
}

typedef struct FlagCase {
        const char *pattern;
        const char *subject;
        unsigned flags;
        int result;
} FlagCase;

static const FlagCase flag_cases[] = {
        { "aB", "xaBx", 0, 0 },
        { "aB", "xabx", 0, REGEX_E_NONE },
        { "aB", "xAbx", REGEX_CASELESS, 0 },
        { "^b", "a\nb", 0, REGEX_E_NONE },
        { "^b", "a\nb", REGEX_MULTILINE, 0 },
        { "a.b", "a\nb", 0, REGEX_E_NONE },
        { "a.b", "a\nb", REGEX_DOTALL, 0 },
        { "a b", "ab", REGEX_EXTENDED, 0 },
        { "b", "ab", REGEX_ANCHORED, REGEX_E_NONE },
        { "a$", "a\n", 0, 0 },
        { "a$", "a\n", REGEX_DOLLAR_ENDONLY, REGEX_E_NONE },
        { "", "", 0, 0 },
        { "(*UTF)a", "\xff", 0, REGEX_E_FOREIGN },
        { "(*UTF)a", "b", 0, REGEX_E_NONE },
        { "^(?1)?(a|(?1)b)", "c", 0, REGEX_E_LIMIT }, /* for ever in itself */
};

START_TEST(flags_say_how_an_expression_is_read) {
        const FlagCase *c = &flag_cases[_i];

        make(c->pattern, c->flags);
        ck_assert_int_eq(match(str_from_cstr(c->subject)), c->result);
}
END_TEST

START_TEST(groups_are_slices_of_the_subject) {
        make("(b+)(x)?(d)", 0);
        ck_assert_uint_eq(regex_n_groups(regex), 3);
        ck_assert_int_eq(match(STR("abbd")), 0);
        expect_group(0, "bbd");
        expect_group(1, "bb");
        expect_group(2, "");
        expect_group(3, "d");
        expect_group(4, "");
        ck_assert_int_eq(match(STR("x")), REGEX_E_NONE);
        expect_group(0, "");
        make("(b+)", REGEX_UNGREEDY);
        ck_assert_int_eq(match(STR("abbd")), 0);
        expect_group(1, "b");
        make("b\\K", 0);
        ck_assert_int_eq(match(STR("ab")), 0);
        expect_group(0, "");
        make("b", 0);
        ck_assert_int_eq(match(str_from("a\0b", 3)), 0);
}
END_TEST

START_TEST(a_malformed_expression_says_what_is_wrong_and_where) {
        ck_assert_int_eq(regex_new(STR("a(b"), 0, &regex, &error), REGEX_E_SYNTAX);
        ck_assert_str_eq(buf_cstr(&error),
                         "missing closing parenthesis, at character 4 of the expression");
}
END_TEST

START_TEST(an_expression_has_a_largest_size) {
        char *text = malloc(REGEX_PATTERN_MAX + 1);

        ck_assert_ptr_nonnull(text);
        memset(text, 'a', REGEX_PATTERN_MAX + 1);
        ck_assert_int_eq(regex_new(str_from(text, REGEX_PATTERN_MAX + 1), 0, &regex, &error),
                         REGEX_E_SYNTAX);
        free(text);
}
END_TEST

typedef struct SlowCase {
        const char *pattern;
        size_t len; /* of a subject of this many 'a' */
} SlowCase;

/* Each ends in what is not there, and PCRE2 must not see that at once. */
static const SlowCase slow_cases[] = {
        { "(a+)+[xy]", 30 },
        { "^(a|aa)+[xy]", 60 },
        { "(a*)*[xy]", 200 },
        { "(a+)+[xy]", 256 },
        { "(a+)+[xy]", 4096 },
        { "a*a*a*a*[xy]", 4096 },
        { ".*.*(?>[^z]*)[xy]", 4096 },
        { ".*.*(?>[^z]*)[xy]", REGEX_SUBJECT_MAX },
        { "[^z]*z?[xy]", REGEX_SUBJECT_MAX },
        { "(?:a?){200}a{200}[xy]", 250 },
        { "(x+x+)+y|(a+a+)+[xy]", 100 },
        { "(.)*(.)*(.)*(.)*[xy]", REGEX_SUBJECT_MAX },
        { "(a(?1)?)*[xy]", 5000 },
};

/* Twice as long as it may: the machine does other things, too. */
START_TEST(no_expression_takes_longer_than_it_may) {
        const SlowCase *c = &slow_cases[_i];
        char *text = malloc(c->len);
        struct timespec start, end;
        usec_t used;
        int r;

        ck_assert_ptr_nonnull(text);
        memset(text, 'a', c->len);
        make(c->pattern, 0);
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
        r = match(str_from(text, c->len));
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        used = (usec_t)(end.tv_sec - start.tv_sec) * USEC_PER_SEC + (usec_t)(end.tv_nsec / 1000) -
               (usec_t)(start.tv_nsec / 1000);
        ck_assert_msg(r == REGEX_E_LIMIT, "%d after %llu", r, (unsigned long long)used);
        ck_assert_uint_le(used, 2 * REGEX_TIME_USEC);
        free(text);
        /* It is of the subject, not for ever. */
        ck_assert_int_ne(match(STR("b")), REGEX_E_LIMIT);
}
END_TEST

START_TEST(the_time_is_for_all_expressions_that_one_subject_meets) {
        char text[200];
        int r = REGEX_E_NONE;
        int n = 0;

        memset(text, 'a', sizeof(text));
        make("a*[xy]", 0);
        regex_matcher_start(matcher, str_from(text, sizeof(text)));
        while (r == REGEX_E_NONE && n++ < 100000)
                r = regex_match(regex, matcher);
        ck_assert_int_eq(r, REGEX_E_LIMIT);
        ck_assert_int_gt(n, 1);
}
END_TEST

START_TEST(ordinary_expressions_have_time_enough) {
        char *text = malloc(REGEX_SUBJECT_MAX + 1);

        ck_assert_ptr_nonnull(text);
        for (size_t i = 0; i <= REGEX_SUBJECT_MAX; i++)
                text[i] = "some words and "[i % 15];
        make("^(.*)x(.*)y", 0);
        ck_assert_int_eq(match(str_from(text, REGEX_SUBJECT_MAX)), REGEX_E_NONE);
        make("words.*and$|nothing", 0);
        ck_assert_int_eq(match(str_from(text, 2000)), REGEX_E_NONE);
        make("^(.)*(.)*(.)*[xz]", 0);
        ck_assert_int_eq(match(str_from(text, 60)), REGEX_E_NONE);
        make("(\\w+) (\\w+) and s", 0);
        ck_assert_int_eq(match(str_from(text, 2000)), 0);
        expect_group(2, "words");
        ck_assert_int_eq(match(str_from(text, REGEX_SUBJECT_MAX + 1)), REGEX_E_LIMIT);
        free(text);
}
END_TEST

/* ---- POSIX ---- */

static const char *const posix_extended[] = {
        "",         "abc",     "a.c",    "a*",        "a+b?",        "(a|b)c",       "a||b",
        "(|a)b",    "()a",     "^a",     "a$",        "^$",          "a^b",          "a$b",
        "[abc]",    "[^abc]",  "[]a]",   "[^]a]",     "[a-c]x",      "[-a]",         "[a-]",
        "[^-a]",    "[\\]",    "[\\.]",  "[[]",       "[[:alpha:]]", "[^[:digit:]]", "[[.a.]]",
        "[[=a=]b]", "[[.-.]]", "a{2}",   "a{1,}b",    "a{1,2}b",     "a{,2}b",       "a{2",
        "a{b}",     "a{2,1}",  "a\\{",   "a\\.b",     "a\\(b",       "a\\|b",        "\\<b",
        "b\\>",     "\\bb",    "a\\B",   "\\w+",      "\\W",         "\\s",          "\\S\\s",
        "\\`a",     "b\\'",    "(a)\\1", "(a)(b)\\2", "a**b",        "a*?c",         "a+*b",
        "a?+b",     "*a",      "+",      "a|*b",      "(*a)",        "(?a)",         "(?:a)",
        "^*a",      "a)",      "(a",     "[a",        "[[:alpha",    "[[:nope:]]",   "a\\",
        "a{0}b",    "#a b",    "a-b",    "{a",        "a{1}{2",      "(a{2})*b",     "(a+)+b",
        "[%--]",    "[a^]",    "x*",     "a.b",       "a[^x]b",      "^b",           "\\-a",
        "(ab|cd)+", "[a-c-]x", "}a",     "]a",        "a\\/b",       "\\^a",
};

static const char *const posix_basic[] = {
        "abc",      "a.c",        "a*b",        "*a",    "^*a",   "\\(*a\\)",     "\\(a\\)\\1",
        "a\\{2\\}", "a\\{1,\\}b", "a\\+b",      "a\\?b", "a\\|b", "\\(a\\|b\\)c", "a|b",
        "a+b",      "a?b",        "(a)",        "a{2}",  "^a",    "a^b",          "a$",
        "a$b",      "\\(^a\\)",   "\\(a$\\)",   "[^a]",  "a\\{2", "a\\)",         "\\(a",
        "\\<b\\>",  "a\\.b",      "a\\{,2\\}b", "a\\*b", "\\{a",  "x\\|^a",
};

static const char *const posix_subjects[] = {
        "",     "a",    "b",    "ab",   "abc", "aab",  "aac", "ac",   "bc",   "c",   "a.b", "a(b",
        "a|b",  "a{",   "a{2}", "a{b}", "aa",  "aaaa", "ba",  "x",    "]",    "\\",  "[",   "-",
        "a b",  "a\nb", "b\na", "a*b",  "*a",  "^a",   "a^b", "a$b",  "(a)",  "a)",  "a+b", "a?b",
        "#a b", "1",    "a1",   "%",    "+",   ".",    "\n",  "abab", "xab",  "abx", "a-b", "{a",
        "}a",   "]a",   "a/b",  "aaab", "cd",  "ax",   "a{2", "^*a",  "aabb", "A",   "_",   " ",
};

static void compare_all(const char *pattern, const regex_t *posix, const char *translated) {
        for (size_t i = 0; i < ARRAY_LEN(posix_subjects); i++) {
                const char *subject = posix_subjects[i];
                bool expected = regexec(posix, subject, 0, NULL, 0) == 0;

                ck_assert_msg((match(str_from_cstr(subject)) == 0) == expected,
                              "/%s/ is /%s/: %s: %d", pattern, translated, subject, expected);
        }
}

/* What POSIX accepts is accepted and matches the same; what it refuses is refused. */
static void compare(const char *pattern, unsigned flags) {
        bool newline = flags & REGEX_POSIX_NEWLINE;
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1024);
        const char *reason = NULL;
        regex_t posix;
        int expected = regcomp(&posix, pattern,
                               (flags & REGEX_POSIX_BASIC ? 0 : REG_EXTENDED) |
                                       (newline ? REG_NEWLINE : 0));
        int r = regex_from_posix(str_from_cstr(pattern), flags, &text, &reason);

        regex = regex_free(regex);
        if (r == 0)
                r = regex_new(buf_str(&text),
                              newline ? REGEX_MULTILINE : REGEX_DOTALL | REGEX_DOLLAR_ENDONLY,
                              &regex, &error);
        else
                ck_assert_ptr_nonnull(reason);
        ck_assert_msg((r == 0) == (expected == 0), "/%s/ is /%s/: %d, %s, %s", pattern,
                      buf_cstr(&text), r, reason, buf_cstr(&error));
        if (r == 0)
                compare_all(pattern, &posix, buf_cstr(&text));
        if (expected == 0)
                regfree(&posix);
}

START_TEST(posix_extended_expressions_mean_what_they_mean_to_the_c_library) {
        compare(posix_extended[_i], 0);
        compare(posix_extended[_i], REGEX_POSIX_NEWLINE);
}
END_TEST

START_TEST(posix_basic_expressions_do_too) {
        compare(posix_basic[_i], REGEX_POSIX_BASIC);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("regex");
        TCase *tcase = tcase_create("regex");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_loop_test(tcase, flags_say_how_an_expression_is_read, 0, ARRAY_LEN(flag_cases));
        tcase_add_test(tcase, groups_are_slices_of_the_subject);
        tcase_add_test(tcase, a_malformed_expression_says_what_is_wrong_and_where);
        tcase_add_test(tcase, an_expression_has_a_largest_size);
        tcase_add_loop_test(tcase, no_expression_takes_longer_than_it_may, 0,
                            ARRAY_LEN(slow_cases));
        tcase_add_test(tcase, the_time_is_for_all_expressions_that_one_subject_meets);
        tcase_add_test(tcase, ordinary_expressions_have_time_enough);
        tcase_add_loop_test(tcase, posix_extended_expressions_mean_what_they_mean_to_the_c_library,
                            0, ARRAY_LEN(posix_extended));
        tcase_add_loop_test(tcase, posix_basic_expressions_do_too, 0, ARRAY_LEN(posix_basic));
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
