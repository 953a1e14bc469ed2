#pragma once

/* The command line that all roles share. */

#include <stdbool.h>

typedef struct RoleOptions {
        const char **overrides; /* "name=value", NULL-terminated; may be NULL; texts are argv's */
        const char *service;    /* --service=, or the role's name */
        bool check;
        bool verbose;
} RoleOptions;

/*
 * Parse ARGV. True: go on. False: all is said (--help, --version, a wrong option), exit with
 * *RET_STATUS. To be given back to role_options_deinit() in any case.
 */
bool role_options_parse(const char *role, int argc, char **argv, RoleOptions *ret, int *ret_status);
void role_options_deinit(RoleOptions *options);
