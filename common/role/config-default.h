#pragma once

/* Values that depend on the machine or the program: myhostname, mydomain, myorigin ... */

#include "common/role/config-layer.h"

/*
 * Work out those that are not set, as defaults in LAYERS, and check these three, and
 * compatibility_level:
 *
 *   myhostname  the system's name; where that has no dot, ".$mydomain" or ".localdomain" follows
 *   mydomain    $myhostname without its first label, or "localdomain"
 *   myorigin    the first line of /etc/mailname, else $myhostname; a set value that begins with
 *               '/' names a file to read it from, as in Debian's Postfix
 *
 * And what the admin cannot set, so that what a file says of it does not count:
 *
 *   mail_version
 *   service_name      of SOURCE, empty for a command
 *   config_directory  of SOURCE, else /etc/unitpost
 *
 * Results and ERROR as in config_load(). SOURCE as there.
 */
int config_default_set(ConfigLayers *layers, const ConfigSource *source, Buf *error);

/* Is a parameter one of the latter? */
bool config_default_is_fixed(ConfigParam param);
