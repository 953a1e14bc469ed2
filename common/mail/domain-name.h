#pragma once

/* Names of hosts and domains, as text: nothing is looked up. */

#include <stdbool.h>

#include "common/base/str.h"

/* Can NAME be the name of a host or domain (RFC 1123 2.1; "_" and UTF-8 too, as in Postfix)? */
bool domain_name_is_valid(Str name);

/* Nothing but digits and dots: rather a mistyped address literal than a name. */
bool domain_name_is_numeric(Str name);
