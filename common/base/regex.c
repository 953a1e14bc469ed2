/*
 * How the time is bounded. PCRE2 has a limit of steps, but it counts them for each start in the
 * subject anew, and one step may pass over the whole rest of the subject. So:
 *
 * - A short subject is searched with so few steps that even the worst expression ends in 20 ms.
 *   Almost all searches end here.
 * - A long subject, or one for which these steps were too few, is searched with the same
 *   expression compiled so that it calls back before each of its items, and the call back looks
 *   at the clock. That is exact, and several times slower.
 *
 * No just-in-time compiler: services may not write what they execute.
 */

#define PCRE2_CODE_UNIT_WIDTH 8

#include "common/base/regex.h"

#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/clock.h"

#define SHORT_BYTES     256
#define SHORT_STEPS     (20 * 1000 * 1000) /* bytes passed, at worst */
#define SHORT_STEPS_MAX 10000
#define LONG_STEPS      (100 * 1000 * 1000)
#define DEPTH_MAX       (1000 * 1000)
#define HEAP_MAX_KB     (32 * 1024)
#define CALLS_PER_LOOK  16

struct Regex {
        pcre2_code *code;
        pcre2_code *timed; /* the same with call-backs; made when it is needed */
        char *pattern;
        size_t pattern_len;
        uint32_t options;
};

struct RegexMatcher {
        pcre2_match_data *data;
        pcre2_match_context *context;
        Str subject;
        int n_groups;   /* of the last match, and the match itself */
        bool was_timed; /* such a search may have left a lot of memory */
        const char *error;

        usec_t start_usec;
        usec_t cpu_from_usec; /* 0: no need yet to ask */
        unsigned n_calls;
};

/* ---- the expression ---- */

static uint32_t options_of(unsigned flags) {
        static const uint32_t options[] = { PCRE2_CASELESS, PCRE2_MULTILINE, PCRE2_DOTALL,
                                            PCRE2_EXTENDED, PCRE2_ANCHORED,  PCRE2_DOLLAR_ENDONLY,
                                            PCRE2_UNGREEDY };
        uint32_t result = 0;

        for (size_t i = 0; i < ARRAY_LEN(options); i++)
                if (flags & (1U << i))
                        result |= options[i];
        return result;
}

/* 0 or an error of PCRE2 with the place in the pattern. */
static int compile(const Regex *regex, uint32_t more, pcre2_code **ret, size_t *ret_offset) {
        int error = 0;

        *ret = pcre2_compile((PCRE2_SPTR)regex->pattern, regex->pattern_len, regex->options | more,
                             &error, ret_offset, NULL);
        return *ret ? 0 : error;
}

static int describe(Buf *error, int code, size_t offset) {
        unsigned char text[128] = "";

        if (code == PCRE2_ERROR_NOMEMORY)
                return -ENOMEM;
        (void)pcre2_get_error_message(code, text, sizeof(text));
        (void)buf_printf(error, "%s, at character %zu of the expression", (char *)text, offset + 1);
        return REGEX_E_SYNTAX;
}

int regex_new(Str pattern, unsigned flags, Regex **ret, Buf *error) {
        _cleanup_(regex_freep) Regex *regex = calloc(1, sizeof(*regex));
        size_t offset = 0;
        int code;

        if (!regex)
                return -ENOMEM;
        if (pattern.len > REGEX_PATTERN_MAX) {
                (void)buf_append_cstr(error, "an expression that is too long");
                return REGEX_E_SYNTAX;
        }
        regex->pattern = str_dup(pattern);
        if (!regex->pattern)
                return -ENOMEM;
        regex->pattern_len = pattern.len;
        regex->options = options_of(flags);
        code = compile(regex, 0, &regex->code, &offset);
        if (code != 0)
                return describe(error, code, offset);
        *ret = TAKE_PTR(regex);
        return 0;
}

Regex *regex_free(Regex *regex) {
        if (!regex)
                return NULL;
        pcre2_code_free(regex->code);
        pcre2_code_free(regex->timed);
        free(regex->pattern);
        free(regex);
        return NULL;
}

unsigned regex_n_groups(const Regex *regex) {
        uint32_t n = 0;

        (void)pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &n);
        return n;
}

/* ---- the time ---- */

static usec_t cpu_usec(void) {
        struct timespec now;

        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        return (usec_t)now.tv_sec * USEC_PER_SEC + (usec_t)now.tv_nsec / 1000;
}

/*
 * Only what this process used counts, or a busy machine would make expressions fail; but to ask
 * for that is a system call, and half of the time can pass before it is worth one.
 */
static bool is_time_over(RegexMatcher *matcher) {
        if (clock_monotonic_usec() - matcher->start_usec < REGEX_TIME_USEC / 2)
                return false;
        if (matcher->cpu_from_usec == 0)
                matcher->cpu_from_usec = cpu_usec();
        return cpu_usec() - matcher->cpu_from_usec >= REGEX_TIME_USEC / 2;
}

static int on_item(pcre2_callout_block *block, void *userdata) {
        RegexMatcher *matcher = userdata;

        return ++matcher->n_calls % CALLS_PER_LOOK == 0 && is_time_over(matcher)
                       ? PCRE2_ERROR_MATCHLIMIT
                       : 0;
}

/* ---- the search ---- */

