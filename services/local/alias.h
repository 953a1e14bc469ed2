#pragma once

/*
 * Aliases: a name that stands for destinations (aliases(5)). The owner of the table decides whose
 * rights commands and files of it have; root's tables give them to default_privs. An alias NAME
 * with a companion owner-NAME is a mailing list: mail from it comes from the owner, who is told of
 * failures.
 */

#include "services/local/attempt.h"

/* Is NAME an alias? Then it is dealt with, also when the table cannot tell: true. */
bool alias_deliver(Attempt *attempt, const Step *step, Str name);
