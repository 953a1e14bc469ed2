#pragma once

/*
 * Who gets mail for a local address. In this order, as in Postfix; each step either deals with the
 * address, by delivering or by reporting why not, or leaves it to the next:
 *
 *   loop             Delivered-To shows that it was here before: bounced
 *   alias            the whole local part, then without extension        (alias.h)
 *   mailed on        an expansion in somebody's name sends other users mail of their own
 *   .forward         of a user of that name                              (dotforward.h)
 *   mailbox          transport, command, file or Maildir of the user     (user-mailbox.h)
 *   unknown          fallback_transport, luser_relay, bounced            (unknown.h)
 *
 * Every destination found ends in attempt_report().
 */

#include "services/local/attempt.h"

/* Levels of aliases, .forwards and :include: files in each other. */
#define RECIPIENT_LEVELS_MAX 25

/* Deal with FROM->address, which is ours. The parts of the address are set here. */
void recipient_deliver(Attempt *attempt, const Step *from);

/*
 * Deal with ADDRESS, found by the expansion that STEP stands for: make it complete, add the
 * extension that is to be propagated, and deliver it where it is ours, mail it on where not.
 */
void recipient_deliver_address(Attempt *attempt, const Step *step, Str address);