int regex_matcher_new(RegexMatcher **ret) {
        _cleanup_(regex_matcher_freep) RegexMatcher *matcher = calloc(1, sizeof(*matcher));

        if (!matcher)
                return -ENOMEM;
        matcher->data = pcre2_match_data_create(REGEX_GROUPS_MAX + 1, NULL);
        matcher->context = pcre2_match_context_create(NULL);
        if (!matcher->data || !matcher->context)
                return -ENOMEM;
        (void)pcre2_set_callout(matcher->context, on_item, matcher);
        (void)pcre2_set_depth_limit(matcher->context, DEPTH_MAX);
        (void)pcre2_set_heap_limit(matcher->context, HEAP_MAX_KB);
        *ret = TAKE_PTR(matcher);
        return 0;
}

RegexMatcher *regex_matcher_free(RegexMatcher *matcher) {
        if (!matcher)
                return NULL;
        pcre2_match_data_free(matcher->data);
        pcre2_match_context_free(matcher->context);
        free(matcher);
        return NULL;
}

void regex_matcher_start(RegexMatcher *matcher, Str subject) {
        pcre2_match_data *fresh;

        matcher->subject = subject;
        matcher->n_groups = 0;
        matcher->start_usec = clock_monotonic_usec();
        matcher->cpu_from_usec = 0;
        if (!matcher->was_timed)
                return;
        fresh = pcre2_match_data_create(REGEX_GROUPS_MAX + 1, NULL);
        if (!fresh)
                return;
        pcre2_match_data_free(matcher->data);
        matcher->data = fresh;
        matcher->was_timed = false;
}

static int search(const pcre2_code *code, RegexMatcher *matcher, uint32_t n_steps) {
        const char *data = matcher->subject.data ? matcher->subject.data : "";

        (void)pcre2_set_match_limit(matcher->context, n_steps);
        return pcre2_match(code, (PCRE2_SPTR)data, matcher->subject.len, 0, 0, matcher->data,
                           matcher->context);
}

/* That an expression is new here is not the subject's fault: the time does not count. */
static int compile_timed(Regex *regex, RegexMatcher *matcher) {
        usec_t start_usec = matcher->cpu_from_usec > 0 ? cpu_usec() : 0;
        size_t offset;
        int code = compile(regex, PCRE2_AUTO_CALLOUT, &regex->timed, &offset);

        if (start_usec > 0)
                matcher->cpu_from_usec += cpu_usec() - start_usec;
        return code;
}

static int search_timed(Regex *regex, RegexMatcher *matcher) {
        int code = 0;

        matcher->was_timed = true;
        if (!regex->timed)
                code = compile_timed(regex, matcher);
        return code != 0 ? PCRE2_ERROR_NOMEMORY : search(regex->timed, matcher, LONG_STEPS);
}

static bool is_limit(int code) {
        return code == PCRE2_ERROR_MATCHLIMIT || code == PCRE2_ERROR_DEPTHLIMIT ||
               code == PCRE2_ERROR_HEAPLIMIT;
}

static int search_short(Regex *regex, RegexMatcher *matcher) {
        size_t n = matcher->subject.len + 1;
        int code = search(regex->code, matcher,
                          (uint32_t)size_min(SHORT_STEPS / (n * n), SHORT_STEPS_MAX));

        return is_limit(code) ? search_timed(regex, matcher) : code;
}

static int give_up(RegexMatcher *matcher, int r, const char *error) {
        matcher->error = error;
        return r;
}

/* What CODE of PCRE2 means. Only "no match" is one: another error leaves it open. */
static int judge(RegexMatcher *matcher, int code) {
        if (code == PCRE2_ERROR_NOMEMORY)
                return give_up(matcher, -ENOMEM, "out of memory");
        if (is_limit(code) || is_time_over(matcher))
                return give_up(matcher, REGEX_E_LIMIT, "the expression takes too long");
        if (code == PCRE2_ERROR_NOMATCH)
                return REGEX_E_NONE;
        if (code <= PCRE2_ERROR_UTF8_ERR1 && code >= PCRE2_ERROR_UTF8_ERR21)
                return REGEX_E_FOREIGN;
        if (code < 0)
                return give_up(matcher, REGEX_E_LIMIT, "the expression cannot be searched for");
        matcher->n_groups = code > 0 ? code : REGEX_GROUPS_MAX + 1;
        return 0;
}

int regex_match(Regex *regex, RegexMatcher *matcher) {
        matcher->n_groups = 0;
        if (matcher->subject.len > REGEX_SUBJECT_MAX)
                return give_up(matcher, REGEX_E_LIMIT, "the text is too long");
        return judge(matcher, matcher->subject.len <= SHORT_BYTES ? search_short(regex, matcher)
                                                                  : search_timed(regex, matcher));
}

const char *regex_matcher_error(const RegexMatcher *matcher) {
        return matcher->error;
}

Str regex_matcher_group(const RegexMatcher *matcher, unsigned i) {
        const size_t *ends = pcre2_get_ovector_pointer(matcher->data);

        if (i >= (unsigned)matcher->n_groups || ends[2 * i] == PCRE2_UNSET)
                return STR_NULL;
        /* \K may put the start behind the end. */
        if (ends[2 * i + 1] <= ends[2 * i])
                return STR_NULL;
        return str_from(matcher->subject.data + ends[2 * i], ends[2 * i + 1] - ends[2 * i]);
}
