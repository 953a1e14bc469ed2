#pragma once

/*
 * Where a recipient goes: address class, transport and next hop (Postfix's trivial-rewrite,
 * "resolve"). Today two classes: local (no domain, or one in mydestination) and everything else.
 */

#include "common/base/str.h"

/* The parameters that decide, expanded; borrowed. */
typedef struct ResolveRules {
        Str mydestination;     /* list of domains */
        Str local_transport;   /* "transport:nexthop" */
        Str default_transport; /* likewise */
} ResolveRules;

/* Slices into the rules or the address. */
typedef struct ResolveRoute {
        Str transport; /* name of a service in /run/unitpost */
        Str nexthop;   /* the transport's, or the recipient's domain where that is empty */
} ResolveRoute;

/* Find ADDRESS's route. Always finds one: what is not ours goes by default_transport. */
void resolve_recipient(const ResolveRules *rules, Str address, ResolveRoute *ret);
