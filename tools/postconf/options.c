#include "tools/postconf/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/base/macro.h"
#include "common/base/str.h"

#define USAGE                                                                              \
        "usage: postconf [-dfhHjnpqx] [--origin] [-c dir] [-C class,...] [-o name=value] " \
        "[name ...]\n"                                                                     \
        "       postconf [-e] [-pq] [-c dir] name=value ...\n"                             \
        "       postconf -# | -X [-pq] [-c dir] name ...\n"                                \
        "       postconf -M | -F | -P [-fhHj] [service[/type] ...]\n"                      \
        "       postconf -m | -l\n"

enum {
        OPTION_ORIGIN = 256,
        OPTION_HELP,
        OPTION_VERSION
};

int postconf_fail(int status, const char *format, ...) {
        va_list args;

        va_start(args, format);
        (void)fputs("postconf: fatal: ", stderr);
        (void)vfprintf(stderr, format, args);
        (void)fputc('\n', stderr);
        va_end(args);
        return status;
}

void postconf_warn(const char *format, ...) {
        va_list args;

        va_start(args, format);
        (void)fputs("postconf: warning: ", stderr);
        (void)vfprintf(stderr, format, args);
        (void)fputc('\n', stderr);
        va_end(args);
}

static int usage(void) {
        (void)fputs(USAGE, stderr);
        return EX_USAGE;
}

static int show(const char *text) {
        return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}

/* Options of Postfix's that mean nothing here: an error that says so, not a wrong answer. */
static const struct {
        int letter;
        const char *why;
} refused[] = {
        { 'a', "there are no SASL server types to choose from" },
        { 'A', "there are no SASL client types to choose from" },
        { 'b', "the text of notices cannot be configured" },
        { 't', "the text of notices cannot be configured" },
        { 'T', "there is no OpenSSL to ask about" },
};

static int refuse(int letter) {
        for (size_t i = 0; i < ARRAY_LEN(refused); i++)
                if (refused[i].letter == letter)
                        return postconf_fail(EX_UNAVAILABLE, "-%c: %s", letter, refused[i].why);
        return usage();
}

static const struct {
        int letter;
        PostconfMode mode;
} modes[] = {
        { 'e', POSTCONF_EDIT },           { '#', POSTCONF_COMMENT },
        { 'X', POSTCONF_REMOVE },         { 'm', POSTCONF_TABLE_TYPES },
        { 'l', POSTCONF_LOCKS },          { 'M', POSTCONF_SERVICES },
        { 'F', POSTCONF_SERVICE_FIELDS }, { 'P', POSTCONF_SERVICE_PARAMETERS },
};

static bool is_service_mode(PostconfMode mode) {
        return mode >= POSTCONF_SERVICES;
}

static bool is_edit_mode(PostconfMode mode) {
        return mode >= POSTCONF_EDIT && mode <= POSTCONF_REMOVE;
}

/* One mode only; but what would edit a service is said to be done otherwise. */
static int set_mode(PostconfOptions *options, int letter) {
        PostconfMode mode = POSTCONF_SHOW;

        for (size_t i = 0; i < ARRAY_LEN(modes); i++)
                if (modes[i].letter == letter)
                        mode = modes[i].mode;
        if (options->mode == POSTCONF_SHOW || options->mode == mode) {
                options->mode = mode;
                return -1;
        }
        if (is_service_mode(mode) != is_service_mode(options->mode) &&
            is_edit_mode(mode) != is_edit_mode(options->mode))
                return postconf_fail(EX_UNAVAILABLE, POSTCONF_SERVICES_ARE_UNITS);
        return postconf_fail(EX_USAGE, "only one of -e -# -X -m -l -M -F -P");
}

static bool set_flag(PostconfOptions *options, int letter) {
        const struct {
                int letter;
                bool *flag;
        } flags[] = {
                { 'd', &options->is_default }, { 'n', &options->is_set_only },
                { 'x', &options->expand },     { 'f', &options->fold },
                { 'j', &options->json },       { OPTION_ORIGIN, &options->origin },
                { 'h', &options->hide_name },  { 'H', &options->hide_value },
                { 'q', &options->is_quiet },
        };

        for (size_t i = 0; i < ARRAY_LEN(flags); i++)
                if (flags[i].letter == letter) {
                        *flags[i].flag = true;
                        return true;
                }
        return letter == 'p' || letter == 'v'; /* main.cf is the default; nothing to add */
}

