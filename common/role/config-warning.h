#pragma once

/*
 * What loads, but is hardly what its writer meant:
 *
 *   a name that is no parameter and that no value uses; the nearest parameter is named
 *   a parameter of Postfix that has a successor, or that only the program itself sets
 *   white space in front of a name; a "#comment" that became part of a value
 *   a $name in a value that is set nowhere
 *   a default that is an old one because of a low compatibility_level
 */

#include "common/role/config-layer.h"

#define CONFIG_WARNINGS_MAX 100

typedef struct ConfigWarnings {
        char **texts; /* of one line each */
        size_t n;
} ConfigWarnings;

/* Free the texts; WARNINGS are zeroed afterwards. */
void config_warnings_deinit(ConfigWarnings *warnings);

/* Fill zeroed RET, at most CONFIG_WARNINGS_MAX; LAYERS are sorted. 0 or -ENOMEM. */
int config_warnings_find(const ConfigLayers *layers, ConfigWarnings *ret);

/* Which names of Postfix have a successor: a text about what to set instead; NULL: not this one. */
const char *config_deprecated_hint(Str name);

/*
 * For each other name (LAYERS->n_extras of them, in their order): does a value refer to it? The
 * caller frees. NULL: out of memory.
 */
bool *config_layers_find_used(const ConfigLayers *layers);
