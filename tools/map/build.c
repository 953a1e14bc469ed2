#include "tools/map/build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/role/protocol-tables.h"

/* For the start of the service, and for a large source. */
#define ASK_TIMEOUT_USEC (60 * USEC_PER_SEC)

static int fail(const BuildOptions *options, int status, Str what, const char *reason) {
        (void)fprintf(stderr, "%s: fatal: %.*s: %s\n", options->program, STR_FMT(what), reason);
        return status;
}

int build_split_entry(const BuildOptions *options, Str entry, Str *ret_path) {
        size_t colon = str_find(entry, ':');

        if (str_has_prefix(entry, STR("/")) || colon == entry.len) {
                *ret_path = entry;
                return EXIT_SUCCESS;
        }
        if (!table_type_is_indexed(str_first(entry, colon)))
                return fail(options, EXIT_FAILURE, entry,
                            "no index is built for tables of this type, only for tdb (also "
                            "named hash, btree, lmdb, cdb, dbm, sdbm)");
        *ret_path = str_skip(entry, colon + 1);
        return EXIT_SUCCESS;
}

static int report_malformed(const BuildOptions *options, const char *path, uint64_t line,
                            const char *reason) {
        (void)fprintf(stderr, "%s: fatal: %s, line %" PRIu64 ": %s\n", options->program, path, line,
                      reason);
        return EXIT_FAILURE;
}

static int report_built(const BuildOptions *options, const char *path,
                        const TableIndexResult *result) {
        if (result->n_duplicates > 0 && !options->is_quiet)
                (void)fprintf(stderr, "%s: warning: %s: %" PRIu64 " duplicate names ignored\n",
                              options->program, path, result->n_duplicates);
        if (options->verbose)
                (void)fprintf(stderr,
                              "%s: %s: %" PRIu64 " %s, longest %" PRIu64 " bytes, %" PRIu64
                              " bytes total\n",
                              options->program, path, result->n_entries,
                              options->syntax == TABLE_SYNTAX_ALIASES ? "aliases" : "entries",
                              result->longest_bytes, result->total_bytes);
        return EXIT_SUCCESS;
}

static int report_directory(const BuildOptions *options, const char *path, int error) {
        (void)fprintf(stderr, "%s: fatal: index of %s in %s: %s\n", options->program, path,
                      options->index_dir ? options->index_dir : TABLE_INDEX_DIR, strerror(error));
        return EXIT_FAILURE;
}

/* A default source that is not there is an empty table; an index of one that went goes too. */
static int remove_index(const BuildOptions *options, const char *path) {
        int r = table_index_remove(options->index_dir, path);

        return r == 0 ? EXIT_SUCCESS : report_directory(options, path, -r);
}

TableIndexJob build_job(const BuildOptions *options, const char *path) {
        return (TableIndexJob){
                .index_dir = options->index_dir,
                .source = path,
                .syntax = options->syntax,
                .rules = options->rules,
                .takes_any_files = options->takes_any_files,
        };
}

int build_report(const BuildOptions *options, const char *path, int r,
                 const TableIndexResult *result) {
        Str what = str_from_cstr(path);

        switch (r) {
        case 0:
                return report_built(options, path, result);
        case TABLE_INDEX_E_SYNTAX:
                return report_malformed(options, path, result->error_line, result->reason);
        case TABLE_INDEX_E_SOURCE:
                return fail(options, EXIT_FAILURE, what, table_file_error(result->source_error));
        case TABLE_INDEX_E_NONE:
                return fail(options, EXIT_FAILURE, what, "there is neither index nor source");
        case TABLE_INDEX_E_DAMAGED:
                return fail(options, EXIT_FAILURE, what,
                            "its index is damaged, and there is no source to make it from");
        default:
                return report_directory(options, path, r < 0 ? -r : EIO);
        }
}

static int build_here(const BuildOptions *options, const char *path) {
        const TableIndexJob job = build_job(options, path);
        TableIndexResult result;
        int r = table_index_build(&job, &result);

        if (r == TABLE_INDEX_E_SOURCE && result.source_error == ENOENT && options->may_be_missing)
                return remove_index(options, path);
        return build_report(options, path, r, &result);
}

const char *build_explain_ipc(int r, int *ret_status) {
        *ret_status = r == IPC_E_REFUSED ? EX_UNAVAILABLE : r < 0 ? EX_OSERR : EX_TEMPFAIL;
        if (r == IPC_E_REFUSED)
                return "the mail system is down (systemctl start unitpost-tables.socket)";
        if (r < 0)
                return strerror(-r);
        return r == IPC_E_BUSY ? "the service tables is busy; try again later"
                               : "the service tables does not answer; try again later";
}

static int report_answer(const BuildOptions *options, const char *path,
                         const TablesResult *answer) {
        const TableIndexResult built = {
                .n_entries = answer->n_entries,
                .n_duplicates = answer->n_duplicates,
                .longest_bytes = answer->longest_bytes,
                .total_bytes = answer->total_bytes,
        };
        char text[TABLES_TEXT_MAX + 1];

        (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(answer->text));
        switch ((TablesStatus)answer->status) {
        case TABLES_DONE:
                return report_built(options, path, &built);
        case TABLES_KEPT:
                if (answer->line > 0)
                        return report_malformed(options, path, answer->line, text);
                break;
        case TABLES_REFUSED:
                (void)fprintf(stderr,
                              "%s: fatal: %s: %s: only root, and the owner of a file, may have its "
                              "index built\n",
                              options->program, path, text);
                return EX_NOPERM;
        case TABLES_FAILED:
                break;
        }
        return fail(options, EXIT_FAILURE, str_from_cstr(path), text);
}

static int build_by_role(const BuildOptions *options, const char *path) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TABLES_TEXT_MAX);
        const TablesRequest request = {
                .source = str_from_cstr(path),
                .syntax = table_syntax_name(options->syntax),
                .mode = STR("build"),
                .rules = options->rules,
        };
        TablesResult answer;
        const char *reason;
        int status;
        int r = tables_ask(&request, ASK_TIMEOUT_USEC, &answer, &text);

        if (r == 0)
                return report_answer(options, path, &answer);
        reason = build_explain_ipc(r, &status);
        return fail(options, status, str_from_cstr(path), reason);
}

int build_index(const BuildOptions *options, const char *path) {
        if (path[0] != '/')
                return fail(options, EXIT_FAILURE, str_from_cstr(path), "not an absolute path");
        return geteuid() == 0 ? build_here(options, path) : build_by_role(options, path);
}
