#pragma once

/* What an alias, a .forward or an :include: lists, one destination after the other. */

#include "services/local/attempt.h"
#include "services/local/destination.h"

/*
 * Deal with each destination of LIST for STEP. Returns how many there were: none may mean that
 * there is no such file after all.
 */
size_t expansion_deliver(Attempt *attempt, const Step *step, DestinationList *list);

/* Deliver to the file PATH, absolute; may be forbidden by allow_mail_to_files. */
void expansion_deliver_file(Attempt *attempt, const Step *step, Str path);
