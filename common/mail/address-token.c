#include "common/mail/address-token.h"

#include "common/base/macro.h"

#define COMMENT_DEPTH_MAX 100

bool address_is_atext(char c) {
        return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80 ||
               (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Behind the comment that begins REST. False: unbalanced or too deep. */
static bool skip_comment(Str *rest) {
        size_t i = 0, depth = 0, deepest = 0;

        while (i < rest->len) {
                char c = rest->data[i++];

                if (c == '\\')
                        i++;
                else if (c == '(')
                        deepest = size_max(deepest, ++depth);
                else if (c == ')' && --depth == 0)
                        break;
        }
        *rest = str_skip(*rest, i);
        return depth == 0 && deepest <= COMMENT_DEPTH_MAX;
}

/* Take what goes from the opening byte of REST to CLOSE; false when that never comes. */
static bool take_enclosed(Str *rest, char close, Str *ret) {
        for (size_t i = 1; i < rest->len; i++) {
                if (rest->data[i] == '\\') {
                        i++;
                } else if (rest->data[i] == close) {
                        *ret = str_first(*rest, i + 1);
                        *rest = str_skip(*rest, i + 1);
                        return true;
                }
        }
        *rest = str_skip(*rest, rest->len);
        return false;
}

static int take_atom(Str *rest, Str *ret) {
        size_t n = 0;

        while (n < rest->len && address_is_atext(rest->data[n]))
                n++;
        *ret = str_first(*rest, n);
        *rest = str_skip(*rest, size_max(n, 1));
        return n > 0 ? ADDRESS_TOKEN_WORD : ADDRESS_TOKEN_BAD;
}

int address_token_next(Str *rest, Str *ret) {
        while (rest->len > 0) {
                char c = rest->data[0];

                if (ascii_is_space(c)) {
                        *rest = str_skip(*rest, 1);
                        continue;
                }
                if (c == '(') {
                        if (!skip_comment(rest))
                                return ADDRESS_TOKEN_BAD;
                        continue;
                }
                if (c == '"')
                        return take_enclosed(rest, '"', ret) ? ADDRESS_TOKEN_WORD
                                                             : ADDRESS_TOKEN_BAD;
                if (c == '[')
                        return take_enclosed(rest, ']', ret) ? ADDRESS_TOKEN_WORD
                                                             : ADDRESS_TOKEN_BAD;
                if (c == '\0' || !strchr(".@<>,;:", c))
                        return take_atom(rest, ret);
                *rest = str_skip(*rest, 1);
                return c;
        }
        return ADDRESS_TOKEN_END;
}
