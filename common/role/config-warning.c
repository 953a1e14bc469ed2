#include "common/role/config-warning.h"

#include <errno.h>
#include <stdlib.h>

#include "common/role/config-nearest.h"
#include "common/role/config-value.h"

/* A level that no default is older than. */
#define NEWEST_LEVEL "65535"

#define TEXT_MAX_BYTES 1024

/* Postfix's own list (3.10), and what it says to set instead. */
static const struct {
        Str name;
        const char *instead; /* "": nothing */
} deprecated[] = {
        { { "disable_dns_lookups", 19 }, "smtp_dns_support_level" },
        { { "lmtp_enforce_tls", 16 }, "lmtp_tls_security_level" },
        { { "lmtp_tls_per_site", 17 }, "lmtp_tls_policy_maps" },
        { { "lmtp_use_tls", 12 }, "lmtp_tls_security_level" },
        { { "postscreen_enforce_tls", 22 }, "postscreen_tls_security_level" },
        { { "postscreen_use_tls", 18 }, "postscreen_tls_security_level" },
        { { "smtp_enforce_tls", 16 }, "smtp_tls_security_level" },
        { { "smtp_tls_per_site", 17 }, "smtp_tls_policy_maps" },
        { { "smtp_use_tls", 12 }, "smtp_tls_security_level" },
        { { "smtpd_enforce_tls", 17 }, "smtpd_tls_security_level" },
        { { "smtpd_tls_dh1024_param_file", 27 }, "" },
        { { "smtpd_tls_eecdh_grade", 21 }, "" },
        { { "smtpd_use_tls", 13 }, "smtpd_tls_security_level" },
        { { "tlsproxy_client_enforce_tls", 27 }, "tlsproxy_client_security_level" },
        { { "tlsproxy_client_per_site", 24 }, "tlsproxy_client_policy_maps" },
        { { "tlsproxy_client_use_tls", 23 }, "tlsproxy_client_security_level" },
        { { "tlsproxy_enforce_tls", 20 }, "tlsproxy_tls_security_level" },
        { { "tlsproxy_use_tls", 16 }, "tlsproxy_tls_security_level" },
};

const char *config_deprecated_hint(Str name) {
        for (size_t i = 0; i < ARRAY_LEN(deprecated); i++)
                if (str_equal(name, deprecated[i].name))
                        return deprecated[i].instead;
        return NULL;
}

void config_warnings_deinit(ConfigWarnings *warnings) {
        for (size_t i = 0; i < warnings->n; i++)
                free(warnings->texts[i]);
        free(warnings->texts);
        *warnings = (ConfigWarnings){ 0 };
}

/* One pass over all settings. */
typedef struct Search {
        const ConfigLayers *layers;
        ConfigWarnings *warnings;
        const bool *is_used; /* for each extra */
        int error;
} Search;

static void add(Search *search, Buf *text) {
        ConfigWarnings *warnings = search->warnings;
        char *copy;

        if (search->error != 0 || warnings->n >= CONFIG_WARNINGS_MAX)
                return;
        copy = str_dup(buf_str(text));
        if (copy)
                warnings->texts[warnings->n++] = copy;
        else
                search->error = -ENOMEM;
}

/* "FILE, line N: WHAT NAME TAIL" */
static void warn(Search *search, const ConfigSetting *setting, const char *what, Str name,
                 Str tail) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TEXT_MAX_BYTES);

        config_setting_describe(setting, &text);
        (void)buf_printf(&text, "%s %.*s", what, STR_FMT(str_first(name, 200)));
        (void)buf_append_str(&text, str_first(tail, 300));
        add(search, &text);
}

/* ---- names ---- */

static void warn_unknown(Search *search, const ConfigSetting *extra) {
        _cleanup_(buf_deinit) Buf tail = BUF_INIT(TEXT_MAX_BYTES);
        Str name = str_from_cstr(extra->name);
        const char *hint = config_deprecated_hint(name);
        const char *nearest = config_nearest_param(name);

        if (hint && hint[0] != '\0')
                (void)buf_printf(&tail, ", which is deprecated; set %s instead", hint);
        else if (hint)
                (void)buf_append_cstr(&tail, ", which is deprecated; take it out");
        else if (nearest)
                (void)buf_printf(&tail, "; did you mean %s?", nearest);
        warn(search, extra, hint ? "parameter" : "unknown parameter", name, buf_str(&tail));
}

/* A '#' that begins the value, or stands behind white space in it: a comment that is none. */
static bool find_comment(Str value, Str *ret) {
        for (size_t i = 0; i < value.len; i++)
                if (value.data[i] == '#' && (i == 0 || ascii_is_space(value.data[i - 1]))) {
                        *ret = str_skip(value, i);
                        return true;
                }
        return false;
}

static void warn_comment(Search *search, const ConfigSetting *setting, Str name) {
        _cleanup_(buf_deinit) Buf tail = BUF_INIT(TEXT_MAX_BYTES);
        Str comment;

        if (!setting->file || !find_comment(str_from_cstr(setting->value), &comment))
                return;
        (void)buf_printf(&tail, " is part of it; a comment has a line of its own: \"%.*s\"",
                         STR_FMT(str_first(comment, 40)));
        warn(search, setting, "the text behind # in the value of", name, buf_str(&tail));
}

