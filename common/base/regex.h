#pragma once

/*
 * Regular expressions (PCRE2) that answer in bounded time: an expression that would search for
 * minutes fails, whatever it is and whatever the subject.
 *
 * Bytes are bytes: there is no UTF-8 mode unless an expression begins with (*UTF).
 */

#include "common/base/buf.h"
#include "common/base/macro.h"
#include "common/base/str.h"

/* A longer subject, or expression, is refused. */
#define REGEX_SUBJECT_MAX ((size_t)128 * 1024)
#define REGEX_PATTERN_MAX ((size_t)64 * 1024)

/* Groups that a match tells, of any that an expression has. */
#define REGEX_GROUPS_MAX 255

/* Processor time that a matcher has for one subject, or little more. */
#define REGEX_TIME_USEC (100 * USEC_PER_MSEC)

typedef enum RegexFlags {
        REGEX_CASELESS = 1 << 0,
        REGEX_MULTILINE = 1 << 1,      /* ^ and $ match at each newline, too */
        REGEX_DOTALL = 1 << 2,         /* a dot matches a newline, too */
        REGEX_EXTENDED = 1 << 3,       /* white space in the expression does not count */
        REGEX_ANCHORED = 1 << 4,       /* matches at the start of the subject only */
        REGEX_DOLLAR_ENDONLY = 1 << 5, /* $ does not match before a newline at the end */
        REGEX_UNGREEDY = 1 << 6,
} RegexFlags;

enum {
        REGEX_E_SYNTAX = 1,
        REGEX_E_NONE = 2,    /* does not match */
        REGEX_E_LIMIT = 3,   /* gave up: regex_matcher_error() says why */
        REGEX_E_FOREIGN = 4, /* the subject is not UTF-8, and the expression wants that */
};

typedef struct Regex Regex;

/* Make one of PATTERN, FLAGS of RegexFlags. 0; REGEX_E_SYNTAX with a text in ERROR; -ENOMEM. */
int regex_new(Str pattern, unsigned flags, Regex **ret, Buf *error);
Regex *regex_free(Regex *regex);
DEFINE_CLEANUP(Regex, regex_free)

/* How many groups it has. */
unsigned regex_n_groups(const Regex *regex);

/* What is searched, and how much time is left for that. */
typedef struct RegexMatcher RegexMatcher;
int regex_matcher_new(RegexMatcher **ret);
RegexMatcher *regex_matcher_free(RegexMatcher *matcher);
DEFINE_CLEANUP(RegexMatcher, regex_matcher_free)

/* A new subject, which must outlive its matches; the time begins anew. */
void regex_matcher_start(RegexMatcher *matcher, Str subject);

/*
 * Search. 0; REGEX_E_NONE; REGEX_E_FOREIGN; REGEX_E_LIMIT, also when earlier searches took the
 * time; -ENOMEM.
 */
int regex_match(Regex *regex, RegexMatcher *matcher);

/* Why the last search gave up, or could not be done: a static text. */
const char *regex_matcher_error(const RegexMatcher *matcher);

/* What group I (0: all) of the last match is, a slice of the subject; empty: it took no part. */
Str regex_matcher_group(const RegexMatcher *matcher, unsigned i);
