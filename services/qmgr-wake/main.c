/*
 * unitpost-qmgr-wake: what the timer starts once a minute while mail is deferred. Where a bucket
 * of deferred/ is due within the next minute it sends one datagram to qmgr.socket, which starts
 * qmgr when it is not running; else nothing runs for mail that waits. When it cannot tell, it
 * sends. No role of its own: it serves nobody and changes nothing.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mail/queue.h"
#include "common/role/config.h"
#include "common/role/ipc-conn.h"
#include "common/role/protocol-queue.h"

#define AHEAD_USEC            (60 * USEC_PER_SEC) /* qmgr waits for what is this near */
#define FULL_SOCKET_WAIT_USEC (5 * USEC_PER_SEC)
#define ERROR_MAX_BYTES       1024

static bool is_anything_due(const Config *config) {
        usec_t max_backoff = config_time_usec(config, PARAM_maximal_backoff_time);
        usec_t soon = usec_add(clock_realtime_usec(), AHEAD_USEC);
        _cleanup_(queue_freep) Queue *queue = NULL;
        _cleanup_(freep) uint64_t *buckets = NULL;
        size_t n = 0;

        if (queue_open(config_string(config, PARAM_queue_directory), 1U << QUEUE_DEFERRED,
                       &queue) != 0 ||
            queue_list_buckets(queue, &buckets, &n) != 0)
                return true;
        for (size_t i = 0; i < n; i++)
                if (queue_bucket_is_due(buckets[i], soon, max_backoff))
                        return true;
        return false;
}

int main(int argc, char **argv) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES);
        _cleanup_(config_freep) Config *config = NULL;
        ConfigSource source = { 0 };
        int r;

        if (config_load(&source, &config, &error) == 0 && !is_anything_due(config))
                return EXIT_SUCCESS;
        r = qmgr_send_command(QMGR_WAKE, NULL, FULL_SOCKET_WAIT_USEC);
        if (r == 0 || r == IPC_E_BUSY) /* a full socket wakes qmgr as well */
                return EXIT_SUCCESS;
        (void)fprintf(stderr, "cannot wake the queue manager: %s\n",
                      r < 0 ? strerror(-r) : ipc_error_name(r));
        return EXIT_FAILURE;
}
