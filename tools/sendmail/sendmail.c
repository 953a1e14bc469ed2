/*
 * The order of things: descriptors and signals are made safe, options are read, then the
 * configuration, then all of the message, and only then is anybody else's time taken. No file is
 * read from the working directory and nothing is believed of the environment but NAME and TMPDIR.
 */

#include "tools/sendmail/sendmail.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/mail/address.h"
#include "common/role/ipc-address.h"
#include "tools/sendmail/input.h"
#include "tools/sendmail/options.h"
#include "tools/sendmail/recipients.h"
#include "tools/sendmail/submit.h"
#include "tools/sendmail/user.h"

#define MESSAGE_MAX 2048

/* All that a call needs, and frees together. */
typedef struct Call {
        SendmailOptions options;
        Config *config;
        Buf sender;
        Buf full_name;
        Buf envid; /* xtext */
        RecipientList arguments;
        RecipientList plain;
        RecipientList resent;
        HeaderReader header;
        Input *input;
        Buf message; /* why it did not work */
} Call;

static void call_deinit(Call *call) {
        call->config = config_free(call->config);
        buf_deinit(&call->sender);
        buf_deinit(&call->full_name);
        buf_deinit(&call->envid);
        recipient_list_deinit(&call->arguments);
        recipient_list_deinit(&call->plain);
        recipient_list_deinit(&call->resent);
        header_reader_deinit(&call->header);
        call->input = input_free(call->input);
        buf_deinit(&call->message);
}

/* Say it to the caller and to the journal: "unitpost/sendmail: fatal: jo(1000): TEXT". */
static int die(Call *call, int status) {
        _cleanup_(buf_deinit) Buf login = BUF_INIT(256);

        (void)user_append_login(&login);
        log_open("unitpost/sendmail");
        log_to_stderr(1);
        log_fatal(NULL, "%.*s(%u): %.*s", STR_FMT(buf_str(&login)), getuid(),
                  STR_FMT(buf_str(&call->message)));
        return status;
}

static int die_because(Call *call, int status, const char *text) {
        buf_reset(&call->message);
        (void)buf_append_cstr(&call->message, text);
        return die(call, status);
}

/* ---- the surroundings ---- */

/*
 * A caller may have closed 0, 1 or 2: what we open must not become one of them. A quota of the
 * caller (RLIMIT_FSIZE) and a reader that went away are errors, no reason to be killed.
 */
static int make_safe(void) {
        for (int fd = 0; fd <= STDERR_FILENO; fd++)
                if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
                        return -errno;
        if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
                return -errno;
        (void)umask(022);
        return chdir("/") < 0 ? -errno : 0;
}

static int load_config(Call *call) {
        ConfigSource source = { 0 };
        _cleanup_(buf_deinit) Buf error = BUF_INIT(MESSAGE_MAX);
        int r;

        r = config_load(&source, &call->config, &error);
        if (r == 0)
                return EX_OK;
        if (access(IPC_SOCKET_DIRECTORY, X_OK) < 0 && errno == EACCES) {
                (void)buf_append_cstr(&call->message, IPC_SOCKET_DIRECTORY
                                      ": Permission denied: the mail system is hidden from this "
                                      "program (by the sandbox of its unit?)");
                return EX_TEMPFAIL;
        }
        (void)buf_printf(&call->message, "the configuration cannot be used: %.*s",
                         STR_FMT(error.len > 0 ? buf_str(&error)
                                               : str_from_cstr(r < 0 ? strerror(-r) : "")));
        return EX_TEMPFAIL;
}

/* ---- other modes ---- */

static int run_tool(Call *call, char *const *argv) {
        (void)execv(argv[0], argv);
        (void)buf_printf(&call->message, "cannot run %s: %s", argv[0], strerror(errno));
        return die(call, EX_UNAVAILABLE);
}

static int run_mode(Call *call) {
        char postqueue[] = UNITPOST_SBINDIR "/postqueue";
        char newaliases[] = UNITPOST_BINDIR "/newaliases";
        char list[] = "-p", flush[] = "-f", flush_one[] = "-i", id[64];

        switch (call->options.mode) {
        case SENDMAIL_MAILQ:
                return run_tool(call, (char *[]){ postqueue, list, NULL });
        case SENDMAIL_NEWALIASES:
                return run_tool(call, (char *[]){ newaliases, NULL });
        case SENDMAIL_FLUSH:
                return run_tool(call, (char *[]){ postqueue, flush, NULL });
        case SENDMAIL_FLUSH_ONE:
                if (snprintf(id, sizeof(id), "%s", call->options.queue_id) >= (int)sizeof(id))
                        return die_because(call, EX_USAGE, "-qI: that is no queue ID");
                return run_tool(call, (char *[]){ postqueue, flush_one, id, NULL });
        case SENDMAIL_NOTHING:
        case SENDMAIL_SUBMIT:
                break;
        }
        return EX_OK;
}

