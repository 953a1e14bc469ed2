/*
 * Holds what the layers say: an array with a place for each parameter, and a sorted list of other
 * names. A setting replaces an earlier one of its name.
 */

#include "common/role/config-layer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/role/config-default.h"
#include "common/role/config-value.h"

static void setting_deinit(ConfigSetting *setting) {
        free(setting->name);
        free(setting->value);
}

void config_layers_deinit(ConfigLayers *layers) {
        for (size_t i = 0; i < ARRAY_LEN(layers->params); i++)
                setting_deinit(&layers->params[i]);
        for (size_t i = 0; i < layers->n_extras; i++)
                setting_deinit(&layers->extras[i]);
        for (size_t i = 0; i < layers->n_files; i++)
                free(layers->files[i]);
        free(layers->extras);
        free(layers->files);
        *layers = (ConfigLayers){ 0 };
}

const char *config_layers_remember_file(ConfigLayers *layers, const char *path) {
        char **files = reallocarray(layers->files, layers->n_files + 1, sizeof(files[0]));

        if (!files)
                return NULL;
        layers->files = files;
        files[layers->n_files] = strdup(path);
        return files[layers->n_files] ? files[layers->n_files++] : NULL;
}

bool config_layers_has_file(const ConfigLayers *layers, const char *path) {
        for (size_t i = 0; i < layers->n_files; i++)
                if (strcmp(layers->files[i], path) == 0)
                        return true;
        return false;
}

/* NAME.cf of a service, in whatever directory. */
static bool is_service_file(Str path) {
        Str parent = str_first(path, str_find_last(path, '/'));

        return str_has_suffix(parent, STR("/service"));
}

static const char *layer_of(Str path) {
        if (str_equal(path, STR(CONFIG_OPTION_FILE)))
                return "option";
        if (is_service_file(path))
                return "service";
        if (str_has_prefix(path, STR(CONFIG_DISTRIBUTION_DIRECTORY "/")))
                return "distribution";
        return str_has_prefix(path, STR(CONFIG_RUNTIME_DIRECTORY "/")) ? "runtime" : "admin";
}

ConfigOrigin config_setting_origin(const ConfigSetting *setting) {
        if (!setting->file)
                return (ConfigOrigin){ .layer = "default" };
        return (ConfigOrigin){
                .layer = layer_of(str_from_cstr(setting->file)),
                .file = setting->line > 0 ? setting->file : NULL,
                .line = setting->line,
        };
}

static int grow_extras(ConfigLayers *layers) {
        size_t n = layers->n_extras_allocated > 0 ? layers->n_extras_allocated * 2 : 16;
        ConfigSetting *extras;

        if (layers->n_extras >= CONFIG_EXTRAS_MAX)
                return -E2BIG;
        if (layers->n_extras < layers->n_extras_allocated)
                return 0;
        extras = reallocarray(layers->extras, n, sizeof(extras[0]));
        if (!extras)
                return -ENOMEM;
        layers->extras = extras;
        layers->n_extras_allocated = n;
        return 0;
}

static int append_extra(ConfigLayers *layers, ConfigSetting setting, Str name) {
        int r = grow_extras(layers);

        if (r != 0)
                return r;
        setting.name = str_dup(name);
        if (!setting.name)
                return -ENOMEM;
        layers->extras[layers->n_extras++] = setting;
        return 0;
}

int config_layers_set(ConfigLayers *layers, const ConfigLine *line, const char *file) {
        ConfigParam param;
        ConfigSetting setting = {
                .value = str_dup(line->value),
                .file = file,
                .line = line->line,
                .order = layers->n_extras,
                .indented = line->indented,
        };
        int r;

        if (!setting.value)
                return -ENOMEM;
        if (config_value_find_param(line->name, &param) &&
            !(file && config_default_is_fixed(param))) {
                setting_deinit(&layers->params[param]);
                layers->params[param] = setting;
                return 0;
        }
        r = append_extra(layers, setting, line->name);
        if (r != 0)
                free(setting.value);
        return r;
}

int config_layers_set_default(ConfigLayers *layers, ConfigParam param, Str value) {
        ConfigLine line = {
                .name = str_from_cstr(config_param_info(param)->name),
                .value = value,
        };

        return config_layers_set(layers, &line, NULL);
}

