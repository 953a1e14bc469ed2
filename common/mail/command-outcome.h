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
 * "none". First match wins:
 *
 *   exit 0            sent      2.0.0  delivered to command: COMMAND
 *   not run, no input deferred  4.3.0  temporary failure: ..., with the errno's text
 *   time limit        bounced   5.3.0  Command time limit exceeded: "COMMAND"
 *   signal            deferred  4.3.0  Command died with signal N: "COMMAND"
 *   output that begins with an enhanced status code of class 4 or 5
 *                     deferred or bounced by its class; that code; the rest of the output
 *   exit 64 to 78     deferred (71, 75) or bounced, code and text of sysexits.h's name
 *   any other exit    bounced   5.3.0  Command died with status N: "COMMAND"
 *
 * Where a row does not say otherwise ". Command output: TEXT" follows when there is any; white
 * space of output that is no blank becomes one. Checked against Debian 13's Postfix.
 */
void command_outcome_dsn(const CommandOutcome *outcome, Str command, Dsn *dsn);
