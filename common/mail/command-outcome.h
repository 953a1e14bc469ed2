#pragma once

/*
 * What became of a user's command, and what that says about the delivery: exit status
 * (sysexits.h), signal or time limit, and what the command printed, made into a Dsn by Postfix's
 * rules. Pure; common/role/command.h runs commands.
 */

#include "common/base/str.h"
#include "common/mail/dsn.h"

/* Bytes of a command's output that are kept and can get into a Dsn (the rest of it is read and
 * forgotten). */
#define COMMAND_OUTPUT_MAX ((size_t)1024)

typedef enum CommandEnd {
        COMMAND_EXITED = 1, /* value: its exit status, 0 to 255 */
        COMMAND_KILLED,     /* value: the signal that ended it */
        COMMAND_TIMED_OUT,  /* over its time limit, and killed */
        COMMAND_NOT_RUN,    /* this machine's fault; value: an errno; step: what failed */
        COMMAND_NO_INPUT, /* the message could not be read, the command was killed; value: errno */
} CommandEnd;

typedef struct CommandOutcome {
        CommandEnd end;
        int value;
        const char *step;                /* COMMAND_NOT_RUN: "fork", "exec" ...; a literal */
        char output[COMMAND_OUTPUT_MAX]; /* standard output and error, as they came: any byte */
        size_t output_len;
} CommandOutcome;

/*
 * DSN becomes what OUTCOME means; COMMAND, as configured, is named in texts. Always set, relay
 * "none":
 *
 *   exit 0                 sent      2.0.0  delivered to command: COMMAND
 *   exit not 0, or a signal, or time limit:
 *     exit 1 to 255, and output that begins with an enhanced status code "4.x.y" or "5.x.y"
 *                          deferred or bounced by its class, that code, the output behind it
 *     exit 64 to 78        as sysexits.h says (69, 71 to 75 deferred ...), its name's text
 *     exit otherwise       bounced   5.3.0  Command died with status N: "COMMAND"
 *     signal               deferred  4.3.0  Command died with signal N: "COMMAND"
 *     time limit           see command-outcome.c
 *   not run, no input      deferred  4.3.0  temporary failure, and the errno's text
 *
 * All but the first two are followed by ". Command output: TEXT" when there is any.
 */
void command_outcome_dsn(const CommandOutcome *outcome, Str command, Dsn *dsn);
