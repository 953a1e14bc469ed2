#pragma once

/*
 * Buf: a growing byte buffer with an upper bound that is fixed when it is made, so that no
 * stranger can make a process grow. Embedded by value; a zeroed Buf is legal to deinit.
 *
 * Appending is sticky: the first failure (BUF_E_FULL, or -ENOMEM) is kept, later appends do
 * nothing and return it again. A caller that builds a text may append ten times and look once.
 * After a failure the buffer still holds what was appended whole before it.
 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/macro.h"
#include "common/base/str.h"

typedef struct Buf {
        char *data;
        size_t len;
        size_t cap; /* allocated bytes */
        size_t max; /* len never exceeds this */
        int error;  /* sticky: 0, BUF_E_FULL or negative errno */
} Buf;

enum {
        BUF_E_FULL = 1
};

#define BUF_NULL ((Buf){ 0 })

/* An empty buffer of at most MAX bytes. Allocates nothing yet. */
#define BUF_INIT(max_bytes) ((Buf){ .max = (max_bytes) })

/* Free the memory; the buffer is as BUF_NULL afterwards. */
void buf_deinit(Buf *buf);

/* Empty it and forget its error; memory and bound stay. */
void buf_reset(Buf *buf);

/* The content as a slice, valid until the next change. */
static inline Str buf_str(const Buf *buf) {
        return str_from(buf->data, buf->len);
}

/* Append; returns 0, BUF_E_FULL or -ENOMEM. A partial append never happens. */
int buf_append(Buf *buf, const void *data, size_t len);
int buf_append_str(Buf *buf, Str s);
int buf_append_cstr(Buf *buf, const char *cstr);
int buf_append_char(Buf *buf, char c);
int buf_printf(Buf *buf, const char *format, ...) _printf_(2, 3);
int buf_vprintf(Buf *buf, const char *format, va_list args) _printf_(2, 0);

/*
 * Append as much of S as fits (all of it, or up to max) and say how much. For texts that may be
 * cut, like diagnostics. Returns the number of bytes appended; -ENOMEM when memory is out.
 */
ssize_t buf_append_clipped(Buf *buf, Str s);

/* Make room for LEN more bytes; *ret points at them, buf_commit(n) accepts n <= LEN of them. */
int buf_reserve(Buf *buf, size_t len, char **ret);
void buf_commit(Buf *buf, size_t len);

/* Drop the first N bytes (N <= len), moving the rest to the front. */
void buf_consume(Buf *buf, size_t n);

/* Cut to LEN bytes (LEN <= len). */
void buf_truncate(Buf *buf, size_t len);

/*
 * The content with a NUL behind it (not counted in len, needs len < max): for system calls and
 * printf. NULL when the buffer is full or memory is out. Owned by the buffer.
 */
const char *buf_cstr(Buf *buf);
