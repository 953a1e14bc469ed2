#pragma once

/*
 * The line about a queue file that was not admitted (common/mail/queue-admit.h), once per file,
 * since the file is out of the way by then.
 */

#include "common/mail/queue-admit.h"

/* R is what queue_admit() returned; nothing is logged for 0 with a verdict of GOOD or GONE. */
void admission_log(QueueDir dir, const char *name, const QueueAdmission *admission, int r);
