/* Base64, three bytes and four characters at a time. */

#include "common/base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_append_encoded(Str data, Buf *ret) {
        size_t len = (data.len + 2) / 3 * 4;
        char *out;
        int r = buf_reserve(ret, len, &out);

        if (r != 0)
                return r;
        for (; data.len > 0; data = str_skip(data, 3), out += 4) {
                uint32_t bits = 0;

                for (size_t i = 0; i < 3; i++)
                        bits = bits << 8 | (i < data.len ? (unsigned char)data.data[i] : 0);
                for (size_t i = 0; i < 4; i++)
                        out[i] = i <= data.len ? alphabet[bits >> (18 - 6 * i) & 63] : '=';
        }
        buf_commit(ret, len);
        return 0;
}

/* The N characters of a group that are no filling; false: one of them is none of ours. */
static bool decode_group(const char *text, size_t n, uint32_t *ret) {
        *ret = 0;
        for (size_t i = 0; i < n; i++) {
                const char *found = text[i] ? strchr(alphabet, text[i]) : NULL;

                if (!found)
                        return false;
                *ret |= (uint32_t)(found - alphabet) << (18 - 6 * i);
        }
        return (*ret & (n == 2 ? 0xffffU : n == 3 ? 0xffU : 0)) == 0;
}

int base64_append_decoded(Str text, Buf *ret) {
        size_t before = ret->len;
        int r = 0;

        if (text.len % 4 != 0)
                return BASE64_E_SYNTAX;
        for (; text.len > 0 && r == 0; text = str_skip(text, 4)) {
                size_t n = text.len > 4 || text.data[3] != '=' ? 4 : text.data[2] != '=' ? 3 : 2;
                uint32_t bits;
                char bytes[3];

                if (!decode_group(text.data, n, &bits)) {
                        buf_truncate(ret, before);
                        return BASE64_E_SYNTAX;
                }
                for (size_t i = 0; i < 3; i++)
                        bytes[i] = (char)(bits >> (16 - 8 * i) & 0xff);
                r = buf_append(ret, bytes, n - 1);
        }
        return r;
}
