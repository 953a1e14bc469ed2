/*
 * A loaded configuration: the layers, and every parameter expanded and checked once, so that
 * reading a value afterwards is reading a field.
 */

#include "common/role/config.h"

#include <errno.h>
#include <stdlib.h>

#include "common/role/config-default.h"
#include "common/role/config-files.h"
#include "common/role/config-layer.h"
#include "common/role/config-value.h"
#include "common/role/config-warning.h"

/* Bytes of one expanded value. */
#define VALUE_MAX_BYTES CONFIG_FILE_MAX_BYTES

typedef struct Value {
        const char *text; /* of a layer, or OWNED */
        char *owned;      /* what expansion made of it; NULL: there was nothing to expand */
        int64_t number;   /* as config_value_parse() gives it */
} Value;

struct Config {
        ConfigLayers layers;
        Value values[CONFIG_N_PARAMS];
        int64_t *service_numbers; /* one for each extra; set for service-defined names */
        ConfigWarnings warnings;
};

Config *config_free(Config *config) {
        if (!config)
                return NULL;
        config_layers_deinit(&config->layers);
        for (size_t i = 0; i < ARRAY_LEN(config->values); i++)
                free(config->values[i].owned);
        config_warnings_deinit(&config->warnings);
        free(config->service_numbers);
        free(config);
        return NULL;
}

/* Expand the text of PARAM into its value, which owns the result. */
static int expand_param(Config *config, ConfigParam param, Buf *error) {
        _cleanup_(buf_deinit) Buf expanded = BUF_INIT(VALUE_MAX_BYTES);
        Value *value = &config->values[param];
        int r;

        r = config_layers_expand_param(&config->layers, param, &expanded, error);
        if (r != 0)
                return r;
        value->text = value->owned = str_dup(buf_str(&expanded));
        return value->owned ? 0 : -ENOMEM;
}

static int evaluate_param(Config *config, ConfigParam param, Buf *error) {
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(512);
        Value *value = &config->values[param];
        Str text = config_layers_param_text(&config->layers, param);
        int r;

        /* Every sendmail(1) comes here for every parameter: most have nothing to expand. */
        value->text = text.data;
        if (str_contains(text, '$')) {
                r = expand_param(config, param, error);
                if (r != 0)
                        return r;
        }
        r = config_value_parse(config_param_info(param), str_from_cstr(value->text), &value->number,
                               &reason);
        return r == 0 ? 0 : config_layers_invalid(&config->layers, param, buf_str(&reason), error);
}

/* A service-defined name has the type and bounds of the parameter that it stands for. */
static int evaluate_extra(Config *config, size_t i, Buf *error) {
        _cleanup_(buf_deinit) Buf expanded = BUF_INIT(VALUE_MAX_BYTES);
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(512);
        const ConfigSetting *extra = &config->layers.extras[i];
        ConfigParam param;
        int r;

        if (!config_value_find_service_param(str_from_cstr(extra->name), &param))
                return 0;
        r = config_expand(config, str_from_cstr(extra->value), &expanded, &reason);
        if (r == 0)
                r = config_value_parse(config_param_info(param), buf_str(&expanded),
                                       &config->service_numbers[i], &reason);
        return r <= 0 ? r : config_layers_invalid_extra(extra, buf_str(&reason), error);
}

static int evaluate(Config *config, Buf *error) {
        int r = 0;

        for (size_t i = 0; i < CONFIG_N_PARAMS && r == 0; i++)
                r = evaluate_param(config, (ConfigParam)i, error);
        if (r != 0 || config->layers.n_extras == 0)
                return r;
        config->service_numbers =
                calloc(config->layers.n_extras, sizeof(config->service_numbers[0]));
        if (!config->service_numbers)
                return -ENOMEM;
        for (size_t i = 0; i < config->layers.n_extras && r == 0; i++)
                r = evaluate_extra(config, i, error);
        return r;
}

int config_load(const ConfigSource *source, Config **ret, Buf *error) {
        _cleanup_(config_freep) Config *config = calloc(1, sizeof(*config));
        int r;

        if (!config)
                return -ENOMEM;
        r = config_files_load(&config->layers, source,
                              source->previous ? &source->previous->layers : NULL, error);
        if (r == 0)
                r = config_default_set(&config->layers, source, error);
        if (r == 0)
                r = evaluate(config, error);
        if (r < 0 && error->len == 0)
                (void)buf_append_cstr(error, strerror(-r));
        if (r == 0)
                *ret = TAKE_PTR(config);
        return r;
}

const char *config_string(const Config *config, ConfigParam param) {
        return config->values[param].text;
}

bool config_bool(const Config *config, ConfigParam param) {
        return config->values[param].number != 0;
}

int64_t config_int(const Config *config, ConfigParam param) {
        return config->values[param].number;
}

usec_t config_time_usec(const Config *config, ConfigParam param) {
        return (usec_t)config->values[param].number;
}

bool config_origin(const Config *config, Str name, ConfigOrigin *ret) {
        const ConfigSetting *setting = config_layers_find(&config->layers, name);

        if (setting)
                *ret = config_setting_origin(setting);
        return setting != NULL;
}

bool config_is_set(const Config *config, ConfigParam param) {
        return config->layers.params[param].file != NULL;
}

int64_t config_service_int(const Config *config, const char *service, const char *suffix,
                           ConfigParam fallback) {
        _cleanup_(buf_deinit) Buf name = BUF_INIT(1024);
        const ConfigSetting *extra;
        ConfigParam param;

        if (buf_printf(&name, "%s_%s", service, suffix) != 0)
                return config_int(config, fallback);
        if (config_value_find_param(buf_str(&name), &param))
                return config_int(config, param);
        extra = config_layers_find_extra(&config->layers, buf_str(&name));
        if (!extra || !config_value_find_service_param(buf_str(&name), &param))
                return config_int(config, fallback);
        return config->service_numbers[extra - config->layers.extras];
}

int config_expand(const Config *config, Str text, Buf *ret, Buf *error) {
        int r = config_expand_text(text, config_layers_lookup, (void *)&config->layers, ret, error);

        return r == CONFIG_EXPAND_E_INVALID ? CONFIG_E_INVALID : r;
}

const char *config_next_warning(Config *config, size_t *cursor) {
        ConfigWarnings *warnings = &config->warnings;

        if (!warnings->texts)
                (void)config_warnings_find(&config->layers, warnings);
        if (!warnings->texts || *cursor >= warnings->n)
                return NULL;
        return warnings->texts[(*cursor)++];
}

bool config_list_has(const char *list, Str word) {
        Str rest = str_from_cstr(list);
        Str entry;

        while (str_next_word(&rest, &entry))
                if (str_equal_nocase(entry, word))
                        return true;
        return false;
}
