/*
 * Goes through the entries of alias_database. Never prints a line of a source: who may run this
 * may not be who may read it.
 */

#include "tools/newaliases/newaliases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/mail/table-index.h"
#include "common/mail/table.h"

static int fail(const NewaliasesOptions *options, Str entry, const char *reason) {
        (void)fprintf(stderr, "%s: fatal: %.*s: %s\n", options->program, STR_FMT(entry), reason);
        return EXIT_FAILURE;
}

static int report_failure(const NewaliasesOptions *options, const char *source, int r,
                          const TableIndexResult *result) {
        if (r == TABLE_INDEX_E_SYNTAX) {
                (void)fprintf(stderr, "%s: fatal: %s, line %" PRIu64 ": %s\n", options->program,
                              source, result->error_line, result->reason);
                return EXIT_FAILURE;
        }
        if (r == TABLE_INDEX_E_SOURCE)
                return fail(options, str_from_cstr(source), table_file_error(result->source_error));
        (void)fprintf(stderr, "%s: fatal: index of %s in %s: %s\n", options->program, source,
                      options->index_dir, strerror(-r));
        return EXIT_FAILURE;
}

static void report_success(const NewaliasesOptions *options, const char *source,
                           const TableIndexResult *result) {
        if (result->n_duplicates > 0)
                (void)fprintf(stderr, "%s: warning: %s: %" PRIu64 " duplicate names ignored\n",
                              options->program, source, result->n_duplicates);
        if (options->verbose)
                (void)fprintf(stderr,
                              "%s: %s: %" PRIu64 " aliases, longest %" PRIu64 " bytes, %" PRIu64
                              " bytes total\n",
                              options->program, source, result->n_entries, result->longest_bytes,
                              result->total_bytes);
}

/* A default source that is not there is an empty table; an index of one that went goes too. */
static int remove_index(const NewaliasesOptions *options, const char *source) {
        TableIndexResult none = { 0 };
        int r = table_index_remove(options->index_dir, source);

        return r == 0 ? EXIT_SUCCESS : report_failure(options, source, r, &none);
}

/* One "type:path", or a path. */
static int build_entry(const NewaliasesOptions *options, Str entry, bool may_be_missing) {
        size_t colon = str_find(entry, ':');
        Str path = entry.data[0] == '/' ? entry : str_skip(entry, colon + 1);
        _cleanup_(freep) char *source = str_dup(path);
        TableIndexJob job = { .index_dir = options->index_dir, .syntax = TABLE_SYNTAX_ALIASES };
        TableIndexResult result;
        int r;

        if (!source)
                return fail(options, entry, strerror(ENOMEM));
        if (entry.data[0] != '/' && !table_type_is_indexed(str_first(entry, colon)))
                return fail(options, entry,
                            "no index is built for tables of this type, only for tdb (also "
                            "named hash, btree, lmdb, cdb, dbm, sdbm)");
        if (source[0] != '/')
                return fail(options, entry, "not an absolute path");
        job.source = source;
        r = table_index_build(&job, &result);
        if (r == TABLE_INDEX_E_SOURCE && result.source_error == ENOENT && may_be_missing)
                return remove_index(options, source);
        if (r != 0)
                return report_failure(options, source, r, &result);
        report_success(options, source, &result);
        return EXIT_SUCCESS;
}

int newaliases_run(const Config *config, const NewaliasesOptions *options) {
        NewaliasesOptions actual = *options;
        bool is_default = !options->alias_database && !config_is_set(config, PARAM_alias_database);
        Str rest = str_from_cstr(options->alias_database
                                         ? options->alias_database
                                         : config_string(config, PARAM_alias_database));
        int status = EXIT_SUCCESS;
        Str entry;

        if (!actual.index_dir)
                actual.index_dir = TABLE_INDEX_DIR;
        if (geteuid() != 0) {
                (void)fprintf(stderr, "%s: fatal: only root may build the index of aliases\n",
                              options->program);
                return EX_NOPERM;
        }
        while (str_next_word(&rest, &entry))
                if (build_entry(&actual, entry, is_default) != EXIT_SUCCESS)
                        status = EXIT_FAILURE;
        return status;
}
