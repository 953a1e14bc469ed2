#include "tools/sendmail/options.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* -q has its argument attached or none; all else as in Postfix. */
#define OPTION_LETTERS "A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:q::r:tvx"

#define ENVID_MAX 100 /* RFC 3461 4.4 */

typedef struct Parser {
        SendmailOptions *options;
        Buf *message;
        Buf *warnings;
        bool wants_mode;   /* a mode was named: -bX, -q, -I */
        bool start_daemon; /* -bd, -bl */
} Parser;

static int fail(Parser *parser, int status, const char *text) {
        (void)buf_append_cstr(parser->message, text);
        return status;
}

static int not_yet(Parser *parser, const char *option) {
        (void)buf_printf(parser->message, "%s is not supported yet", option);
        return EX_UNAVAILABLE;
}

static void ignored(Parser *parser, const char *text) {
        (void)buf_printf(parser->warnings, "%s, ignored\n", text);
}

static void set_mode(Parser *parser, SendmailMode mode) {
        parser->options->mode = mode;
        parser->wants_mode = true;
}

static int take_b(Parser *parser, const char *argument) {
        switch (argument[0]) {
        case 'm':
                set_mode(parser, SENDMAIL_SUBMIT);
                return 0;
        case 'p':
                set_mode(parser, SENDMAIL_MAILQ);
                return 0;
        case 'i':
                set_mode(parser, SENDMAIL_NEWALIASES);
                return 0;
        case 'h':
        case 'H':
                set_mode(parser, SENDMAIL_NOTHING);
                return 0;
        case 'd':
        case 'l':
                parser->start_daemon = true;
                return 0;
        case 's':
                return not_yet(parser, "-bs");
        case 'v':
                return not_yet(parser, "-bv");
        }
        return fail(parser, EX_USAGE, "-b needs one of d, h, H, i, l, m, p, s, v");
}

static int take_B(Parser *parser, const char *argument) {
        Str body = str_from_cstr(argument);

        parser->options->is_8bit = str_equal_nocase(body, STR("8BITMIME"));
        if (parser->options->is_8bit || str_equal_nocase(body, STR("7BIT")))
                return 0;
        return fail(parser, EX_USAGE, "-B needs 8BITMIME or 7BIT");
}

/* There is one configuration, whoever calls; -C of that one is no change. */
static int take_C(Parser *parser, const char *argument) {
        static const char *const ours[] = { "/etc/unitpost", "/etc/unitpost/",
                                            "/etc/unitpost/main.cf" };

        for (size_t i = 0; i < ARRAY_LEN(ours); i++)
                if (strcmp(argument, ours[i]) == 0)
                        return 0;
        return fail(parser, EX_UNAVAILABLE,
                    "-C: other configurations than /etc/unitpost are not "
                    "supported");
}

/* RFC 3461 4.1: NEVER, or a list of the others. 0 when it is neither. */
static uint32_t notify_from(Str argument) {
        static const struct {
                Str name;
                uint32_t bit;
        } names[] = {
                { STR("never"), RECIPIENT_NOTIFY_NEVER },
                { STR("success"), RECIPIENT_NOTIFY_SUCCESS },
                { STR("failure"), RECIPIENT_NOTIFY_FAILURE },
                { STR("delay"), RECIPIENT_NOTIFY_DELAY },
        };
        uint32_t set = 0, before;
        Str word;

        while (str_next_word(&argument, &word)) {
                before = set;
                for (size_t i = 0; i < ARRAY_LEN(names); i++)
                        if (str_equal_nocase(word, names[i].name))
                                set |= names[i].bit;
                if (set == before)
                        return 0;
        }
        return (set & RECIPIENT_NOTIFY_NEVER) && set != RECIPIENT_NOTIFY_NEVER ? 0 : set;
}

static int take_N(Parser *parser, const char *argument) {
        parser->options->notify = notify_from(str_from_cstr(argument));
        if (parser->options->notify & RECIPIENT_NOTIFY_SUCCESS)
                return not_yet(parser, "-N success");
        if (parser->options->notify == 0)
                ignored(parser, "bad -N value");
        return 0;
}

static int take_R(Parser *parser, const char *argument) {
        Str ret = str_from_cstr(argument);

        if (str_equal_nocase(ret, STR("hdrs")))
                parser->options->ret = ENVELOPE_RET_HDRS;
        else if (str_equal_nocase(ret, STR("full")))
                parser->options->ret = ENVELOPE_RET_FULL;
        else
                ignored(parser, "bad -R value");
        return 0;
}

static int take_O(Parser *parser, const char *argument) {
        Str option = str_from_cstr(argument);

        if (str_has_prefix_nocase(option, STR("requiretls")) ||
            str_has_prefix_nocase(option, STR("smtputf8")))
                return not_yet(parser, "-O requiretls= and smtputf8=");
        return 0;
}