/* ---- envelope ---- */

static int set_sender(Call *call) {
        Str rest = str_from_cstr(call->options.sender);
        _cleanup_(buf_deinit) Buf second = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        int r;

        if (!call->options.sender)
                return user_append_login(&call->sender) == 0 ? EX_OK : EX_OSERR;
        r = address_list_next(&rest, &call->sender);
        if (r == ADDRESS_E_END) /* -f '' is the null sender */
                return EX_OK;
        if (r != 0) {
                (void)buf_append_cstr(&call->message, "malformed sender address");
                return r < 0 ? EX_OSERR : EX_DATAERR;
        }
        if (address_list_next(&rest, &second) != ADDRESS_E_END)
                (void)fputs("sendmail: warning: more than one sender: the first is taken\n",
                            stderr);
        return EX_OK;
}

/* RFC 3461 4 xtext. */
static int append_xtext(Buf *ret, const char *text) {
        for (const char *c = text; *c != '\0'; c++) {
                if (*c <= ' ' || *c == '+' || *c == '=')
                        (void)buf_printf(ret, "+%02X", (unsigned char)*c);
                else
                        (void)buf_append_char(ret, *c);
        }
        return ret->error;
}

static int set_envelope(Call *call) {
        const SendmailOptions *options = &call->options;
        int r, status;

        status = set_sender(call);
        if (status != EX_OK)
                return status;
        r = options->full_name
                    ? user_append_name(&call->full_name, str_from_cstr(options->full_name))
                    : user_append_full_name(&call->full_name);
        if (r == 0 && options->envid)
                r = append_xtext(&call->envid, options->envid);
        return r == 0 ? EX_OK : EX_OSERR;
}

static int set_arguments(Call *call) {
        int r;

        for (size_t i = 0; call->options.recipients[i]; i++) {
                r = recipient_list_add(&call->arguments,
                                       str_from_cstr(call->options.recipients[i]));
                if (r == 0 && call->arguments.n_malformed == 0)
                        continue;
                (void)buf_printf(&call->message, "recipient \"%.200s\": %s",
                                 call->options.recipients[i],
                                 r == 0 ? "malformed address" : "too many recipients");
                return r < 0 ? EX_OSERR : EX_DATAERR;
        }
        if (call->arguments.n > 0 || call->options.from_header)
                return EX_OK;
        (void)buf_append_cstr(&call->message,
                              "Recipient addresses must be specified on the command "
                              "line or via the -t option");
        return EX_USAGE;
}

/* ---- content ---- */

static int read_header(void *userdata, Str data) {
        int r = header_reader_feed(userdata, data);

        return r == BUF_E_FULL ? -E2BIG : r;
}

static int input_options(Call *call, InputOptions *ret) {
        Str line_ends = str_from_cstr(config_string(call->config, PARAM_sendmail_fix_line_endings));

        *ret = (InputOptions){
                .dot_is_text = call->options.dot_is_text,
                .max_bytes = (uint64_t)config_int(call->config, PARAM_message_size_limit),
        };
        if (str_equal(line_ends, STR("strict")))
                ret->line_ends = INPUT_LINE_ENDS_STRICT;
        else if (str_equal(line_ends, STR("never")))
                ret->line_ends = INPUT_LINE_ENDS_NEVER;
        else if (!str_equal(line_ends, STR("always"))) {
                (void)buf_append_cstr(&call->message, "invalid sendmail_fix_line_endings value");
                return EX_USAGE;
        }
        return EX_OK;
}

static int read_failed(Call *call, int r) {
        switch (r) {
        case INPUT_E_TOO_BIG:
                (void)buf_append_cstr(&call->message, "message file too big");
                return EX_UNAVAILABLE;
        case INPUT_E_READ:
                (void)buf_printf(&call->message, "error reading input: %s",
                                 strerror(input_errno(call->input)));
                return EX_DATAERR;
        case -E2BIG:
                (void)buf_append_cstr(&call->message, "too many recipients in the message header");
                return EX_DATAERR;
        }
        (void)buf_printf(&call->message, "cannot keep the message: %s", strerror(-r));
        return EX_TEMPFAIL;
}

