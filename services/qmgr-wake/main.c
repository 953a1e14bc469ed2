/*
 * unitpost-qmgr-wake: what the timer starts while mail is deferred. One datagram to qmgr.socket,
 * which starts qmgr when it is not running. No role of its own: it serves nobody.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/role/ipc-conn.h"
#include "common/role/protocol-queue.h"

#define FULL_SOCKET_WAIT_USEC (5 * USEC_PER_SEC)

int main(void) {
        int r = qmgr_send_command(QMGR_WAKE, NULL, FULL_SOCKET_WAIT_USEC);

        if (r == 0 || r == IPC_E_BUSY) /* a full socket wakes qmgr as well */
                return EXIT_SUCCESS;
        (void)fprintf(stderr, "cannot wake the queue manager: %s\n",
                      r < 0 ? strerror(-r) : ipc_error_name(r));
        return EXIT_FAILURE;
}
