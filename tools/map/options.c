/* Options, as Postfix has them. */

#include "tools/map/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tools/map/message-keys.h"

static int complain(const MapCommand *command, int status, const char *text) {
        (void)fprintf(stderr, "%s: fatal: %s\n", command->program, text);
        return status;
}

static int usage(const MapCommand *command) {
        (void)fputs(command->usage, stderr);
        return EX_USAGE;
}

static int show(const char *text) {
        return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}

static int show_version(const MapCommand *command) {
        (void)printf("%s (unitpost) " UNITPOST_VERSION "\n", command->program);
        return show("");
}

/* -1, or an exit status: only one of these in a command. */
static int set_task(const MapCommand *command, MapOptions *options, MapTask task, const char *key) {
        if (options->task >= MAP_DELETE && options->task != task)
                return complain(command, EXIT_FAILURE, "only one of -s, -q and -d is possible");
        if (task > options->task)
                options->task = task;
        if (key)
                options->key = key;
        return -1;
}

/* Another directory would be another instance of the mail system. */
static int set_directory(const MapCommand *command, const char *directory) {
        if (strcmp(directory, "/etc/unitpost") == 0)
                return -1;
        return complain(command, EX_UNAVAILABLE,
                        "-c with another directory than /etc/unitpost is not supported yet");
}

/* What only says how, not what. False: none of ours. */
static bool set_flag(MapOptions *options, int option) {
        switch (option) {
        case 'b':
                options->query.message_keys |= MESSAGE_KEYS_BODY;
                return true;
        case 'h':
                options->query.message_keys |= MESSAGE_KEYS_HEADER;
                return true;
        case 'm':
                options->query.message_keys |= MESSAGE_KEYS_MIME;
                return true;
        case 'f':
                options->build.rules |= TABLE_RULE_KEEP_CASE;
                return true;
        case 'F':
                options->build.rules |= TABLE_RULE_FILE_VALUES;
                return true;
        case 'o':
                options->build.takes_any_files = true;
                return true;
        case 'r':
                options->build.rules |= TABLE_RULE_LAST_COUNTS;
                options->build.is_quiet = true;
                return true;
        case 'u':
                options->build.rules |= TABLE_RULE_ANY_BYTES;
                return true;
        case 'U':
                options->query.checks_message_keys = true;
                return true;
        case 'v':
                options->build.verbose = true;
                return true;
        case 'w':
                options->build.is_quiet = true;
                return true;
        default: /* how a NUL ends a key, and modes of files: nothing to choose here */
                return option == 'n' || option == 'N' || option == 'p';
        }
}

static int set_option(const MapCommand *command, MapOptions *options, int option) {
        switch (option) {
        case 'c':
                return set_directory(command, optarg);
        case 'd':
                return set_task(command, options, MAP_DELETE, optarg);
        case 'i':
                return options->task == MAP_BUILD ? set_task(command, options, MAP_ADD, NULL) : -1;
        case 'q':
                return set_task(command, options, MAP_QUERY, optarg);
        case 's':
                return set_task(command, options, MAP_LIST, NULL);
        case 'H':
                return show(command->usage);
        case 'V':
                return show_version(command);
        default:
                return set_flag(options, option) ? -1 : usage(command);
        }
}

static int check(const MapCommand *command, MapOptions *options) {
        unsigned *keys = &options->query.message_keys;

        if (options->n_tables == 0)
                return usage(command);
        if (*keys != 0 && (options->task != MAP_QUERY || strcmp(options->key, "-") != 0))
                return complain(command, EXIT_FAILURE, "-b, -h and -m are only for -q -");
        if (*keys == MESSAGE_KEYS_MIME) {
                (void)fprintf(stderr, "%s: warning: -m has no effect without -b or -h\n",
                              command->program);
                *keys = 0;
        }
        options->query.key = options->task == MAP_QUERY ? options->key : NULL;
        options->query.rules = options->build.rules;
        return -1;
}

int map_options_parse(const MapCommand *command, int argc, char **argv, MapOptions *ret) {
        static const struct option long_options[] = {
                { "help", no_argument, NULL, 'H' },
                { "version", no_argument, NULL, 'V' },
                { 0 },
        };
        int status = -1;
        int option;

        *ret = (MapOptions){
                .build = { .program = command->program, .syntax = command->syntax },
                .query = { .program = command->program,
                           .syntax = command->syntax,
                           .separator = command->separator },
        };
        while (status < 0 &&
               (option = getopt_long(argc, argv, command->options, long_options, NULL)) != -1)
                status = set_option(command, ret, option);
        ret->tables = argv + optind;
        ret->n_tables = (size_t)(argc - optind);
        return status >= 0 ? status : check(command, ret);
}