/* ---- what values refer to ---- */

static bool is_defined(const ConfigLayers *layers, Str name) {
        ConfigParam param;

        return config_value_find_param(name, &param) ||
               config_value_find_service_param(name, &param) ||
               config_layers_find_extra(layers, name);
}

static void warn_undefined(Search *search, const ConfigSetting *setting) {
        Str rest = str_from_cstr(setting->value);
        Str name;

        while (setting->file && config_expand_next_name(&rest, &name))
                if (!is_defined(search->layers, name))
                        warn(search, setting, "undefined parameter", name, STR(" in the value"));
}

static void mark_used(const ConfigLayers *layers, const char *text, bool *is_used) {
        Str rest = str_from_cstr(text);
        Str name;

        while (config_expand_next_name(&rest, &name)) {
                const ConfigSetting *extra = config_layers_find_extra(layers, name);

                if (extra)
                        is_used[extra - layers->extras] = true;
        }
}

bool *config_layers_find_used(const ConfigLayers *layers) {
        bool *is_used = calloc(layers->n_extras + 1, sizeof(is_used[0]));

        for (size_t i = 0; is_used && layers->n_extras > 0 && i < CONFIG_N_PARAMS; i++)
                mark_used(layers, layers->params[i].value, is_used);
        for (size_t i = 0; is_used && i < layers->n_extras; i++)
                mark_used(layers, layers->extras[i].value, is_used);
        return is_used;
}

/* ---- old defaults ---- */

/* The layers as they would be at the newest level. */
static Str look_up_newest(void *context, Str name) {
        return str_equal(name, STR("compatibility_level")) ? STR(NEWEST_LEVEL)
                                                           : config_layers_lookup(context, name);
}

static void warn_old_default(Search *search, ConfigParam param) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TEXT_MAX_BYTES);
        _cleanup_(buf_deinit) Buf now = BUF_INIT(TEXT_MAX_BYTES / 2);
        _cleanup_(buf_deinit) Buf newest = BUF_INIT(TEXT_MAX_BYTES / 2);
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(TEXT_MAX_BYTES);
        void *context = (void *)search->layers;
        const ConfigParamInfo *info = config_param_info(param);
        Str level = config_layers_param_text(search->layers, PARAM_compatibility_level);
        Str value = str_from_cstr(info->default_text);

        if (!strstr(info->default_text, "$compatibility_level") ||
            config_expand_text(value, config_layers_lookup, context, &now, &reason) != 0 ||
            config_expand_text(value, look_up_newest, context, &newest, &reason) != 0 ||
            str_equal(buf_str(&now), buf_str(&newest)))
                return;
        (void)buf_printf(&text,
                         "using backwards-compatible default setting %s=%.*s, because of "
                         "compatibility_level = %.*s; newer is %.*s",
                         info->name, STR_FMT(buf_str(&now)), STR_FMT(str_first(level, 40)),
                         STR_FMT(buf_str(&newest)));
        add(search, &text);
}

/* ---- all together ---- */

static void check_param(Search *search, ConfigParam param) {
        const ConfigSetting *setting = &search->layers->params[param];
        const ConfigParamInfo *info = config_param_info(param);
        Str name = str_from_cstr(info->name);

        if (!setting->value) {
                warn_old_default(search, param);
                return;
        }
        if (setting->indented)
                warn(search, setting, "white space in front of", name, STR_NULL);
        warn_comment(search, setting, name);
        if (info->type != CONFIG_RAW)
                warn_undefined(search, setting);
}

static void check_extra(Search *search, size_t i) {
        const ConfigSetting *extra = &search->layers->extras[i];
        Str name = str_from_cstr(extra->name);
        ConfigParam param;

        if (config_value_find_param(name, &param))
                warn(search, extra, "read-only parameter", name, STR("; this has no effect"));
        else if (!search->is_used[i] && !config_value_find_service_param(name, &param))
                warn_unknown(search, extra);
        if (extra->indented)
                warn(search, extra, "white space in front of", name, STR_NULL);
        warn_comment(search, extra, name);
        if (search->is_used[i])
                warn_undefined(search, extra);
}

int config_warnings_find(const ConfigLayers *layers, ConfigWarnings *ret) {
        _cleanup_(freep) bool *is_used = config_layers_find_used(layers);
        Search search = { .layers = layers, .warnings = ret, .is_used = is_used };

        ret->texts = calloc(CONFIG_WARNINGS_MAX, sizeof(ret->texts[0]));
        if (!is_used || !ret->texts)
                return -ENOMEM;
        for (size_t i = 0; i < CONFIG_N_PARAMS && search.error == 0; i++)
                check_param(&search, (ConfigParam)i);
        for (size_t i = 0;
             i < layers->n_extras && search.error == 0 && ret->n < CONFIG_WARNINGS_MAX; i++)
                check_extra(&search, i);
        return search.error;
}
