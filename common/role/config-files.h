#pragma once

/*
 * The files of the layers (DESIGN 7): which are read, in which order. Opens these and nothing
 * else.
 */

#include "common/role/config-layer.h"

/* NAME.cf files in one main.cf.d. */
#define CONFIG_DROP_INS_MAX 1000

/*
 * Load all layers of SOURCE into zeroed LAYERS; results and ERROR as in config_load(), PREVIOUS
 * those of SOURCE->previous (or NULL).
 */
int config_files_load(ConfigLayers *layers, const ConfigSource *source,
                      const ConfigLayers *previous, Buf *error);

/*
 * Load only what wins over the admin's main.cf (/etc/unitpost/main.cf, or that of
 * SOURCE->directory) for all services: the drop-ins beside it, and those of /run.
 */
int config_files_load_later(ConfigLayers *layers, const ConfigSource *source, Buf *error);

/*
 * Append the content of ROOT + PATH to TEXT. 0; CONFIG_E_INVALID with ERROR; negative errno with
 * ERROR, but -ENOENT without.
 */
int config_files_read(const char *root, const char *path, Buf *text, Buf *error);
