#include "common/role/role-address.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-tables.h"

#define ERROR_MAX_BYTES 1024

/* Copies of the parameters that the rules point into. */
static const ConfigParam text_params[] = {
        PARAM_myorigin,
        PARAM_mydomain,
        PARAM_myhostname,
        PARAM_inet_interfaces,
        PARAM_proxy_interfaces,
        PARAM_local_transport,
        PARAM_default_transport,
        PARAM_empty_address_recipient,
        PARAM_recipient_delimiter,
        PARAM_double_bounce_sender,
        PARAM_remote_header_rewrite_domain,
};

struct AddressRulesOwned {
        char *texts[ARRAY_LEN(text_params)];
        MatchList *mydestination;
        MatchList *virtual_alias_domains;
};

/* Asked by nobody: that a table has a transport makes table_lookup_wait() say no at once. */
static int refuse_lookup(void *context, Str table, Str key, TableReply reply, void *userdata) {
        reply(userdata, TABLE_ERROR, STR("this process must not wait for this table"));
        return 0;
}

static const TableTransport no_transport = { .lookup = refuse_lookup };

static int open_list(const RoleEnv *env, ConfigParam param, MatchList **ret) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        TableContext tables = role_tables_context(TABLE_SYNTAX_MAP);
        int r;

        if (env->event)
                tables = (TableContext){ .transport = &no_transport };
        r = match_list_new(str_from_cstr(config_string(env->config, param)), MATCH_NAMES, &tables,
                           ret, &error);
        if (r == 0)
                return 0;
        if (r < 0)
                (void)buf_append_cstr(&error, strerror(-r));
        log_fatal(LOG_ID_CONFIG_ERROR, "%s: %.*s", config_param_info(param)->name,
                  STR_FMT(buf_str(&error)));
        return r < 0 ? r : -EINVAL;
}

static int copy_texts(struct AddressRulesOwned *owned, const Config *config) {
        for (size_t i = 0; i < ARRAY_LEN(text_params); i++) {
                owned->texts[i] = strdup(config_string(config, text_params[i]));
                if (!owned->texts[i])
                        return -ENOMEM;
        }
        return 0;
}

static Str text_of(const struct AddressRulesOwned *owned, ConfigParam param) {
        for (size_t i = 0; i < ARRAY_LEN(text_params); i++)
                if (text_params[i] == param)
                        return str_from_cstr(owned->texts[i]);
        return STR_NULL;
}

static RewriteRules rewrite_rules(const Config *config, Str origin, Str domain) {
        return (RewriteRules){
                .origin = config_bool(config, PARAM_append_at_myorigin) ? origin : STR_NULL,
                .domain = config_bool(config, PARAM_append_dot_mydomain) ? domain : STR_NULL,
                .swap_bangpath = config_bool(config, PARAM_swap_bangpath),
                .allow_percent_hack = config_bool(config, PARAM_allow_percent_hack),
        };
}

static ResolveRules resolve_rules(const struct AddressRulesOwned *owned, const Config *config) {
        return (ResolveRules){
                .local = {
                        .mydestination = owned->mydestination,
                        .inet_interfaces = text_of(owned, PARAM_inet_interfaces),
                        .proxy_interfaces = text_of(owned, PARAM_proxy_interfaces),
                },
                .virtual_alias_domains = owned->virtual_alias_domains,
                .rewrite = rewrite_rules(config, text_of(owned, PARAM_myorigin),
                                         text_of(owned, PARAM_mydomain)),
                .myhostname = text_of(owned, PARAM_myhostname),
                .empty_address = text_of(owned, PARAM_empty_address_recipient),
                .local_transport = text_of(owned, PARAM_local_transport),
                .default_transport = text_of(owned, PARAM_default_transport),
                .null_domain = config_bool(config, PARAM_resolve_null_domain),
                .numeric_domain = config_bool(config, PARAM_resolve_numeric_domain),
                .dequoted = config_bool(config, PARAM_resolve_dequoted_address),
                .name_table = config_bool(config, PARAM_show_user_unknown_table_name),
        };
}

int address_rules_init(AddressRules *rules, const RoleEnv *env) {
        struct AddressRulesOwned *owned = calloc(1, sizeof(*owned));
        const Config *config = env->config;
        Str remote;
        int r;

        *rules = (AddressRules){ .owned = owned };
        r = owned ? copy_texts(owned, config) : -ENOMEM;
        if (r == 0)
                r = open_list(env, PARAM_mydestination, &owned->mydestination);
        if (r == 0)
                r = open_list(env, PARAM_virtual_alias_domains, &owned->virtual_alias_domains);
        if (r < 0)
                return r;
        remote = text_of(owned, PARAM_remote_header_rewrite_domain);
        rules->resolve = resolve_rules(owned, config);
        rules->remote = rewrite_rules(config, remote, remote);
        rules->rewrites_remote = !str_is_empty(remote);
        rules->extension = (ExtensionRules){
                .delimiters = text_of(owned, PARAM_recipient_delimiter),
                .double_bounce_sender = text_of(owned, PARAM_double_bounce_sender),
                .owner_request_special = config_bool(config, PARAM_owner_request_special),
        };
        rules->myorigin = text_of(owned, PARAM_myorigin);
        return 0;
}

void address_rules_deinit(AddressRules *rules) {
        struct AddressRulesOwned *owned = rules->owned;

        if (owned) {
                for (size_t i = 0; i < ARRAY_LEN(owned->texts); i++)
                        free(owned->texts[i]);
                match_list_free(owned->mydestination);
                match_list_free(owned->virtual_alias_domains);
                free(owned);
        }
        *rules = ADDRESS_RULES_NULL;
}

AddressLookupRules address_rules_lookup(const AddressRules *rules) {
        return (AddressLookupRules){
                .extension = &rules->extension,
                .local = &rules->resolve.local,
                .rewrite = &rules->resolve.rewrite,
                .myorigin = rules->myorigin,
        };
}
