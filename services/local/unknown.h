#pragma once

/*
 * Mail for a name that is neither alias nor user: fallback_transport_maps, fallback_transport,
 * luser_relay, else bounced. postmaster and mailer-daemon are never refused (RFC 5321 4.5.1): where
 * nobody has made them aliases their mail is thrown away, with a warning.
 */

#include "services/local/attempt.h"

/* Deliver STEP, whose name nobody has, as said above; the outcome is reported. */
void unknown_deliver(Attempt *attempt, const Step *step);
