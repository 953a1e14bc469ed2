#pragma once

/*
 * Handing one recipient to another delivery agent and waiting for its answer: how local passes
 * mail to mailbox_transport and its like. qmgr has services/qmgr/transport.h.
 */

#include "common/role/protocol-delivery.h"

/*
 * Have the service TRANSPORT deliver the message REQUEST, open as FD (not owned), to RECIPIENT, in
 * TIMEOUT. True: *RET is the agent's answer, which it has logged. False: there was none, *RET is a
 * deferral that says why and is still to be logged.
 */
bool delivery_client_deliver(Str transport, const DeliveryRequest *request, int fd,
                             const DeliveryRecipient *recipient, usec_t timeout_usec, Dsn *ret);
