#pragma once

/*
 * :include:/file, a list of destinations in a file. It is read with the rights of the expansion
 * that names it, or as root; what it lists has the rights of its owner where the expansion has none
 * of its own, so that nobody gets at default_privs by way of a file.
 */

#include "services/local/attempt.h"

/* Deliver to what the file PATH, without ":include:", lists; outcomes are reported. */
void include_deliver(Attempt *attempt, const Step *step, Str path);
