#include "common/role/role-tables.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-tables.h"
#include "common/role/role-watch.h"

#define ERROR_MAX_BYTES 1024

/* For the hello, which may take the start of a service, and for the answer: the role itself waits
 * up to TABLE_WAIT_USEC for a source to come to rest. */
#define ASK_TIMEOUT_USEC (TABLE_WAIT_USEC + 2 * USEC_PER_SEC)

#define AGAIN_MSEC 50

/* Many workers notice one edit at the same moment, and the role has limits. */
static int ask_until(const TablesRequest *request, usec_t until, TablesResult *ret, Buf *text) {
        for (;;) {
                int r = tables_ask(request, ASK_TIMEOUT_USEC, ret, text);

                if (r != IPC_E_BUSY || clock_monotonic_usec() >= until)
                        return r;
                (void)poll(NULL, 0, AGAIN_MSEC);
        }
}

static int ask_role(void *context, Str source, TableSyntax syntax, Buf *reason) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TABLES_TEXT_MAX);
        const TablesRequest request = {
                .source = source,
                .syntax = table_syntax_name(syntax),
                .mode = STR("refresh"),
        };
        TablesResult result;
        int r;

        r = ask_until(&request, usec_add(clock_monotonic_usec(), ASK_TIMEOUT_USEC), &result, &text);
        if (r == 0 && result.status == TABLES_DONE)
                return 0;
        if (r != 0)
                (void)buf_printf(reason, "the service tables: %s",
                                 r < 0 ? strerror(-r) : ipc_error_name(r));
        else if (result.line > 0)
                (void)buf_printf(reason, "line %" PRIu64 ": ", result.line);
        if (r == 0)
                (void)buf_append_clipped(reason, result.text);
        return TABLE_INDEXER_E_KEPT;
}

static void log_kept(void *context, Str table, Str reason) {
        log_warning(LOG_ID_TABLE_KEPT, "%.*s: %.*s; the old index is used", STR_FMT(table),
                    STR_FMT(reason));
}

static const TableIndexer indexer = { .refresh = ask_role, .kept = log_kept };

TableContext role_tables_context(TableSyntax syntax) {
        return (TableContext){ .indexer = &indexer, .watch = &role_watch, .syntax = syntax };
}

static int open_list(const RoleEnv *env, ConfigParam param, const TableContext *context,
                     TableList **ret) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        int r;

        r = table_list_new(str_from_cstr(config_string(env->config, param)), context, ret, &error);
        if (r == 0) {
                if (!config_is_set(env->config, param))
                        table_list_allow_missing(*ret);
                return 0;
        }
        if (r < 0)
                (void)buf_append_cstr(&error, strerror(-r));
        log_fatal(LOG_ID_CONFIG_ERROR, "%s: %.*s", config_param_info(param)->name,
                  STR_FMT(buf_str(&error)));
        return r < 0 ? r : -EINVAL;
}

int role_tables_open(const RoleEnv *env, ConfigParam param, TableSyntax syntax, TableList **ret) {
        const TableContext context = role_tables_context(syntax);

        return open_list(env, param, &context, ret);
}

int role_tables_open_trusted(const RoleEnv *env, ConfigParam param, TableSyntax syntax,
                             TableList **ret) {
        TableContext context = role_tables_context(syntax);

        context.is_trusted = true;
        return open_list(env, param, &context, ret);
}