static int set_classes(PostconfOptions *options, const char *text) {
        static const struct {
                Str name;
                unsigned class;
        } classes[] = {
                { { "builtin", 7 }, POSTCONF_CLASS_BUILTIN },
                { { "service", 7 }, POSTCONF_CLASS_SERVICE },
                { { "user", 4 }, POSTCONF_CLASS_USER },
                { { "all", 3 }, POSTCONF_CLASS_ALL },
        };
        Str rest = str_from_cstr(text);
        Str word;

        while (str_next_word(&rest, &word)) {
                size_t i = 0;

                while (i < ARRAY_LEN(classes) && !str_equal(word, classes[i].name))
                        i++;
                if (i == ARRAY_LEN(classes))
                        return postconf_fail(EX_USAGE,
                                             "-C: %.*s is none of builtin, service, "
                                             "user, all",
                                             STR_FMT(str_first(word, 60)));
                options->classes |= classes[i].class;
        }
        return -1;
}

static int add_override(PostconfOptions *options, const char *text, size_t *n) {
        if (!strchr(text, '='))
                return postconf_fail(EX_USAGE, "-o %.200s: no '='", text);
        options->overrides[(*n)++] = text;
        return -1;
}

static int parse_option(PostconfOptions *options, int letter, size_t *n_overrides) {
        switch (letter) {
        case 'c':
                options->directory = optarg;
                return -1;
        case 'C':
                return set_classes(options, optarg);
        case 'o':
                return add_override(options, optarg, n_overrides);
        case OPTION_HELP:
                return show(USAGE);
        case OPTION_VERSION:
                return show("postconf (unitpost) " UNITPOST_VERSION "\n");
        case 'e':
        case '#':
        case 'X':
        case 'm':
        case 'l':
        case 'M':
        case 'F':
        case 'P':
                return set_mode(options, letter);
        default:
                return set_flag(options, letter) ? -1 : refuse(letter);
        }
}

static int check(PostconfOptions *options) {
        bool has_words = options->words[0] != NULL;

        if (options->is_default && options->is_set_only)
                return postconf_fail(EX_USAGE, "only one of -d and -n");
        if (options->hide_name && options->hide_value)
                return postconf_fail(EX_USAGE, "only one of -h and -H");
        if (options->mode == POSTCONF_SHOW && has_words && strchr(options->words[0], '='))
                options->mode = POSTCONF_EDIT;
        if (is_edit_mode(options->mode) && !has_words)
                return postconf_fail(EX_USAGE, options->mode == POSTCONF_EDIT
                                                       ? "nothing to set: name=value ..."
                                                       : "no name of a parameter");
        if (is_edit_mode(options->mode) && (options->is_default || options->is_set_only ||
                                            options->expand || options->overrides[0]))
                return postconf_fail(EX_USAGE, "-d, -n, -x and -o show, and do not edit");
        if (options->classes == 0)
                options->classes = POSTCONF_CLASS_ALL;
        if (!options->directory)
                options->directory = getenv("MAIL_CONFIG");
        if (options->directory && strcmp(options->directory, "/etc/unitpost") == 0)
                options->directory = NULL;
        return -1;
}

int postconf_options_parse(int argc, char **argv, PostconfOptions *ret) {
        static const struct option long_options[] = {
                { "origin", no_argument, NULL, OPTION_ORIGIN },
                { "help", no_argument, NULL, OPTION_HELP },
                { "version", no_argument, NULL, OPTION_VERSION },
                { 0 },
        };
        size_t n_overrides = 0;
        int letter;

        *ret = (PostconfOptions){ .mode = POSTCONF_SHOW };
        ret->overrides = calloc((size_t)argc + 1, sizeof(ret->overrides[0]));
        if (!ret->overrides)
                return postconf_fail(EX_OSERR, "%s", strerror(ENOMEM));
        while ((letter = getopt_long(argc, argv, "aAbc:C:defFhHjlmMno:pPqtT:vxX#", long_options,
                                     NULL)) != -1) {
                int status = parse_option(ret, letter, &n_overrides);

                if (status >= 0)
                        return status;
        }
        ret->words = argv + optind;
        return check(ret);
}

void postconf_options_deinit(PostconfOptions *options) {
        free(options->overrides);
        options->overrides = NULL;
}
