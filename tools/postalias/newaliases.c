#include "tools/postalias/newaliases.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const struct option long_options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
};

static int show(const char *text) {
        return puts(text) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}

/* -1: go on; else an exit status. */
static int parse_options(int argc, char **argv, BuildOptions *ret, const char **ret_database) {
        int c;

        while ((c = getopt_long(argc, argv, "vo:", long_options, NULL)) != -1) {
                if (c == 'v')
                        ret->verbose = true;
                else if (c == 'o' && optarg[0] == 'A')
                        *ret_database = optarg + 1;
                else if (c == 'h')
                        return show("usage: newaliases [-v] [-oADATABASE]");
                else if (c == 'V')
                        return show("newaliases (unitpost) " UNITPOST_VERSION);
                else if (c != 'o') /* other sendmail options mean nothing here */
                        return EX_USAGE;
        }
        if (optind == argc)
                return -1;
        (void)fprintf(stderr, "newaliases: fatal: no arguments are taken\n");
        return EX_USAGE;
}

static int build_entry(const BuildOptions *options, Str entry) {
        _cleanup_(freep) char *path = NULL;
        Str source;
        int status = build_split_entry(options, entry, &source);

        if (status != EXIT_SUCCESS)
                return status;
        path = str_dup(source);
        if (path)
                return build_index(options, path);
        (void)fprintf(stderr, "%s: fatal: %s\n", options->program, strerror(ENOMEM));
        return EX_OSERR;
}

int newaliases_run(const Config *config, const char *database, const BuildOptions *options) {
        BuildOptions actual = *options;
        Str rest = str_from_cstr(database ? database : config_string(config, PARAM_alias_database));
        int result = EXIT_SUCCESS;
        Str entry;

        actual.syntax = TABLE_SYNTAX_ALIASES;
        actual.may_be_missing = !database && !config_is_set(config, PARAM_alias_database);
        while (str_next_word(&rest, &entry)) {
                int status = build_entry(&actual, entry);

                if (status != EXIT_SUCCESS)
                        result = status;
        }
        return result;
}

int newaliases_main(int argc, char **argv) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(buf_deinit) Buf error = BUF_INIT(4096);
        BuildOptions options = { .program = "newaliases" };
        const char *database = NULL;
        int r = parse_options(argc, argv, &options, &database);

        if (r >= 0)
                return r;
        r = config_load(&(ConfigSource){ 0 }, &config, &error);
        if (r != 0) {
                (void)fprintf(stderr, "newaliases: fatal: %.*s\n",
                              STR_FMT(r < 0 ? str_from_cstr(strerror(-r)) : buf_str(&error)));
                return EX_CONFIG;
        }
        return newaliases_run(config, database, &options);
}
