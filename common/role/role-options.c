#include "common/role/role-options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/str.h"
#include "common/role/role-process.h"

enum {
        OPTION_SERVICE = 256,
        OPTION_CHECK,
        OPTION_VERSION,
        OPTION_HELP
};

static const struct option long_options[] = {
        { "service", required_argument, NULL, OPTION_SERVICE },
        { "check", no_argument, NULL, OPTION_CHECK },
        { "version", no_argument, NULL, OPTION_VERSION },
        { "help", no_argument, NULL, OPTION_HELP },
        { 0 },
};

static void print_usage(FILE *stream, const char *role) {
        (void)fprintf(stream,
                      "usage: %s [-v] [-o NAME=VALUE]... [--service=NAME] [--check]\n"
                      "       %s --version | --help\n"
                      "\n"
                      "A part of unitpost, started by systemd; see unitpost(7).\n"
                      "\n"
                      "  -o NAME=VALUE    set a parameter of main.cf for this process\n"
                      "  --service=NAME   read service/NAME.cf, log under NAME\n"
                      "  --check          read the configuration, say whether it is well, exit\n"
                      "  -v               log debug messages\n",
                      role, role);
}

/* A service's name becomes part of a path: letters, digits, '-' and '_' only. */
static bool service_name_is_valid(const char *name) {
        size_t n = 0;

        for (; name[n]; n++)
                if (!ascii_is_alpha(name[n]) && !ascii_is_digit(name[n]) && name[n] != '-' &&
                    name[n] != '_')
                        return false;
        return n > 0 && n <= 64;
}

static bool usage_error(const char *role, int *ret_status) {
        print_usage(stderr, role);
        *ret_status = ROLE_EXIT_USAGE;
        return false;
}

bool role_options_parse(const char *role, int argc, char **argv, RoleOptions *ret,
                        int *ret_status) {
        size_t n_overrides = 0;
        int c;

        *ret = (RoleOptions){ .service = role };
        ret->overrides = calloc((size_t)argc + 1, sizeof(*ret->overrides));
        if (!ret->overrides) {
                *ret_status = ROLE_EXIT_FAILURE;
                return false;
        }
        optind = 1;
        while ((c = getopt_long(argc, argv, "+o:v", long_options, NULL)) >= 0)
                switch (c) {
                case 'o':
                        if (!str_contains(str_from_cstr(optarg), '='))
                                return usage_error(role, ret_status);
                        ret->overrides[n_overrides++] = optarg;
                        break;
                case 'v':
                        ret->verbose = true;
                        break;
                case OPTION_SERVICE:
                        if (!service_name_is_valid(optarg))
                                return usage_error(role, ret_status);
                        ret->service = optarg;
                        break;
                case OPTION_CHECK:
                        ret->check = true;
                        break;
                case OPTION_VERSION:
                        (void)printf("unitpost %s %s\n", role, UNITPOST_VERSION);
                        *ret_status = ROLE_EXIT_OK;
                        return false;
                case OPTION_HELP:
                        print_usage(stdout, role);
                        *ret_status = ROLE_EXIT_OK;
                        return false;
                default:
                        return usage_error(role, ret_status);
                }
        return optind == argc || usage_error(role, ret_status);
}

void role_options_deinit(RoleOptions *options) {
        free(options->overrides);
        *options = (RoleOptions){ 0 };
}
