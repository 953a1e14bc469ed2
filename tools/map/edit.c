#include "tools/map/edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

/* 0, or an exit status. */
static int check_caller(const BuildOptions *options, const char *path) {
        if (geteuid() == 0)
                return EXIT_SUCCESS;
        (void)fprintf(stderr,
                      "%s: fatal: %s: only root adds and removes single entries of an index; "
                      "change the source, and build the index\n",
                      options->program, path);
        return EX_NOPERM;
}

int edit_add(const BuildOptions *options, const char *path, Str text) {
        TableIndexJob job = build_job(options, path);
        TableIndexResult result;
        int status = check_caller(options, path);

        if (status != EXIT_SUCCESS)
                return status;
        return build_report(options, path, table_index_add(&job, text, &result), &result);
}

int edit_delete(const BuildOptions *options, const char *path, Str keys, uint64_t *n) {
        TableIndexJob job = build_job(options, path);
        TableIndexResult result;
        int status = check_caller(options, path);
        uint64_t n_here = 0;

        if (status != EXIT_SUCCESS)
                return status;
        status = build_report(options, path, table_index_delete(&job, keys, &result, &n_here),
                              &result);
        *n += n_here;
        return status;
}
