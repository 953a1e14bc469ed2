#include "tools/map/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "common/base/base64.h"
#include "common/mail/table-index.h"
#include "common/role/role-tables.h"
#include "tools/map/message-keys.h"

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
                .refresh = geteuid() == 0 ? refresh_here
                                          : role_tables_context(options->syntax).indexer->refresh,
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
                .syntax = options->syntax,
                .keeps_case = options->rules & TABLE_RULE_KEEP_CASE,
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

/* An empty line of a body is a key, too. */
static void print(Str text) {
        if (!str_is_empty(text))
                (void)fwrite(text.data, 1, text.len, stdout);
}

/*
 * Print KEY and separator, if there is a KEY, and VALUE as the options say. False: it is not what
 * -F makes; that was printed then.
 */
static bool print_entry(const QueryOptions *options, const Str *key, Str value) {
        _cleanup_(buf_deinit) Buf decoded = BUF_INIT(TABLE_VALUE_MAX);

        if (options->rules & TABLE_RULE_FILE_VALUES) {
                if (base64_append_decoded(value, &decoded) != 0) {
                        (void)fail(options, STR("a value is not base64, as -F makes it"));
                        return false;
                }
                value = buf_str(&decoded);
        }
        if (key) {
                print(*key);
                (void)fputs(options->separator, stdout);
        }
        print(value);
        (void)fputc('\n', stdout);
        return true;
}

static int end_of_output(const QueryOptions *options, int status) {
        if (fflush(stdout) == 0 && !ferror(stdout))
                return status;
        (void)fail(options, STR("output write error"));
        return EX_IOERR;
}

/* May KEY be looked up? */
static bool check_key(const QueryOptions *options, Str key) {
        bool is_checked = options->message_keys != 0 ? options->checks_message_keys
                                                     : !(options->rules & TABLE_RULE_ANY_BYTES);

        if (!is_checked || str_is_utf8(key))
                return true;
        (void)fprintf(stderr, "%s: warning: a key is not UTF-8 text, and is not looked up\n",
                      options->program);
        return false;
}

static int look_up_key(const Tables *tables, Str key) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);

        if (!check_key(tables->options, key) || look_up(tables, key, &value) != TABLE_FOUND ||
            !print_entry(tables->options, NULL, buf_str(&value)))
                return EXIT_FAILURE;
        return end_of_output(tables->options, EXIT_SUCCESS);
}

/* Many keys, one after the other. */
typedef struct Batch {
        const Tables *tables;
        Buf value;
        bool is_found; /* one of them */
} Batch;

/* One of many: 0, or 1 after a line about an error. */
static int look_up_one(void *userdata, Str key) {
        Batch *batch = userdata;
        TableResult result;

        if (!check_key(batch->tables->options, key))
                return 0;
        buf_reset(&batch->value);
        result = look_up(batch->tables, key, &batch->value);
        if (result == TABLE_FOUND) {
                batch->is_found = true;
                return !print_entry(batch->tables->options, &key, buf_str(&batch->value));
        }
        return result == TABLE_ERROR;
}

/* The keys of a message, or each line. */
static int feed(Batch *batch, MessageKeys *keys) {
        _cleanup_(freep) char *line = NULL;
        size_t size = 0;
        ssize_t len;
        int r = 0;

        while (r == 0 && (len = getline(&line, &size, stdin)) >= 0) {
                Str text = str_from(line, (size_t)len - (len > 0 && line[len - 1] == '\n'));

                r = keys ? message_keys_line(keys, text) : look_up_one(batch, text);
        }
        return r == 0 && keys ? message_keys_end(keys) : r;
}

static int look_up_input(const Tables *tables) {
        const QueryOptions *options = tables->options;
        Batch batch = { .tables = tables, .value = BUF_INIT(TABLE_VALUE_MAX) };
        MessageKeys *keys = NULL;
        int r = 0;

        if (options->message_keys != 0) {
                keys = message_keys_new(options->message_keys, look_up_one, &batch);
                r = keys ? 0 : -ENOMEM;
        }
        if (r == 0)
                r = feed(&batch, keys);
        if (r < 0)
                (void)fail(options, str_from_cstr(strerror(-r)));
        message_keys_free(keys);
        buf_deinit(&batch.value);
        return end_of_output(options, r == 0 && batch.is_found ? EXIT_SUCCESS : EXIT_FAILURE);
}

int query_lookup(const QueryOptions *options, const char *const *specs, size_t n) {
        Tables tables;
        int status = tables_init(&tables, options, specs, n);

        if (status == EXIT_SUCCESS)
                status = strcmp(options->key, "-") == 0
                                 ? look_up_input(&tables)
                                 : look_up_key(&tables, str_from_cstr(options->key));
        tables_deinit(&tables);
        return status;
}

typedef struct Listing {
        const QueryOptions *options;
        bool is_broken; /* an entry could not be printed; the others are */
} Listing;

static void list_entry(void *userdata, Str key, Str value) {
        Listing *listing = userdata;

        listing->is_broken |= !print_entry(listing->options, &key, value);
}

static int list_table(const Tables *tables, Table *table) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(1024);
        Listing listing = { .options = tables->options };

        (void)buf_append_clipped(&text, table_spec(table));
        (void)buf_append_clipped(&text, STR(": "));
        if (!table_each(table, list_entry, &listing, &text))
                return fail(tables->options, buf_str(&text));
        return listing.is_broken ? EXIT_FAILURE : EXIT_SUCCESS;
}

int query_list(const QueryOptions *options, const char *const *specs, size_t n) {
        Tables tables;
        int status = tables_init(&tables, options, specs, n);

        for (size_t i = 0; i < tables.n && status == EXIT_SUCCESS; i++)
                status = list_table(&tables, tables.tables[i]);
        tables_deinit(&tables);
        return status == EXIT_SUCCESS ? end_of_output(options, status) : status;
}
