/* newaliases(1): options, configuration, newaliases_run(). */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/role/config.h"
#include "tools/newaliases/newaliases.h"

static const struct option long_options[] = {
        { "help", no_argument, NULL, 'h' },
        { "version", no_argument, NULL, 'V' },
        { 0 },
};

static int show(const char *text) {
        return puts(text) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}

/* -1: go on; else an exit status. */
static int parse_options(int argc, char **argv, NewaliasesOptions *ret) {
        int c;

        while ((c = getopt_long(argc, argv, "vo:", long_options, NULL)) != -1) {
                if (c == 'v')
                        ret->verbose = true;
                else if (c == 'o' && optarg[0] == 'A')
                        ret->alias_database = optarg + 1;
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

int main(int argc, char **argv) {
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(buf_deinit) Buf error = BUF_INIT(4096);
        NewaliasesOptions options = { .program = "newaliases" };
        int r = parse_options(argc, argv, &options);

        if (r >= 0)
                return r;
        r = config_load(&(ConfigSource){ 0 }, &config, &error);
        if (r != 0) {
                (void)fprintf(stderr, "newaliases: fatal: %.*s\n", STR_FMT(buf_str(&error)));
                return EX_CONFIG;
        }
        return newaliases_run(config, &options);
}