static int compare_extras(const void *a, const void *b) {
        const ConfigSetting *first = a;
        const ConfigSetting *second = b;
        int order = strcmp(first->name, second->name);

        return order != 0 ? order : first->order < second->order ? -1 : 1;
}

void config_layers_sort(ConfigLayers *layers) {
        ConfigSetting *extras = layers->extras;
        size_t n = 0;

        if (layers->n_extras == 0)
                return;
        qsort(extras, layers->n_extras, sizeof(extras[0]), compare_extras);
        for (size_t i = 0; i < layers->n_extras; i++)
                if (i + 1 < layers->n_extras && strcmp(extras[i].name, extras[i + 1].name) == 0)
                        setting_deinit(&extras[i]);
                else
                        extras[n++] = extras[i];
        layers->n_extras = n;
}

static int compare_key(const void *key, const void *element) {
        const Str *name = key;
        const char *extra = ((const ConfigSetting *)element)->name;
        int order = strncmp(name->data, extra, name->len);

        return order != 0 || extra[name->len] == '\0' ? order : -1;
}

const ConfigSetting *config_layers_find_extra(const ConfigLayers *layers, Str name) {
        if (str_is_empty(name) || str_contains(name, '\0') || layers->n_extras == 0)
                return NULL;
        return bsearch(&name, layers->extras, layers->n_extras, sizeof(layers->extras[0]),
                       compare_key);
}

const ConfigSetting *config_layers_find(const ConfigLayers *layers, Str name) {
        ConfigParam param;

        return config_value_find_param(name, &param) ? &layers->params[param]
                                                     : config_layers_find_extra(layers, name);
}

Str config_layers_param_text(const ConfigLayers *layers, ConfigParam param) {
        const char *value = layers->params[param].value;

        return str_from_cstr(value ? value : config_param_info(param)->default_text);
}

Str config_layers_lookup(void *context, Str name) {
        const ConfigLayers *layers = context;
        const ConfigSetting *extra;
        ConfigParam param;

        if (config_value_find_param(name, &param))
                return config_layers_param_text(layers, param);
        extra = config_layers_find_extra(layers, name);
        return extra ? str_from_cstr(extra->value) : STR_NULL;
}

void config_setting_describe(const ConfigSetting *setting, Buf *text) {
        if (!setting->file)
                (void)buf_append_cstr(text, "default: ");
        else if (setting->line == 0)
                (void)buf_printf(text, "%s ", setting->file);
        else
                (void)buf_printf(text, "%s, line %" PRIu64 ": ", setting->file, setting->line);
}

/* "FILE, line N: NAME = VALUE: " in front of an error about a setting. */
static void describe(const ConfigSetting *setting, const char *name, Str value, Buf *error) {
        config_setting_describe(setting, error);
        (void)buf_printf(error, "%s = %.*s%s: ", name, STR_FMT(str_first(value, 200)),
                         value.len > 200 ? "..." : "");
}

int config_layers_invalid(const ConfigLayers *layers, ConfigParam param, Str reason, Buf *error) {
        describe(&layers->params[param], config_param_info(param)->name,
                 config_layers_param_text(layers, param), error);
        (void)buf_append_clipped(error, reason);
        return CONFIG_E_INVALID;
}

int config_layers_expand_param(const ConfigLayers *layers, ConfigParam param, Buf *ret,
                               Buf *error) {
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(512);
        Str text = config_layers_param_text(layers, param);
        int r;

        if (config_param_info(param)->type == CONFIG_RAW)
                return buf_append_str(ret, text);
        r = config_expand_text(text, config_layers_lookup, (void *)layers, ret, &reason);
        if (r != CONFIG_EXPAND_E_INVALID)
                return r;
        return config_layers_invalid(layers, param, buf_str(&reason), error);
}

int config_layers_invalid_extra(const ConfigSetting *extra, Str reason, Buf *error) {
        describe(extra, extra->name, str_from_cstr(extra->value), error);
        (void)buf_append_clipped(error, reason);
        return CONFIG_E_INVALID;
}
