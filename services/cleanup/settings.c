#include "services/cleanup/settings.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-tables.h"

static int open_tables(const RoleEnv *env, Settings *settings) {
        const struct {
                ConfigParam param;
                TableList **list;
        } rows[] = {
                { PARAM_virtual_alias_maps, &settings->virtual_alias_maps },
                { PARAM_sender_bcc_maps, &settings->sender_bcc_maps },
                { PARAM_recipient_bcc_maps, &settings->recipient_bcc_maps },
        };
        int r = 0;

        for (size_t i = 0; r == 0 && i < ARRAY_LEN(rows); i++)
                r = role_tables_open(env, rows[i].param, TABLE_SYNTAX_MAP, rows[i].list);
        return r;
}

static int read_from_format(const Config *config, bool *ret_obsolete) {
        Str format = str_from_cstr(config_string(config, PARAM_header_from_format));

        *ret_obsolete = str_equal(format, STR("obsolete"));
        if (*ret_obsolete || str_equal(format, STR("standard")))
                return 0;
        log_fatal(LOG_ID_CONFIG_ERROR, "header_from_format: neither standard nor obsolete: %.*s",
                  STR_FMT(format));
        return -EINVAL;
}

static AliasRules alias_rules(const Settings *settings) {
        const Config *config = settings->config;

        return (AliasRules){
                .lookup = settings->lookup,
                .maps = settings->virtual_alias_maps,
                .propagate =
                        config_list_has(config_string(config, PARAM_propagate_unmatched_extensions),
                                        STR("virtual")),
                .expansion_max = (size_t)config_int(config, PARAM_virtual_alias_expansion_limit),
                .recursion_max = (size_t)config_int(config, PARAM_virtual_alias_recursion_limit),
                .address_max = (size_t)config_int(config, PARAM_virtual_alias_address_length_limit),
        };
}

int settings_new(const RoleEnv *env, Settings **ret) {
        _cleanup_(settings_freep) Settings *settings = calloc(1, sizeof(*settings));
        int r;

        if (!settings)
                return -ENOMEM;
        settings->config = env->config;
        settings->keep_original = config_bool(env->config, PARAM_enable_original_recipient);
        r = read_from_format(env->config, &settings->obsolete_from);
        if (r == 0)
                r = address_rules_init(&settings->addresses, env);
        if (r == 0)
                r = open_tables(env, settings);
        if (r != 0)
                return r;
        settings->lookup = address_rules_lookup(&settings->addresses);
        settings->aliases = alias_rules(settings);
        *ret = TAKE_PTR(settings);
        return 0;
}

Settings *settings_free(Settings *settings) {
        if (!settings)
                return NULL;
        queue_free(settings->queue);
        address_rules_deinit(&settings->addresses);
        table_list_free(settings->virtual_alias_maps);
        table_list_free(settings->sender_bcc_maps);
        table_list_free(settings->recipient_bcc_maps);
        free(settings);
        return NULL;
}
