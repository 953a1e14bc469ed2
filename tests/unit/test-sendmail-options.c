/* tools/sendmail/options: the command line, form by form (features.md 2). */

#include <sysexits.h>

#include "tests/unit/unit.h"
#include "tools/sendmail/options.h"

#define ARGUMENTS_MAX 8

/* Parse copies: getopt(3) reorders. */
static int parse(const char *const *arguments, SendmailOptions *ret, Buf *message, Buf *warnings) {
        static char *argv[ARGUMENTS_MAX + 1];
        int argc = 0;

        for (; arguments[argc]; argc++)
                argv[argc] = (char *)(uintptr_t)arguments[argc];
        argv[argc] = NULL;
        return sendmail_options_parse(argc, argv, ret, message, warnings);
}

START_TEST(each_option_ends_in_its_status) {
        static const struct {
                const char *arguments[ARGUMENTS_MAX];
                int status;
                SendmailMode mode;
        } rows[] = {
                { { "sendmail", "root" }, EX_OK, SENDMAIL_SUBMIT },
                { { "sendmail", "-bm", "root" }, EX_OK, SENDMAIL_SUBMIT },
                { { "sendmail", "-bp" }, EX_OK, SENDMAIL_MAILQ },
                { { "/usr/bin/mailq" }, EX_OK, SENDMAIL_MAILQ },
                { { "mailq", "-v" }, EX_OK, SENDMAIL_MAILQ },
                { { "sendmail", "-bp", "root" }, EX_USAGE, 0 },
                { { "sendmail", "-bp", "-t" }, EX_USAGE, 0 },
                { { "sendmail", "-bi" }, EX_OK, SENDMAIL_NEWALIASES },
                { { "sendmail", "-I" }, EX_OK, SENDMAIL_NEWALIASES },
                { { "newaliases" }, EX_OK, SENDMAIL_NEWALIASES },
                { { "sendmail", "-bh" }, EX_OK, SENDMAIL_NOTHING },
                { { "sendmail", "-bH" }, EX_OK, SENDMAIL_NOTHING },
                { { "sendmail", "-q" }, EX_OK, SENDMAIL_FLUSH },
                { { "sendmail", "-q", "root" }, EX_USAGE, 0 },
                { { "sendmail", "-q30m" }, EX_OK, SENDMAIL_NOTHING },
                { { "sendmail", "-qIABC" }, EX_OK, SENDMAIL_FLUSH_ONE },
                { { "sendmail", "-qI" }, EX_USAGE, 0 },
                { { "sendmail", "-qRexample.org" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-qSx" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-qx" }, EX_USAGE, 0 },
                { { "sendmail", "-bd", "-q30m" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-bl" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-bs" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-bv", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-bz" }, EX_USAGE, 0 },
                { { "sendmail", "-b" }, EX_USAGE, 0 },
                { { "sendmail", "-v", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-v", "-v", "root" }, EX_OK, SENDMAIL_SUBMIT },
                { { "sendmail", "-XV", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-XV+=", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-X", "/tmp/log", "root" }, EX_OK, SENDMAIL_SUBMIT },
                { { "sendmail", "-N", "success,delay", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-Orequiretls=yes", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-O", "smtputf8=yes", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-O", "k=v", "root" }, EX_OK, SENDMAIL_SUBMIT },
                { { "sendmail", "-B", "9BIT", "root" }, EX_USAGE, 0 },
                { { "sendmail", "-C", "/tmp/evil.cf", "root" }, EX_UNAVAILABLE, 0 },
                { { "sendmail", "-C/etc/unitpost", "root" }, EX_OK, SENDMAIL_SUBMIT },
                { { "sendmail", "-D", "root" }, EX_USAGE, 0 },
                { { "sendmail", "-f" }, EX_USAGE, 0 },
                { { "sendmail", "-Am", "-Ac", "-n", "-m", "-U", "-h5", "root" }, EX_OK, 0 },
                { { "sendmail", "-L", "x", "-o7", "-o8", "-om", "-oXval", "x" }, EX_OK, 0 },
                { { "sendmail", "-odi", "-oem", "-oi", "-em", "-c", "-x", "-pSMTP" }, EX_OK, 0 },
                { { "sendmail", "-oQ/tmp", "root" }, EX_OK, SENDMAIL_SUBMIT },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf message = BUF_INIT(1000), warnings = BUF_INIT(1000);
                SendmailOptions options;

                ck_assert_msg(parse(rows[i].arguments, &options, &message, &warnings) ==
                                      rows[i].status,
                              "row %zu", i);
                ck_assert((message.len > 0) == (rows[i].status != EX_OK));
                if (rows[i].status == EX_OK)
                        ck_assert_int_eq(options.mode, rows[i].mode);
        }
}
END_TEST

static SendmailOptions parse_well(const char *const *arguments) {
        _cleanup_(buf_deinit) Buf message = BUF_INIT(1000), warnings = BUF_INIT(1000);
        SendmailOptions options;

        ck_assert_int_eq(parse(arguments, &options, &message, &warnings), EX_OK);
        return options;
}

START_TEST(arguments_are_attached_or_follow) {
        static const char *const attached[] = { "sendmail", "-fjo@x", "-FJo Doe", "-Vabc", NULL };
        static const char *const follow[] = { "sendmail", "-r", "jo@x", "-F",
                                              "Jo Doe",   "-V", "abc",  NULL };
        SendmailOptions options;

        for (int i = 0; i < 2; i++) {
                options = parse_well(i == 0 ? attached : follow);
                ck_assert_str_eq(options.sender, "jo@x");
                ck_assert_str_eq(options.full_name, "Jo Doe");
                ck_assert_str_eq(options.envid, "abc");
                ck_assert_ptr_null(options.recipients[0]);
        }
}
END_TEST

START_TEST(options_may_follow_recipients_until_two_dashes) {
        static const char *const arguments[] = { "sendmail", "a", "-i", "--", "-f", "b", NULL };
        SendmailOptions options = parse_well(arguments);

        ck_assert(options.dot_is_text);
        ck_assert_ptr_null(options.sender);
        ck_assert_str_eq(options.recipients[0], "a");
        ck_assert_str_eq(options.recipients[1], "-f");
        ck_assert_str_eq(options.recipients[2], "b");
        ck_assert_ptr_null(options.recipients[3]);
}
END_TEST

START_TEST(flags_of_the_message_are_kept) {
        static const char *const arguments[] = { "sendmail",        "-tG", "-B8BITMIME", "-Rhdrs",
                                                 "-Nfailure,delay", NULL };
        static const char *const never[] = { "sendmail", "-oi", "-NNEVER", "-R", "FULL", NULL };
        SendmailOptions options = parse_well(arguments);

        ck_assert(options.from_header && options.is_gateway && options.is_8bit);
        ck_assert(!options.dot_is_text);
        ck_assert_int_eq(options.ret, ENVELOPE_RET_HDRS);
        ck_assert_uint_eq(options.notify, RECIPIENT_NOTIFY_FAILURE | RECIPIENT_NOTIFY_DELAY);
        options = parse_well(never);
        ck_assert(options.dot_is_text);
        ck_assert_int_eq(options.ret, ENVELOPE_RET_FULL);
        ck_assert_uint_eq(options.notify, RECIPIENT_NOTIFY_NEVER);
}
END_TEST

START_TEST(bad_values_are_ignored_with_a_warning) {
        static const char *const rows[][4] = {
                { "sendmail", "-Nnever,delay", NULL },   { "sendmail", "-Nsometimes", NULL },
                { "sendmail", "-Rall", NULL },           { "sendmail", "-V\x01", NULL },
                { "sendmail", "-oA/tmp/aliases", NULL },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf message = BUF_INIT(1000), warnings = BUF_INIT(1000);
                SendmailOptions options;

                ck_assert_int_eq(parse(rows[i], &options, &message, &warnings), EX_OK);
                ck_assert_uint_gt(warnings.len, 0);
                ck_assert_uint_eq(options.notify, 0);
                ck_assert_int_eq(options.ret, ENVELOPE_RET_NONE);
                ck_assert_ptr_null(options.envid);
        }
}
END_TEST

int main(void) {
        return unit_main(
                "sendmail-options", each_option_ends_in_its_status,
                arguments_are_attached_or_follow, options_may_follow_recipients_until_two_dashes,
                flags_of_the_message_are_kept, bad_values_are_ignored_with_a_warning, NULL);
}