static int take_V(Parser *parser, const char *argument) {
        size_t len = strlen(argument);

        for (size_t i = 0; i < len; i++)
                if (ascii_is_control(argument[i]) || (unsigned char)argument[i] >= 0x80) {
                        ignored(parser, "bad -V value");
                        return 0;
                }
        if (len > ENVID_MAX)
                ignored(parser, "too long -V value");
        else
                parser->options->envid = argument;
        return 0;
}

static int take_o(Parser *parser, const char *argument) {
        if (argument[0] == 'i')
                parser->options->dot_is_text = true;
        else if (argument[0] == 'A')
                ignored(parser, "-oA: the alias file is what alias_database says");
        return 0;
}

static int take_q(Parser *parser, const char *argument) {
        if (!argument) {
                set_mode(parser, SENDMAIL_FLUSH);
                return 0;
        }
        if (ascii_is_digit(argument[0])) {
                /* how often a daemon looks at the queue: not a thing to be said here */
                if (!parser->wants_mode)
                        parser->options->mode = SENDMAIL_NOTHING;
                return 0;
        }
        if (argument[0] == 'R' || argument[0] == 'S')
                return not_yet(parser, argument[0] == 'R' ? "-qR" : "-qS");
        if (argument[0] != 'I' || argument[1] == '\0')
                return fail(parser, EX_USAGE, "specify: -qIQUEUEID");
        parser->options->queue_id = argument + 1;
        set_mode(parser, SENDMAIL_FLUSH_ONE);
        return 0;
}

static int take_option(Parser *parser, int letter, const char *argument) {
        static const struct {
                char letter;
                int (*take)(Parser *parser, const char *argument);
        } with_rules[] = {
                { 'b', take_b }, { 'B', take_B }, { 'C', take_C }, { 'N', take_N }, { 'O', take_O },
                { 'R', take_R }, { 'V', take_V }, { 'o', take_o }, { 'q', take_q },
        };
        SendmailOptions *options = parser->options;

        for (size_t i = 0; i < ARRAY_LEN(with_rules); i++)
                if (letter == with_rules[i].letter)
                        return with_rules[i].take(parser, argument);
        switch (letter) {
        case 'f':
        case 'r':
                options->sender = argument;
                break;
        case 'F':
                options->full_name = argument;
                break;
        case 'G':
                options->is_gateway = true;
                break;
        case 'I':
                set_mode(parser, SENDMAIL_NEWALIASES);
                break;
        case 'i':
                options->dot_is_text = true;
                break;
        case 't':
                options->from_header = true;
                break;
        case 'v':
                options->verbose++;
                break;
        case 'X':
                return argument[0] == 'V' ? not_yet(parser, "-XV") : 0;
        case '?':
                return fail(parser, EX_USAGE, "usage: sendmail [OPTION...] [RECIPIENT...]");
        }
        return 0; /* A c e h L m n p U x: for other mail systems */
}

/* What does not go together. */
static int check(Parser *parser) {
        SendmailOptions *options = parser->options;

        if (parser->start_daemon)
                return fail(parser, EX_UNAVAILABLE,
                            "nothing to start: use `systemctl start unitpost.target`");
        if (options->mode == SENDMAIL_SUBMIT)
                return options->verbose == 1 ? not_yet(parser, "-v (delivery report)") : 0;
        if (options->from_header)
                return fail(parser, EX_USAGE, "-t can be used only when mail is sent");
        if (options->recipients[0] && options->mode != SENDMAIL_NOTHING)
                return fail(parser, EX_USAGE, "no recipients go with this option");
        return 0;
}

static SendmailMode mode_of_name(const char *argv0) {
        const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
        const char *name = slash ? slash + 1 : argv0;

        if (name && strcmp(name, "mailq") == 0)
                return SENDMAIL_MAILQ;
        return name && strcmp(name, "newaliases") == 0 ? SENDMAIL_NEWALIASES : SENDMAIL_SUBMIT;
}

int sendmail_options_parse(int argc, char **argv, SendmailOptions *ret, Buf *message,
                           Buf *warnings) {
        Parser parser = { .options = ret, .message = message, .warnings = warnings };
        int letter, r;

        *ret = (SendmailOptions){ .mode = mode_of_name(argc > 0 ? argv[0] : NULL) };
        optind = 0; /* glibc: begin anew */
        opterr = 0;
        while (argc > 0 && (letter = getopt(argc, argv, OPTION_LETTERS)) != -1) {
                r = take_option(&parser, letter, optarg);
                if (r != 0)
                        return r;
        }
        ret->recipients = argv + (argc > 0 ? optind : 0);
        return check(&parser);
}
