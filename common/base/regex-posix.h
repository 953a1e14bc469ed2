#pragma once

/* POSIX regular expressions, as the C library reads them, to those of PCRE2 (regex.h). */

#include "common/base/buf.h"

typedef enum RegexPosixFlags {
        REGEX_POSIX_BASIC = 1 << 0,   /* \( \) \{ \} are the operators, as \+ \? \| */
        REGEX_POSIX_NEWLINE = 1 << 1, /* no dot and no [^...] matches a newline */
} RegexPosixFlags;

/*
 * Append to RET what means the same as POSIX (IEEE 1003.1, 9.3 and 9.4, with what the C library
 * adds: \w \W \s \S \b \B \< \> \` \' \1 ... \9). Without REGEX_POSIX_NEWLINE it is for
 * REGEX_DOTALL and REGEX_DOLLAR_ENDONLY, with it for REGEX_MULTILINE.
 *
 * What stays different: of several ways to match at one place PCRE2 takes the first alternative,
 * POSIX the longest match, which shows in groups only. Collating elements of more than one
 * character are refused, and "{2}{3}".
 *
 * 0; REGEX_E_SYNTAX with a static text (also when RET is full); -ENOMEM.
 */
int regex_from_posix(Str posix, unsigned flags, Buf *ret, const char **ret_reason);
