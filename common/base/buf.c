#include "common/base/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_deinit(Buf *buf) {
        free(buf->data);
        *buf = BUF_NULL;
}

void buf_reset(Buf *buf) {
        buf->len = 0;
        buf->error = 0;
}

int buf_reserve(Buf *buf, size_t len, char **ret) {
        size_t need, cap;
        char *data;

        if (buf->error)
                return buf->error;
        if (len > buf->max - buf->len)
                return buf->error = BUF_E_FULL;
        need = buf->len + len;
        if (need > buf->cap || !buf->data) {
                cap = size_max(buf->cap * 2, size_max(need, 64));
                cap = size_min(cap, size_max(buf->max, need));
                data = realloc(buf->data, size_max(cap, 1));
                if (!data)
                        return buf->error = -ENOMEM;
                buf->data = data;
                buf->cap = cap;
        }
        *ret = buf->data + buf->len;
        return 0;
}

void buf_commit(Buf *buf, size_t len) {
        assert(len <= buf->cap - buf->len);
        buf->len += len;
}

int buf_append(Buf *buf, const void *data, size_t len) {
        char *room;
        int r;

        r = buf_reserve(buf, len, &room);
        if (r != 0)
                return r;
        if (len > 0)
                memcpy(room, data, len);
        buf->len += len;
        return 0;
}

int buf_append_str(Buf *buf, Str s) {
        return buf_append(buf, s.data, s.len);
}

int buf_append_cstr(Buf *buf, const char *cstr) {
        return buf_append(buf, cstr, strlen(cstr));
}

int buf_append_char(Buf *buf, char c) {
        return buf_append(buf, &c, 1);
}

ssize_t buf_append_clipped(Buf *buf, Str s) {
        size_t n = size_min(s.len, buf->max - buf->len);
        int r;

        r = buf_append(buf, s.data, n);
        return r < 0 ? r : r > 0 ? 0 : (ssize_t)n;
}

int buf_vprintf(Buf *buf, const char *format, va_list args) {
        va_list again;
        char *room;
        int n, r;

        va_copy(again, args);
        n = vsnprintf(NULL, 0, format, again);
        va_end(again);
        if (n < 0)
                return buf->error ? buf->error : (buf->error = -errno);
        r = buf_reserve(buf, (size_t)n, &room);
        if (r != 0)
                return r;
        /* vsnprintf wants a byte for its NUL, which the bound need not leave. */
        if (buf->cap - buf->len < (size_t)n + 1) {
                char *data = realloc(buf->data, buf->len + (size_t)n + 1);

                if (!data)
                        return buf->error = -ENOMEM;
                buf->data = data;
                buf->cap = buf->len + (size_t)n + 1;
                room = data + buf->len;
        }
        (void)vsnprintf(room, (size_t)n + 1, format, args);
        buf->len += (size_t)n;
        return 0;
}

int buf_printf(Buf *buf, const char *format, ...) {
        va_list args;
        int r;

        va_start(args, format);
        r = buf_vprintf(buf, format, args);
        va_end(args);
        return r;
}

void buf_consume(Buf *buf, size_t n) {
        assert(n <= buf->len);
        if (n < buf->len && n > 0)
                memmove(buf->data, buf->data + n, buf->len - n);
        buf->len -= n;
}

void buf_truncate(Buf *buf, size_t len) {
        assert(len <= buf->len);
        buf->len = len;
}

const char *buf_cstr(Buf *buf) {
        char *room;

        if (buf_reserve(buf, 1, &room) != 0)
                return NULL;
        *room = '\0';
        return buf->data;
}
