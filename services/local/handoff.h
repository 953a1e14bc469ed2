#pragma once

/* Leaving recipients to another transport: mailbox_transport, fallback_transport and their maps. */

#include "services/local/attempt.h"

/*
 * Does MAPS, asked for the user of STEP, or the parameter TRANSPORT name a transport ("name:next
 * hop")? Then it delivers, and the outcome is reported: true.
 */
bool handoff_deliver(Attempt *attempt, const Step *step, TableList *maps, ConfigParam transport);
