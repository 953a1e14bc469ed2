#pragma once

/*
 * A user's command: "|command" of an alias, a .forward or an :include:, and mailbox_command. It
 * gets the message with the lines of copy.h in front, and learns about it by its environment;
 * nothing of a message is ever part of a command line. Runs with the rights of attempt_rights(),
 * never as root.
 */

#include "services/local/attempt.h"

/* Deliver to the command of an expansion; may be forbidden by allow_mail_to_commands. */
void user_command_deliver(Attempt *attempt, const Step *step, Str command);

/* The same for mailbox_command and its maps: STEP's whole mailbox. */
void user_command_deliver_mailbox(Attempt *attempt, const Step *step, Str command);
