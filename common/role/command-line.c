/*
 * A command line cut into words; see command-line.h. One block of memory holds a vector and its
 * words, so that there is one thing to free.
 */

#include "common/role/command-line.h"

#include <errno.h>
#include <stdlib.h>

/* What no shell gives a meaning to; besides letters and digits. Postfix's choice: '~' and '#' are
 * not in it, which would be plain text in some places only. */
static const Str plain_marks = STR("!@%-_=+:,./ \t");

static bool is_plain(Str command) {
        for (size_t i = 0; i < command.len; i++) {
                char c = command.data[i];

                if (!ascii_is_alpha(c) && !ascii_is_digit(c) && !str_contains(plain_marks, c))
                        return false;
        }
        return true;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t';
}

/* Split the next word off *REST; false at the end. */
static bool next_word(Str *rest, Str *ret) {
        size_t n = 0;

        while (!str_is_empty(*rest) && is_blank(rest->data[0]))
                *rest = str_skip(*rest, 1);
        while (n < rest->len && !is_blank(rest->data[n]))
                n++;
        *ret = str_first(*rest, n);
        *rest = str_skip(*rest, n);
        return n > 0;
}

static size_t count_words(Str text) {
        size_t n = 0;
        Str word;

        while (next_word(&text, &word))
                n++;
        return n;
}

/* The words of TEXT, and LAST as one more word unless its data is NULL. NULL: no memory. */
static const char **vector_new(Str text, Str last) {
        size_t n_slots = count_words(text) + 2;
        const char **vector = malloc(n_slots * sizeof(char *) + text.len + 1 + last.len + 1);
        const char **slot = vector;
        char *to;
        Str word;

        if (!vector)
                return NULL;
        to = (char *)(vector + n_slots);
        while (next_word(&text, &word)) {
                *slot++ = to;
                to = (char *)mempcpy(to, word.data, word.len);
                *to++ = '\0';
        }
        if (last.data) {
                *slot++ = to;
                to = (char *)mempcpy(to, last.data, last.len);
                *to = '\0';
        }
        *slot = NULL;
        return vector;
}

static int check(Str command, Str shell) {
        if (command.len > COMMAND_LINE_MAX || shell.len > COMMAND_LINE_MAX ||
            count_words(shell) > COMMAND_LINE_ARGS_MAX)
                return COMMAND_LINE_E_TOO_BIG;
        if (str_contains(command, '\0') || str_contains(shell, '\0'))
                return COMMAND_LINE_E_INVALID;
        return str_is_empty(str_trim(command)) ? COMMAND_LINE_E_EMPTY : 0;
}

int command_line_parse(Str command, Str shell, CommandLine *ret) {
        static const Str bourne = STR("/bin/sh -c");
        bool is_shell_set = count_words(shell) > 0;
        bool is_direct = !is_shell_set && is_plain(command);
        int r = check(command, shell);

        if (r != 0)
                return r;
        if (is_direct && count_words(command) > COMMAND_LINE_ARGS_MAX)
                return COMMAND_LINE_E_TOO_BIG;
        *ret = COMMAND_LINE_NULL;
        if (is_direct) {
                ret->argv = vector_new(command, STR_NULL);
                ret->argv_fallback = vector_new(bourne, command);
        } else
                ret->argv = vector_new(is_shell_set ? shell : bourne, command);
        if (ret->argv && (!is_direct || ret->argv_fallback))
                return 0;
        command_line_deinit(ret);
        return -ENOMEM;
}

void command_line_deinit(CommandLine *line) {
        free(line->argv);
        free(line->argv_fallback);
        *line = COMMAND_LINE_NULL;
}
