#pragma once

/*
 * main.cf: layers, expansion, typed values (DESIGN 7). Later layers win:
 *
 *   built-in (params.def); /usr/lib/unitpost/main.cf and main.cf.d/NAME.cf (by name);
 *   /etc/unitpost/main.cf and main.cf.d/NAME.cf; /run/unitpost/main.cf.d/NAME.cf;
 *   /etc/unitpost/service/NAME.cf; -o name=value
 *
 * Syntax is Postfix's: "name = value", lines that begin with white space continue, '#' begins a
 * comment line, the last setting of a name in a layer wins. $names and expressions expand, see
 * config-expand.h.
 *
 * A Config is immutable once loaded: on reload a role loads a second one and keeps the first when
 * that fails.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/base/str.h"

typedef struct Config Config;

#define PARAM(name, ...) PARAM_##name,
typedef enum ConfigParam {
#include "common/role/params.def"
        CONFIG_N_PARAMS,
} ConfigParam;
#undef PARAM

typedef enum ConfigType {
        CONFIG_STRING,
        CONFIG_BOOL,
        CONFIG_INT,
        CONFIG_SIZE,
        CONFIG_TIME,
        CONFIG_LIST,
        CONFIG_RAW, /* not expanded at load: its names are those of a message (local-expand) */
} ConfigType;

/* One row of params.def, for postconf, man pages and tests. */
typedef struct ConfigParamInfo {
        const char *name;
        ConfigType type;
        const char *default_text;
        int64_t minimum;
        int64_t maximum;
        const char *roles;
        const char *meaning;
} ConfigParamInfo;

/* The row of a parameter; never NULL for one below CONFIG_N_PARAMS. */
const ConfigParamInfo *config_param_info(ConfigParam param);

/* What to load. Zero values mean "the system's". */
typedef struct ConfigSource {
        const char *root;             /* prefix of all paths; for tests. NULL: "" */
        const char *directory;        /* of a second mail system: the only layers are its main.cf,
                                         main.cf.d, service/NAME.cf. NULL: the layers above */
        const char *service_name;     /* reads service/NAME.cf; NULL: none */
        const char *const *overrides; /* "name=value", NULL-terminated; may be NULL */
        const Config *previous;       /* at a reload, what is in force; else NULL */
} ConfigSource;

/*
 * Load everything and check every typed value. 0; CONFIG_E_INVALID with a text in ERROR that
 * names file, line, parameter, value and range; negative errno (a file that cannot be read is an
 * error: guessing would relay or lose mail; a file that is missing is not, but for a main.cf that
 * PREVIOUS was loaded from).
 * Misspelt names are no error: see config_next_warning().
 */
enum {
        CONFIG_E_INVALID = 1
};
int config_load(const ConfigSource *source, Config **ret, Buf *error);
Config *config_free(Config *config);
DEFINE_CLEANUP(Config, config_free)

/* Typed values; expanded and checked at load, so these cannot fail. Owned by CONFIG. */
const char *config_string(const Config *config, ConfigParam param);
bool config_bool(const Config *config, ConfigParam param);
int64_t config_int(const Config *config, ConfigParam param); /* INT and SIZE */
usec_t config_time_usec(const Config *config, ConfigParam param);

/* Where a value comes from. */
typedef struct ConfigOrigin {
        const char *layer; /* "default", "distribution", "admin", "runtime", "service", "option" */
        const char *file;  /* NULL: a default, or an option; owned by the configuration */
        uint64_t line;     /* 1-based; 0: no file */
} ConfigOrigin;

/*
 * The origin of NAME's value, NAME being a parameter or any other name that was set. False: there
 * is no such name.
 */
bool config_origin(const Config *config, Str name, ConfigOrigin *ret);

/* Was it set by a file or -o (to whatever value), so that its default does not count? */
bool config_is_set(const Config *config, ConfigParam param);

/*
 * A name made from a service's name, as "relay_destination_concurrency_limit"; when the admin did
 * not set it, the value of FALLBACK. FALLBACK's type and bounds apply.
 */
int64_t config_service_int(const Config *config, const char *service, const char *suffix,
                           ConfigParam fallback);

/* Expand TEXT ("$mydomain ...") with this configuration, appended to RET. 0, CONFIG_E_INVALID. */
int config_expand(const Config *config, Str text, Buf *ret, Buf *error);

/*
 * Texts about what loads but is hardly meant (config-warning.h), each once, with file and line;
 * NULL at the end. *CURSOR from 0. They are looked for at the first call: a command that is run for
 * each mail does not ask.
 */
const char *config_next_warning(Config *config, size_t *cursor);

/* Does VALUE ("mydestination"-like: words, commas) name DOMAIN? ASCII case-insensitive. */
bool config_list_has(const char *list, Str word);
