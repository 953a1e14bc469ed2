#include "tools/postalias/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/mail/table-index.h"
#include "common/role/role-tables.h"

static int fail(const QueryOptions *options, Str reason) {
        (void)fprintf(stderr, "%s: fatal: %.*s\n", options->program, STR_FMT(reason));
        return EXIT_FAILURE;
}

/* root needs nobody's help: as in build.h. */
static int refresh_here(void *context, Str source, TableSyntax syntax, Buf *reason) {
        const QueryOptions *options = context;
        _cleanup_(freep) char *path = str_dup(source);
        const TableIndexJob job = {
                .index_dir = options->index_dir,
                .source = path,
                .syntax = syntax,
        };
        TableIndexResult result;
        int r = path ? table_index_refresh(&job, TABLE_WAIT_USEC, &result) : -ENOMEM;

        if (r == 0)
                return 0;
        if (r == TABLE_INDEX_E_SYNTAX)
                (void)buf_printf(reason, "line %" PRIu64 ": %s", result.error_line, result.reason);
        else
                (void)buf_append_cstr(reason,
                                      r < 0 ? strerror(-r) : table_file_error(result.source_error));
        return TABLE_INDEXER_E_KEPT;
}

static void print_kept(void *context, Str table, Str reason) {
        const QueryOptions *options = context;

        (void)fprintf(stderr, "%s: warning: %.*s: %.*s; the old index is used\n", options->program,
                      STR_FMT(table), STR_FMT(reason));
}

static TableIndexer indexer_of(const QueryOptions *options) {
        return (TableIndexer){
                .refresh = geteuid() == 0
                                   ? refresh_here
                                   : role_tables_context(TABLE_SYNTAX_ALIASES).indexer->refresh,
                .kept = print_kept,
                .context = (void *)(uintptr_t)options,
        };
}

typedef struct Tables {
        const QueryOptions *options;
        TableIndexer indexer;
        Table **tables;
        size_t n;
} Tables;

static void tables_deinit(Tables *tables) {
        for (size_t i = 0; i < tables->n; i++)
                (void)table_free(tables->tables[i]);
        free(tables->tables);
}

static int tables_init(Tables *tables, const QueryOptions *options, const char *const *specs,
                       size_t n) {
        const TableContext context = {
                .index_dir = options->index_dir,
                .indexer = &tables->indexer,
                .syntax = TABLE_SYNTAX_ALIASES,
        };
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1024);
        const char *reason = NULL;
        int r = 0;

        *tables = (Tables){ .options = options, .indexer = indexer_of(options) };
        tables->tables = calloc(n, sizeof(Table *));
        for (; tables->tables && r == 0 && tables->n < n; tables->n += r == 0)
                r = table_new(str_from_cstr(specs[tables->n]), &context, &tables->tables[tables->n],
                              &reason);
        if (r == 0 && tables->tables)
                return EXIT_SUCCESS;
        (void)buf_printf(&text, "%s: %s", specs[tables->n], r > 0 ? reason : strerror(ENOMEM));
        return fail(options, buf_str(&text));
}

/* What the first table that knows KEY says, appended to VALUE. */
static TableResult look_up(const Tables *tables, Str key, Buf *value) {
        for (size_t i = 0; i < tables->n; i++) {
                TableResult result = table_lookup_wait(tables->tables[i], key, value);

                if (result == TABLE_NOT_FOUND)
                        continue;
                if (result == TABLE_ERROR)
                        (void)fail(tables->options, buf_str(value));
                return result;
        }
        return TABLE_NOT_FOUND;
}

static void print_entry(void *userdata, Str key, Str value) {
        (void)fwrite(key.data, 1, key.len, stdout);
        (void)fputs(":\t", stdout);
        (void)fwrite(value.data, 1, value.len, stdout);
        (void)fputc('\n', stdout);
}

static int end_of_output(const QueryOptions *options, int status) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        (void)fail(options, STR("output write error"));
        return EX_IOERR;
}

static int look_up_key(const Tables *tables, Str key) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);

        if (look_up(tables, key, &value) != TABLE_FOUND)
                return EXIT_FAILURE;
        (void)fwrite(value.data, 1, value.len, stdout);
        (void)fputc('\n', stdout);
        return end_of_output(tables->options, EXIT_SUCCESS);
}

static int look_up_lines(const Tables *tables) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        _cleanup_(freep) char *line = NULL;
        int status = EXIT_FAILURE;
        size_t size = 0;
        ssize_t len;

        while ((len = getline(&line, &size, stdin)) >= 0) {
                Str key = str_from(line, (size_t)len - (line[len - 1] == '\n'));
                TableResult result;

                buf_reset(&value);
                result = look_up(tables, key, &value);
                if (result == TABLE_ERROR)
                        return EXIT_FAILURE;
                if (result == TABLE_FOUND) {
                        print_entry(NULL, key, buf_str(&value));
                        status = EXIT_SUCCESS;
                }
        }
        return end_of_output(tables->options, status);
}

int query_lookup(const QueryOptions *options, const char *const *specs, size_t n) {
        Tables tables;
        int status = tables_init(&tables, options, specs, n);

        if (status == EXIT_SUCCESS)
                status = strcmp(options->key, "-") == 0
                                 ? look_up_lines(&tables)
                                 : look_up_key(&tables, str_from_cstr(options->key));
        tables_deinit(&tables);
        return status;
}

static int list_table(const Tables *tables, Table *table) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1024);

        (void)buf_append_clipped(&text, table_spec(table));
        (void)buf_append_clipped(&text, STR(": "));
        return table_each(table, print_entry, NULL, &text) ? EXIT_SUCCESS
                                                           : fail(tables->options, buf_str(&text));
}

int query_list(const QueryOptions *options, const char *const *specs, size_t n) {
        Tables tables;
        int status = tables_init(&tables, options, specs, n);

        for (size_t i = 0; i < tables.n && status == EXIT_SUCCESS; i++)
                status = list_table(&tables, tables.tables[i]);
        tables_deinit(&tables);
        return status == EXIT_SUCCESS ? end_of_output(options, status) : status;
}
