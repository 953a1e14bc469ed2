/*
 * What a command's end means: each row was compared with the log of Debian 13's Postfix (3.10) for
 * an alias with that command. Rows marked (*) differ from it, each for the reason given.
 */

#include <errno.h>
#include <signal.h>

#include "common/mail/command-outcome.h"
#include "tests/unit/unit.h"

typedef struct Case {
        CommandEnd end;
        int value;
        const char *output;
        DsnStatus status;
        const char *code;
        const char *text;
} Case;

#define DIED(n) "Command died with status " n ": \"cmd\""

static const Case cases[] = {
        { COMMAND_EXITED, 0, "", DSN_SENT, "2.0.0", "delivered to command: cmd" },
        { COMMAND_EXITED, 0, "5.7.1 no way\n", DSN_SENT, "2.0.0", "delivered to command: cmd" },
        { COMMAND_EXITED, 1, "", DSN_BOUNCED, "5.3.0", DIED("1") },
        { COMMAND_EXITED, 2, "", DSN_BOUNCED, "5.3.0", DIED("2") },
        { COMMAND_EXITED, 63, "", DSN_BOUNCED, "5.3.0", DIED("63") },
        { COMMAND_EXITED, 64, "", DSN_BOUNCED, "5.3.0", "command line usage error" },
        { COMMAND_EXITED, 65, "", DSN_BOUNCED, "5.6.0", "data format error" },
        { COMMAND_EXITED, 66, "", DSN_BOUNCED, "5.3.0", "cannot open input" },
        { COMMAND_EXITED, 67, "", DSN_BOUNCED, "5.1.1", "user unknown" },
        { COMMAND_EXITED, 68, "", DSN_BOUNCED, "5.1.2", "host name unknown" },
        { COMMAND_EXITED, 69, "", DSN_BOUNCED, "5.3.0", "service unavailable" },
        { COMMAND_EXITED, 70, "", DSN_BOUNCED, "5.3.0", "internal software error" },
        { COMMAND_EXITED, 71, "", DSN_DEFERRED, "4.3.0", "system resource problem" },
        { COMMAND_EXITED, 72, "", DSN_BOUNCED, "5.3.0", "critical OS file missing" },
        { COMMAND_EXITED, 73, "", DSN_BOUNCED, "5.2.0", "can't create user output file" },
        { COMMAND_EXITED, 74, "", DSN_BOUNCED, "5.3.0", "input/output error" },
        { COMMAND_EXITED, 75, "", DSN_DEFERRED, "4.3.0", "temporary failure" },
        { COMMAND_EXITED, 76, "", DSN_BOUNCED, "5.5.0", "remote error in protocol" },
        { COMMAND_EXITED, 77, "", DSN_BOUNCED, "5.7.0", "permission denied" },
        { COMMAND_EXITED, 78, "", DSN_BOUNCED, "5.3.5", "local configuration error" },
        { COMMAND_EXITED, 79, "", DSN_BOUNCED, "5.3.0", DIED("79") },
        { COMMAND_EXITED, 126, "", DSN_BOUNCED, "5.3.0", DIED("126") },
        { COMMAND_EXITED, 127, "sh: 1: cmd: not found\n", DSN_BOUNCED, "5.3.0",
          DIED("127") ". Command output: sh: 1: cmd: not found" },
        { COMMAND_EXITED, 128, "", DSN_BOUNCED, "5.3.0", DIED("128") },
        { COMMAND_EXITED, 255, "", DSN_BOUNCED, "5.3.0", DIED("255") },
        { COMMAND_EXITED, 67, "foo\n", DSN_BOUNCED, "5.1.1", "user unknown. Command output: foo" },
        { COMMAND_EXITED, 75, "busy", DSN_DEFERRED, "4.3.0",
          "temporary failure. Command output: busy" },
        /* its own word wins */
        { COMMAND_EXITED, 1, "5.7.1 no way\n", DSN_BOUNCED, "5.7.1", "no way" },
        { COMMAND_EXITED, 1, "4.7.1 later\n", DSN_DEFERRED, "4.7.1", "later" },
        { COMMAND_EXITED, 75, "5.7.9 no way\n", DSN_BOUNCED, "5.7.9", "no way" },
        { COMMAND_EXITED, 78, "4.2.2 full\n", DSN_DEFERRED, "4.2.2", "full" },
        { COMMAND_EXITED, 1, "5.7.1\n", DSN_BOUNCED, "5.7.1", "" },
        { COMMAND_EXITED, 77, "5.7.1\tfoo\nbar baz\n", DSN_BOUNCED, "5.7.1", "foo bar baz" },
        { COMMAND_EXITED, 1, "5.123.123 x", DSN_BOUNCED, "5.123.123", "x" },
        /* unless it is none */
        { COMMAND_EXITED, 1, " 5.7.1 x\n", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output:  5.7.1 x" },
        { COMMAND_EXITED, 1, "5.7.1x foo\n", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output: 5.7.1x foo" },
        { COMMAND_EXITED, 1, "5.1234.1 foo\n", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output: 5.1234.1 foo" },
        /* (*) a leading zero is no code (RFC 3463, section 2); Postfix takes it */
        { COMMAND_EXITED, 1, "5.07.1 foo\n", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output: 5.07.1 foo" },
        /* (*) a failure cannot call itself a success; Postfix bounces with 5.0.0 */
        { COMMAND_EXITED, 1, "2.7.1 fine\n", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output: 2.7.1 fine" },
        { COMMAND_EXITED, 1, "a\nb\n\nc\n", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output: a b  c" },
        { COMMAND_EXITED, 1, "\n\n", DSN_BOUNCED, "5.3.0", DIED("1") },
        /* (*) control bytes are '?', not '_', as everywhere in our texts */
        { COMMAND_EXITED, 1, "a\033b\177", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output: a?b?" },
        { COMMAND_EXITED, 1, "\303\244 \377", DSN_BOUNCED, "5.3.0",
          DIED("1") ". Command output: \303\244 \377" },
        /* not after a signal, nor for a command that did not end by itself */
        { COMMAND_KILLED, SIGKILL, "", DSN_DEFERRED, "4.3.0",
          "Command died with signal 9: \"cmd\"" },
        { COMMAND_KILLED, SIGTERM, "5.7.1 no\n", DSN_DEFERRED, "4.3.0",
          "Command died with signal 15: \"cmd\". Command output: 5.7.1 no" },
        { COMMAND_TIMED_OUT, 0, "", DSN_BOUNCED, "5.3.0", "Command time limit exceeded: \"cmd\"" },
        { COMMAND_TIMED_OUT, 0, "4.7.1 out\n", DSN_BOUNCED, "5.3.0",
          "Command time limit exceeded: \"cmd\". Command output: 4.7.1 out" },
        /* (*) the same outcome; Postfix's text is what its child wrote before it gave up */
        { COMMAND_NOT_RUN, ENOENT, "", DSN_DEFERRED, "4.3.0",
          "temporary failure: cannot run \"cmd\": exec: No such file or directory" },
        { COMMAND_NO_INPUT, EIO, "4.7.1 out\n", DSN_DEFERRED, "4.3.0",
          "temporary failure: message unreadable: Input/output error" },
};

static CommandOutcome outcome_of(CommandEnd end, int value, Str output) {
        CommandOutcome outcome = { .end = end, .value = value, .step = "exec" };

        memcpy(outcome.output, output.data, output.len);
        outcome.output_len = output.len;
        return outcome;
}

START_TEST(outcome_is_that_of_postfix) {
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
                CommandOutcome outcome =
                        outcome_of(cases[i].end, cases[i].value, str_from_cstr(cases[i].output));
                Dsn dsn;

                command_outcome_dsn(&outcome, STR("cmd"), &dsn);
                ck_assert_msg(dsn.status == cases[i].status, "case %zu: status", i);
                ck_assert_str_eq(dsn.code, cases[i].code);
                ck_assert_str_eq(dsn.text, cases[i].text);
                ck_assert_str_eq(dsn.relay, "none");
        }
}
END_TEST

START_TEST(nul_in_output_hides_nothing) {
        CommandOutcome outcome = outcome_of(COMMAND_EXITED, 1, STR("a\0b"));
        Dsn dsn;

        command_outcome_dsn(&outcome, STR("cmd"), &dsn);
        ck_assert_str_eq(dsn.text, DIED("1") ". Command output: a?b");
}
END_TEST

START_TEST(a_long_command_leaves_room_for_its_output) {
        CommandOutcome outcome = outcome_of(COMMAND_EXITED, 1, STR("why"));
        char command[2000];
        Dsn dsn;

        memset(command, 'x', sizeof(command));
        command_outcome_dsn(&outcome, str_from(command, sizeof(command)), &dsn);
        ck_assert(str_has_suffix(str_from_cstr(dsn.text), STR("x\". Command output: why")));
        memset(outcome.output, 'y', sizeof(outcome.output));
        outcome.output_len = sizeof(outcome.output);
        command_outcome_dsn(&outcome, str_from(command, sizeof(command)), &dsn);
        ck_assert_uint_eq(strlen(dsn.text), DSN_TEXT_MAX - 1);
        ck_assert(str_has_suffix(str_from_cstr(dsn.text), STR("yyy")));
}
END_TEST

int main(void) {
        return unit_main("command-outcome", outcome_is_that_of_postfix, nul_in_output_hides_nothing,
                         a_long_command_leaves_room_for_its_output, NULL);
}
