#pragma once

/*
 * The final line for a recipient, in the form that log readers know (reference: log lines of
 * Postfix 3.9):
 *
 *   QID: to=<A>, orig_to=<B>, relay=R, delay=D, delays=a/b/c/d, dsn=X.Y.Z, status=sent (TEXT)
 *
 * a: before active/; b: waiting in active/; c: setting up the connection; d: the delivery. Written
 * by the agent that made the attempt, or by qmgr when there was no agent to make it. This is the
 * one line that carries the full set of journal fields (DESIGN 8).
 */

#include "common/base/clock.h"
#include "common/mail/dsn.h"
#include "common/role/protocol-delivery.h"

typedef struct DeliveryTimes {
        usec_t started_usec; /* wall clock, when the agent had the request */
        usec_t setup_usec;   /* how long the connection to the next hop took; 0 for local agents */
        usec_t ended_usec;   /* wall clock */
} DeliveryTimes;

/* Log one line for RECIPIENT of the delivery REQUEST: outcome DSN, and when it happened. */
void delivery_log(const DeliveryRequest *request, const DeliveryRecipient *recipient,
                  const Dsn *dsn, const DeliveryTimes *times);

/*
 * A delay as Postfix writes it: seconds with at most two significant digits behind a leading
 * zero's place: "0", "0.01", "0.35", "2.1", "37", "4000". Appended to BUF.
 */
int delivery_log_append_delay(Buf *buf, usec_t delay_usec);
