#pragma once

/*
 * The message as it comes on standard input: all of it is read before anybody else's time is taken
 * (DESIGN 5). Small ones stay in memory, larger ones go to a nameless temporary file.
 *
 * On the way, as Postfix's sendmail does: "From " lines in front are left out, a line of one dot is
 * the end (unless -i), and CR LF becomes LF.
 */

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/macro.h"

#define INPUT_MEMORY_MAX (64 * 1024)

/* sendmail_fix_line_endings */
typedef enum InputLineEnds {
        INPUT_LINE_ENDS_ALWAYS, /* CR LF becomes LF */
        INPUT_LINE_ENDS_STRICT, /* ... when the first line has it */
        INPUT_LINE_ENDS_NEVER,
} InputLineEnds;

typedef struct InputOptions {
        InputLineEnds line_ends;
        bool dot_is_text;   /* a line of one dot is a line */
        uint64_t max_bytes; /* 0: none */
} InputOptions;

enum {
        INPUT_E_TOO_BIG = 1, /* beyond max_bytes */
        INPUT_E_READ = 2,    /* standard input could not be read; errno in input_errno() */
};

typedef struct Input Input;

/*
 * ON_DATA (may be NULL) sees the message as it is stored; not 0 ends the reading with that value.
 * 0 or -ENOMEM.
 */
int input_new(const InputOptions *options, int (*on_data)(void *userdata, Str data), void *userdata,
              Input **ret);
Input *input_free(Input *input);
DEFINE_CLEANUP(Input, input_free)

/* Take bytes. 0, INPUT_E_TOO_BIG, what ON_DATA said, negative errno (no place to keep it). */
int input_feed(Input *input, Str data);

/* A line of one dot has come: what follows is not looked at. */
bool input_is_ended(const Input *input);

/* No more comes. */
int input_finish(Input *input);

/* Read FD to its end, feed, finish. Results of these, or INPUT_E_READ. */
int input_read(Input *input, int fd);
int input_errno(const Input *input);

/* Call ON_DATA with all that is kept. 0, its value when not 0, negative errno. */
int input_replay(const Input *input, int (*on_data)(void *userdata, Str data), void *userdata);
