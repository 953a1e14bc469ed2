#pragma once

/*
 * The settings of all layers, as text: which value of a name won, and where it was set. Reads no
 * file (config-files.h does) and knows nothing of types.
 */

#include "common/role/config-expand.h"
#include "common/role/config-parse.h"
#include "common/role/config.h"

/* Settings of names that are not parameters, in all files together. */
#define CONFIG_EXTRAS_MAX 100000

/* The directories of the layers, and the "file" of what -o sets. */
#define CONFIG_DISTRIBUTION_DIRECTORY "/usr/lib/unitpost"
#define CONFIG_ADMIN_DIRECTORY        "/etc/unitpost"
#define CONFIG_RUNTIME_DIRECTORY      "/run/unitpost"
#define CONFIG_OPTION_FILE            "-o"

typedef struct ConfigSetting {
        char *name;       /* NULL for a parameter: its number is its place */
        char *value;      /* NULL: not set; not expanded */
        const char *file; /* NULL: a default worked out at run time; owned by the layers */
        uint64_t line;    /* 0: none (-o) */
        size_t order;     /* among the extras, while they are read */
        bool indented;    /* see ConfigLine */
} ConfigSetting;

typedef struct ConfigLayers {
        ConfigSetting params[CONFIG_N_PARAMS];
        ConfigSetting *extras; /* other names; after load sorted and each there once */
        size_t n_extras;
        size_t n_extras_allocated;
        char **files; /* read so far, in their order */
        size_t n_files;
} ConfigLayers;

/* Free everything; the layers are zeroed afterwards. */
void config_layers_deinit(ConfigLayers *layers);

/* Where a setting stands. */
ConfigOrigin config_setting_origin(const ConfigSetting *setting);

/* "FILE, line N: ", "-o " or "default: ", appended to TEXT: the start of what is said of it. */
void config_setting_describe(const ConfigSetting *setting, Buf *text);

/* Keep a copy of a file's name for as long as the layers live. NULL: out of memory. */
const char *config_layers_remember_file(ConfigLayers *layers, const char *path);
bool config_layers_has_file(const ConfigLayers *layers, const char *path);

/*
 * Set LINE's name, replacing an earlier setting. What is fixed (config-default.h) is kept among the
 * other names, where a warning finds it. 0, -ENOMEM, -E2BIG (CONFIG_EXTRAS_MAX).
 */
int config_layers_set(ConfigLayers *layers, const ConfigLine *line, const char *file);

/* Set a default worked out at run time. 0 or -ENOMEM. */
int config_layers_set_default(ConfigLayers *layers, ConfigParam param, Str value);

/* When all is set: sort the other names and leave the last setting of each. */
void config_layers_sort(ConfigLayers *layers);

/* The setting of another name; NULL: none. Sorted layers only, as all that follow. */
const ConfigSetting *config_layers_find_extra(const ConfigLayers *layers, Str name);

/* The place of a parameter (with value NULL where it is not set), or of another name; or NULL. */
const ConfigSetting *config_layers_find(const ConfigLayers *layers, Str name);

/* The text of a parameter or other name, for config_expand_text(); CONTEXT is the layers. */
Str config_layers_lookup(void *context, Str name);
Str config_layers_param_text(const ConfigLayers *layers, ConfigParam param);

/*
 * Append a parameter's value, expanded, to RET. 0; CONFIG_E_INVALID with a text in ERROR that
 * names file, line, parameter and value; -ENOMEM.
 */
int config_layers_expand_param(const ConfigLayers *layers, ConfigParam param, Buf *ret, Buf *error);

/* Describe in ERROR what is wrong with a setting; both return CONFIG_E_INVALID. */
int config_layers_invalid(const ConfigLayers *layers, ConfigParam param, Str reason, Buf *error);
int config_layers_invalid_extra(const ConfigSetting *extra, Str reason, Buf *error);
