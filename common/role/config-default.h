#pragma once

/* Defaults that depend on the machine: myhostname, mydomain, myorigin. */

#include "common/role/config-layer.h"

/*
 * Work out those that are not set, as defaults in LAYERS, and check the three of them:
 *
 *   myhostname  the system's name; where that has no dot, ".$mydomain" or ".localdomain" follows
 *   mydomain    $myhostname without its first label, or "localdomain"
 *   myorigin    the first line of /etc/mailname, else $myhostname; a set value that begins with
 *               '/' names a file to read it from, as in Debian's Postfix
 *
 * Results and ERROR as in config_load(); ROOT as in ConfigSource, not NULL.
 */
int config_default_set(ConfigLayers *layers, const char *root, Buf *error);
