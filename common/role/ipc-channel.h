#pragma once

/*
 * A non-blocking client connection on an sd_event loop: qmgr's way to its agents (later smtpd's
 * to cleanup). Requests go one at a time. The object never calls back from inside a function that
 * its owner called; it may be freed from inside a callback.
 */

#include <systemd/sd-event.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/base/str.h"
#include "common/role/ipc-frame.h"
#include "common/role/ipc-message.h"

typedef struct IpcChannel IpcChannel;

typedef struct IpcChannelHandler {
        /* Hello was right: a request may be sent. Also after each END of an answer. */
        void (*on_ready)(void *userdata);
        /* One MESSAGE frame of the answer. */
        void (*on_message)(void *userdata, Str payload);
        /*
         * The connection is over: REASON is IPC_E_* or negative errno. Comes exactly once, whatever
         * happened, also for a connect that fails at once; free the channel here or later.
         * IPC_E_NOT_TAKEN: the server closed a kept connection and has not seen the end of the
         * request in hand (a worker does that for a newcomer, or after 5 s): nothing was done,
         * repeat it on another connection.
         */
        void (*on_close)(void *userdata, int reason);
} IpcChannelHandler;

/*
 * Start to connect to /run/unitpost/SERVICE, expecting ROLE's hello within HELLO_TIMEOUT.
 * Negative errno only when memory or event sources are out; all else comes by on_close.
 */
int ipc_channel_new(sd_event *event, const char *service, const char *role,
                    usec_t hello_timeout_usec, const IpcChannelHandler *handler, void *userdata,
                    IpcChannel **ret);
IpcChannel *ipc_channel_free(IpcChannel *channel);
DEFINE_CLEANUP(IpcChannel, ipc_channel_free)

/*
 * Queue one whole request, a Buf of frames that ends in END (moved out of REQUEST), with an
 * optional descriptor FD (-1: none; closed when sent, always taken over). To be called only when
 * ready. The answer must be complete within TIMEOUT.
 */
int ipc_channel_request(IpcChannel *channel, Buf *request, int fd, usec_t timeout_usec);
