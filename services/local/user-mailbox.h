#pragma once

/*
 * Where a user's mail ends when nobody forwards it: mailbox_transport_maps, mailbox_transport,
 * mailbox_command_maps, mailbox_command, home_mailbox, mail_spool_directory; the first that is set.
 */

#include "services/local/attempt.h"

/* False: it is nobody's mailbox (STEP->user is not set), and no transport takes it anyway. */
bool user_mailbox_deliver(Attempt *attempt, const Step *step);
