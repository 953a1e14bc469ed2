/* A command's end as an outcome of a delivery; see command-outcome.h. Nothing allocates. */

#include "common/mail/command-outcome.h"

#include <stdio.h>
#include <string.h>

/* Bytes of a command named in a text: its output shall still find room behind it. */
#define NAMED_MAX 400

/* Exit status of sysexits(3head), by number from FIRST_SYSEXIT. Codes and texts are Postfix's. */
#define FIRST_SYSEXIT 64

static const struct {
        const char *code;
        const char *text;
} sysexits[] = {
        { "5.3.0", "command line usage error" },      /* EX_USAGE */
        { "5.6.0", "data format error" },             /* EX_DATAERR */
        { "5.3.0", "cannot open input" },             /* EX_NOINPUT */
        { "5.1.1", "user unknown" },                  /* EX_NOUSER */
        { "5.1.2", "host name unknown" },             /* EX_NOHOST */
        { "5.3.0", "service unavailable" },           /* EX_UNAVAILABLE */
        { "5.3.0", "internal software error" },       /* EX_SOFTWARE */
        { "4.3.0", "system resource problem" },       /* EX_OSERR */
        { "5.3.0", "critical OS file missing" },      /* EX_OSFILE */
        { "5.2.0", "can't create user output file" }, /* EX_CANTCREAT */
        { "5.3.0", "input/output error" },            /* EX_IOERR */
        { "4.3.0", "temporary failure" },             /* EX_TEMPFAIL */
        { "5.5.0", "remote error in protocol" },      /* EX_PROTOCOL */
        { "5.7.0", "permission denied" },             /* EX_NOPERM */
        { "5.3.5", "local configuration error" },     /* EX_CONFIG */
};

static DsnStatus status_of(const char *code) {
        return code[0] == '4' ? DSN_DEFERRED : DSN_BOUNCED;
}

/* Output as one line of text, without the line end that closes it. */
static Str one_line(const CommandOutcome *outcome, char room[COMMAND_OUTPUT_MAX]) {
        Str text = str_from(room, outcome->output_len);

        memcpy(room, outcome->output, outcome->output_len);
        for (size_t i = 0; i < text.len; i++)
                if (room[i] == '\0')
                        room[i] = '?'; /* a C string would end here */
                else if (ascii_is_space(room[i]))
                        room[i] = ' ';
        while (text.len > 0 && room[text.len - 1] == ' ')
                text.len--;
        return text;
}

/* "REASON: "COMMAND". Command output: OUTPUT"; without COMMAND when that has no data. */
static void set_with_output(Dsn *dsn, const char *code, const char *reason, Str command,
                            Str output) {
        bool named = command.data != NULL;

        dsn_set(dsn, status_of(code), code, "%s%s%.*s%s%s%.*s", reason, named ? ": \"" : "",
                STR_FMT(command), named ? "\"" : "",
                str_is_empty(output) ? "" : ". Command output: ", STR_FMT(output));
}

/* Its own word is taken, when it is about a failure. */
static bool set_from_output(Dsn *dsn, Str output) {
        char code[DSN_CODE_MAX];
        Str output_code, rest;

        dsn_split(output, &output_code, &rest);
        if (str_is_empty(output_code) || output_code.data[0] == '2')
                return false;
        (void)snprintf(code, sizeof(code), "%.*s", STR_FMT(output_code));
        dsn_set(dsn, status_of(code), code, "%.*s", STR_FMT(rest));
        return true;
}

static void set_from_exit(Dsn *dsn, unsigned status, Str command, Str output) {
        unsigned row = status - FIRST_SYSEXIT;
        char reason[64];

        if (status == 0) {
                dsn_set(dsn, DSN_SENT, "2.0.0", "delivered to command: %.*s", STR_FMT(command));
                return;
        }
        if (set_from_output(dsn, output))
                return;
        if (status >= FIRST_SYSEXIT && row < ARRAY_LEN(sysexits)) {
                set_with_output(dsn, sysexits[row].code, sysexits[row].text, STR_NULL, output);
                return;
        }
        (void)snprintf(reason, sizeof(reason), "Command died with status %u", status);
        set_with_output(dsn, "5.3.0", reason, command, output);
}

static void set_from_signal(Dsn *dsn, int number, Str command, Str output) {
        char reason[64];

        (void)snprintf(reason, sizeof(reason), "Command died with signal %d", number);
        set_with_output(dsn, "4.3.0", reason, command, output);
}

void command_outcome_dsn(const CommandOutcome *outcome, Str command, Dsn *dsn) {
        char room[COMMAND_OUTPUT_MAX];
        Str output = one_line(outcome, room);

        command = str_first(command, NAMED_MAX);
        switch (outcome->end) {
        case COMMAND_EXITED:
                set_from_exit(dsn, (unsigned)outcome->value, command, output);
                return;
        case COMMAND_KILLED:
                set_from_signal(dsn, outcome->value, command, output);
                return;
        case COMMAND_TIMED_OUT:
                set_with_output(dsn, "5.3.0", "Command time limit exceeded", command, output);
                return;
        case COMMAND_NO_INPUT:
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "temporary failure: message unreadable: %s",
                        strerror(outcome->value));
                return;
        case COMMAND_NOT_RUN:
                break;
        }
        dsn_set(dsn, DSN_DEFERRED, "4.3.0", "temporary failure: cannot run \"%.*s\": %s: %s",
                STR_FMT(command), outcome->step ? outcome->step : "unknown",
                strerror(outcome->value));
}