static int read_message(Call *call) {
        bool extract = call->options.from_header;
        InputOptions options;
        int r, status;

        status = input_options(call, &options);
        if (status != EX_OK)
                return status;
        r = input_new(&options, extract ? read_header : NULL, &call->header, &call->input);
        if (r == 0)
                r = input_read(call->input, STDIN_FILENO);
        if (r == 0 && extract)
                r = header_reader_finish(&call->header) == 0 ? 0 : -E2BIG;
        return r == 0 ? EX_OK : read_failed(call, r);
}

/* With -t: which list of the header counts, and whether there is anybody at all. */
static int choose_recipients(Call *call, const RecipientList **ret) {
        const RecipientList *list = call->header.has_resent ? &call->resent : &call->plain;

        if (list->n_malformed > 0)
                (void)fprintf(
                        stderr,
                        "sendmail: warning: %zu malformed recipient(s) in the message header, "
                        "left out\n",
                        list->n_malformed);
        *ret = list;
        if (list->n + call->arguments.n > 0)
                return EX_OK;
        (void)buf_append_cstr(&call->message, "No recipient addresses found in message header");
        return EX_USAGE;
}

static bool is_ascii(Str text) {
        for (size_t i = 0; i < text.len; i++)
                if ((unsigned char)text.data[i] >= 0x80)
                        return false;
        return true;
}

static int send_message(Call *call) {
        const SendmailOptions *options = &call->options;
        Letter letter = {
                .envelope = {
                        .sender = buf_str(&call->sender),
                        .full_name = buf_str(&call->full_name),
                        .envid = buf_str(&call->envid),
                        .uid = ENVELOPE_NO_UID, /* for the kernel to say */
                        .flags = (options->is_8bit ? ENVELOPE_8BITMIME : 0U) |
                                 (options->is_gateway ? 0U : ENVELOPE_LOCAL_ORIGIN),
                        .ret = options->ret,
                },
                .notify = options->notify,
                .recipients = &call->arguments,
                .input = call->input,
        };
        int status;

        if (options->from_header) {
                status = choose_recipients(call, &letter.more);
                if (status != EX_OK)
                        return status;
        }
        if (!is_ascii(letter.envelope.sender) || !is_ascii(buf_str(&call->arguments.text)) ||
            (letter.more && !is_ascii(buf_str(&letter.more->text))))
                letter.envelope.flags |= ENVELOPE_SMTPUTF8;
        return submit(&letter, call->config, &call->message);
}

typedef int Step(Call *call);

static int submit_mail(Call *call) {
        static Step *const steps[] = {
                load_config, set_envelope, set_arguments, read_message, send_message,
        };

        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
                int status = steps[i](call);

                if (status == EX_OK)
                        continue;
                if (call->message.len == 0)
                        (void)buf_append_cstr(&call->message, "out of memory");
                return die(call, status);
        }
        return EX_OK;
}

static int run(Call *call, int argc, char **argv) {
        _cleanup_(buf_deinit) Buf warnings = BUF_INIT(MESSAGE_MAX);
        int status;

        status = sendmail_options_parse(argc, argv, &call->options, &call->message, &warnings);
        if (warnings.len > 0)
                (void)fprintf(stderr, "sendmail: warning: %.*s", STR_FMT(buf_str(&warnings)));
        if (status != EX_OK)
                return die(call, status);
        return call->options.mode == SENDMAIL_SUBMIT ? submit_mail(call) : run_mode(call);
}

int sendmail_main(int argc, char **argv) {
        _cleanup_(call_deinit) Call call = {
                .sender = BUF_INIT(ENVELOPE_ADDRESS_MAX),
                .full_name = BUF_INIT(ENVELOPE_TEXT_MAX),
                .envid = BUF_INIT(ENVELOPE_TEXT_MAX),
                .arguments = RECIPIENT_LIST_INIT,
                .plain = RECIPIENT_LIST_INIT,
                .resent = RECIPIENT_LIST_INIT,
                .message = BUF_INIT(MESSAGE_MAX),
        };
        int r;

        r = make_safe();
        header_reader_init(&call.header, &call.plain, &call.resent);
        if (r < 0)
                return die_because(&call, EX_OSERR, "cannot set up descriptors and signals");
        return run(&call, argc, argv);
}
