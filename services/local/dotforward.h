#pragma once

/*
 * ~/.forward: where a user's mail goes instead of the mailbox. The first file of forward_path that
 * exists counts, "user+folder" has ".forward+folder" before ".forward". Read as the user; one that
 * others could have written is as good as none, and told of in the log, so that the mail gets into
 * the mailbox. root's runs no commands: its destinations go to the mailbox instead.
 */

#include "services/local/attempt.h"

/*
 * STEP->user exists. True: the mail is dealt with. False: there is no .forward, or it is in use by
 * this very delivery (the user's own name in it means the mailbox).
 */
bool dotforward_deliver(Attempt *attempt, const Step *step);
