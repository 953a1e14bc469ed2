#pragma once

/*
 * The few macros of the house: scope-bound cleanup, ownership transfer, array length.
 * Nothing here allocates, logs or knows about mail.
 */

#include <stddef.h>
#include <unistd.h>

/* Run FUNCTION(&variable) when the variable's scope is left. */
#define _cleanup_(function) __attribute__((cleanup(function)))

#define _printf_(text, first) __attribute__((format(printf, text, first)))
#define _nodiscard_           __attribute__((warn_unused_result))

/* Define name##p(), the cleanup function for a pointer owned by a scope. DESTROY takes NULL. */
#define DEFINE_CLEANUP(type, destroy)                   \
        static inline void destroy##p(type **pointer) { \
                if (*pointer)                           \
                        destroy(*pointer);              \
                *pointer = NULL;                        \
        }

/* Hand an owned pointer (or descriptor) over: yields its value and leaves NULL (or -1) behind. */
#define TAKE_PTR(pointer)                            \
        ({                                           \
                typeof(pointer) *_take = &(pointer); \
                typeof(pointer) _taken = *_take;     \
                *_take = NULL;                       \
                _taken;                              \
        })

#define TAKE_FD(fd)                  \
        ({                           \
                int *_take = &(fd);  \
                int _taken = *_take; \
                *_take = -1;         \
                _taken;              \
        })

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

static inline size_t size_min(size_t a, size_t b) {
        return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b) {
        return a > b ? a : b;
}

/* Close the descriptor of a scope; -1 is "none". errno survives. */
void fd_closep(int *fd);

/* free(*pointer) for a scope. */
void freep(void *pointer);
