/*
 * POSIX expressions to PCRE2: the first byte has the flags, then comes a subject to its newline,
 * then the expression. What is translated is malformed at most in its size, and is in time.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/base/regex-posix.h"
#include "common/base/regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(regex_matcher_freep) RegexMatcher *matcher = NULL;
        _cleanup_(regex_freep) Regex *regex = NULL;
        _cleanup_(buf_deinit) Buf error = BUF_INIT(256);
        _cleanup_(buf_deinit) Buf text = BUF_INIT(REGEX_PATTERN_MAX);
        Str rest = str_skip(str_from((const char *)data, size), 1);
        Str subject = str_first(rest, str_find(rest, '\n'));
        Str posix = str_skip(rest, subject.len + 1);
        const char *reason = NULL;

        if (regex_matcher_new(&matcher) != 0)
                return 0;
        if (regex_from_posix(posix, size > 0 ? data[0] & 3U : 0, &text, &reason) != 0) {
                if (!reason)
                        abort();
                return 0;
        }
        if (regex_new(buf_str(&text), REGEX_DOTALL, &regex, &error) != 0)
                return 0;
        regex_matcher_start(matcher, subject);
        if (regex_match(regex, matcher) == 0 && regex_matcher_group(matcher, 0).len > subject.len)
                abort();
        return 0;
}
