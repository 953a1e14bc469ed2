#include "services/local/settings.h"

#include <errno.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-tables.h"

static const struct {
        Str word;
        unsigned bit;
} origins[] = {
        { { "alias", 5 }, SETTINGS_BY_ALIAS },
        { { "forward", 7 }, SETTINGS_BY_FORWARD },
        { { "include", 7 }, SETTINGS_BY_INCLUDE },
};

Str settings_text(const Settings *settings, ConfigParam param) {
        return str_from_cstr(config_string(settings->config, param));
}

static int fail(ConfigParam param, Str word, const char *what) {
        log_fatal(LOG_ID_CONFIG_ERROR, "%s: %.*s: %s", config_param_info(param)->name,
                  STR_FMT(word), what);
        return -EINVAL;
}

/* A list of "alias", "forward", "include". */
static int read_origins(const Settings *settings, ConfigParam param, unsigned *ret) {
        Str rest = settings_text(settings, param), word;
        unsigned bit;

        *ret = 0;
        while (str_next_word(&rest, &word)) {
                bit = 0;
                for (size_t i = 0; i < ARRAY_LEN(origins); i++)
                        if (str_equal_nocase(word, origins[i].word))
                                bit = origins[i].bit;
                if (bit == 0)
                        return fail(param, word, "none of alias, forward, include");
                *ret |= bit;
        }
        return 0;
}

static int read_nobody(Settings *settings) {
        Str name = settings_text(settings, PARAM_default_privs);
        int r = local_user_find(name, &settings->nobody);

        if (r > 0)
                return fail(PARAM_default_privs, name, "no such user");
        if (r < 0) {
                log_fatal(LOG_ID_START_FAILED, "default_privs: %.*s: %s", STR_FMT(name),
                          strerror(-r));
                return r;
        }
        if (settings->nobody.uid == 0 || settings->nobody.gid == 0)
                return fail(PARAM_default_privs, name, "a user with the rights of root");
        return 0;
}

static int read_tables(Settings *settings, const RoleEnv *env) {
        const struct {
                ConfigParam param;
                TableSyntax syntax;
                TableList **list;
        } tables[] = {
                { PARAM_alias_maps, TABLE_SYNTAX_ALIASES, &settings->aliases },
                { PARAM_mailbox_command_maps, TABLE_SYNTAX_MAP, &settings->mailbox_commands },
                { PARAM_mailbox_transport_maps, TABLE_SYNTAX_MAP, &settings->mailbox_transports },
                { PARAM_fallback_transport_maps, TABLE_SYNTAX_MAP, &settings->fallback_transports },
        };
        int r = 0;

        for (size_t i = 0; i < ARRAY_LEN(tables) && r == 0; i++)
                r = role_tables_open_trusted(env, tables[i].param, tables[i].syntax,
                                             tables[i].list);
        return r;
}

int settings_init(Settings *settings, const RoleEnv *env) {
        const char *extend = config_string(env->config, PARAM_propagate_unmatched_extensions);
        int r;

        *settings = (Settings){
                .config = env->config,
                .service = env->service,
                .extend_aliases = config_list_has(extend, STR("alias")),
                .extend_forwards = config_list_has(extend, STR("forward")),
                .extend_includes = config_list_has(extend, STR("include")),
                .is_delivered_frozen = config_bool(env->config, PARAM_frozen_delivered_to),
                .show_original = config_bool(env->config, PARAM_enable_original_recipient),
        };
        r = read_origins(settings, PARAM_allow_mail_to_commands, &settings->commands_allowed);
        if (r == 0)
                r = read_origins(settings, PARAM_allow_mail_to_files, &settings->files_allowed);
        if (r == 0)
                r = read_nobody(settings);
        if (r == 0)
                r = address_rules_init(&settings->addresses, env);
        if (r == 0)
                r = read_tables(settings, env);
        return r;
}

void settings_deinit(Settings *settings) {
        settings->aliases = table_list_free(settings->aliases);
        settings->mailbox_commands = table_list_free(settings->mailbox_commands);
        settings->mailbox_transports = table_list_free(settings->mailbox_transports);
        settings->fallback_transports = table_list_free(settings->fallback_transports);
        local_user_deinit(&settings->nobody);
        address_rules_deinit(&settings->addresses);
}
