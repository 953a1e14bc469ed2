#include "common/role/role-tables.h"

#include <errno.h>
#include <string.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"

#define ERROR_MAX_BYTES 1024

int role_tables_open(const RoleEnv *env, ConfigParam param, TableSyntax syntax, TableList **ret) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        const TableContext context = { .syntax = syntax };
        int r;

        r = table_list_new(str_from_cstr(config_string(env->config, param)), &context, ret, &error);
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
