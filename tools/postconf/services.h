#pragma once

/*
 * postconf -M, -F, -P: the services, asked of systemd over its bus, so with all drop-ins of units
 * and whatever is enabled now. Changes nothing.
 */

#include "tools/postconf/options.h"

/* Print those that OPTIONS->words name, or all, to standard output. An exit status. */
int services_show(const PostconfOptions *options);
