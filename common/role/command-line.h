#pragma once

/*
 * From a command as an admin or a user writes it (aliases, .forward, mailbox_command) to argument
 * vectors, as in Postfix's local(8). Pure; nothing of a message ever gets in here: messages reach
 * commands by their environment, filtered (services/local/local-expand.h), and standard input.
 *
 *   only letters, digits, space, tab and !@%-_=+:,./
 *                       split at blanks and run directly. When the program has no '/' and is not
 *                       found it may be a builtin of the shell: then "/bin/sh -c COMMAND"
 *   anything else       "/bin/sh -c COMMAND"
 *   all, where SHELL holds a word (local_command_shell)
 *                       SHELL split at blanks, and COMMAND as one more argument
 */

#include "common/base/macro.h"
#include "common/base/str.h"

#define COMMAND_LINE_MAX      ((size_t)64 * 1024) /* bytes of COMMAND and of SHELL */
#define COMMAND_LINE_ARGS_MAX ((size_t)4096)

/* For CommandSpec of command.h. Both NULL-terminated; owned here. */
typedef struct CommandLine {
        const char **argv;
        const char **argv_fallback; /* or NULL */
} CommandLine;

#define COMMAND_LINE_NULL ((CommandLine){ 0 })

enum {
        COMMAND_LINE_E_EMPTY = 1,   /* no word in it */
        COMMAND_LINE_E_INVALID = 2, /* a NUL in it, which no argument can hold */
        COMMAND_LINE_E_TOO_BIG = 3,
};

/* 0 and *RET, to be given to command_line_deinit(); COMMAND_LINE_E_*; -ENOMEM. */
int command_line_parse(Str command, Str shell, CommandLine *ret);
void command_line_deinit(CommandLine *line);
