/*
 * The non-blocking client connection; states:
 *
 *   HELLO   connected, waiting for the server's hello
 *   READY   a request may be sent
 *   ANSWER  a request is under way: messages come, END leads back to READY
 *   CLOSED  on_close was called or is about to be; nothing else happens any more
 *
 * What fails inside a call of the owner is reported from the loop, by the `failure` source. The
 * deadline's timer is armed late and re-armed lazily, so that a request costs no system call for
 * it.
 */

#include "common/role/ipc-channel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/role/ipc-address.h"
#include "common/role/ipc-socket.h"

#define INPUT_MAX_BYTES (IPC_FRAME_HEADER_BYTES + IPC_FRAME_MAX_BYTES)

typedef enum ChannelState {
        CHANNEL_HELLO,
        CHANNEL_READY,
        CHANNEL_ANSWER,
        CHANNEL_CLOSED,
} ChannelState;

struct IpcChannel {
        ChannelState state;
        int fd;
        char *role;
        const IpcChannelHandler *handler;
        void *userdata;
        sd_event_source *io;
        sd_event_source *timer;
        sd_event_source *failure; /* reports `reason` from the loop */
        int reason;
        usec_t deadline_usec; /* monotonic; USEC_INFINITY: none */
        usec_t armed_usec;    /* what the timer is set to; USEC_INFINITY: off */
        Buf in;
        Buf out;
        size_t n_sent;
        int out_fd;
        bool in_io; /* on_io() is on the stack: it frees what an owner has let go */
        bool is_orphan;
};

static void channel_close(IpcChannel *channel, int reason) {
        if (channel->state == CHANNEL_CLOSED)
                return;
        channel->state = CHANNEL_CLOSED;
        channel->io = sd_event_source_disable_unref(channel->io);
        channel->timer = sd_event_source_disable_unref(channel->timer);
        fd_closep(&channel->fd);
        fd_closep(&channel->out_fd);
        channel->handler->on_close(channel->userdata, reason);
}

static int on_failure(sd_event_source *source, void *userdata) {
        IpcChannel *channel = userdata;

        channel_close(channel, channel->reason);
        return 0;
}

static void fail_soon(IpcChannel *channel, int reason) {
        channel->reason = reason;
        (void)sd_event_source_set_enabled(channel->failure, SD_EVENT_ONESHOT);
}

static void set_deadline(IpcChannel *channel, usec_t timeout_usec) {
        channel->deadline_usec = usec_add(clock_monotonic_usec(), timeout_usec);
        if (channel->armed_usec <= channel->deadline_usec)
                return;
        channel->armed_usec = channel->deadline_usec;
        (void)sd_event_source_set_time(channel->timer, channel->armed_usec);
        (void)sd_event_source_set_enabled(channel->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *source, usec_t usec, void *userdata) {
        IpcChannel *channel = userdata;

        channel->armed_usec = USEC_INFINITY;
        if (channel->deadline_usec == USEC_INFINITY)
                return 0;
        if (clock_monotonic_usec() >= channel->deadline_usec)
                channel_close(channel, IPC_E_TIMEOUT);
        else
                set_deadline(channel, usec_sub(channel->deadline_usec, clock_monotonic_usec()));
        return 0;
}

/* Send what can be sent. 0 also when the rest has to wait; else why the connection is over. */
static int send_output(IpcChannel *channel) {
        Str rest = str_skip(buf_str(&channel->out), channel->n_sent);
        size_t n = 0;
        int r = 0;

        while (rest.len > 0) {
                r = ipc_socket_send(channel->fd, rest, channel->out_fd, &n);
                if (r != 0)
                        break;
                fd_closep(&channel->out_fd);
                channel->n_sent += n;
                rest = str_skip(rest, n);
        }
        if (r == IPC_E_AGAIN)
                r = sd_event_source_set_io_events(channel->io, EPOLLIN | EPOLLOUT);
        else if (r == 0)
                r = sd_event_source_set_io_events(channel->io, EPOLLIN);
        /* A server that gives up a kept connection shuts its receiving side before it looks for
         * the last time: what cannot be sent it has not seen. */
        return r == IPC_E_CLOSED ? IPC_E_NOT_TAKEN : r;
}

static int take_frame(IpcChannel *channel, const IpcFrame *frame) {
        switch (channel->state) {
        case CHANNEL_HELLO:
                if (frame->type != IPC_FRAME_HELLO ||
                    ipc_hello_parse(frame->payload, str_from_cstr(channel->role)) != 0)
                        return IPC_E_PROTOCOL;
                break;
        case CHANNEL_ANSWER:
                if (frame->type == IPC_FRAME_MESSAGE) {
                        channel->handler->on_message(channel->userdata, frame->payload);
                        return 0;
                }
                if (frame->type != IPC_FRAME_END)
                        return IPC_E_PROTOCOL;
                break;
        case CHANNEL_READY:
        case CHANNEL_CLOSED:
                return IPC_E_PROTOCOL;
        }
        channel->state = CHANNEL_READY;
        channel->deadline_usec = USEC_INFINITY;
        channel->handler->on_ready(channel->userdata);
        return 0;
}

/* Handle the frames that have arrived. The owner may have let go of the channel when it returns. */
static int take_frames(IpcChannel *channel) {
        size_t used = 0, size;
        IpcFrame frame;
        int r;

        for (;;) {
                r = ipc_frame_parse(str_skip(buf_str(&channel->in), used), &frame, &size);
                if (r != 0)
                        break;
                used += size;
                r = take_frame(channel, &frame);
                if (r != 0 || channel->is_orphan || channel->state == CHANNEL_CLOSED)
                        return r;
        }
        buf_consume(&channel->in, used);
        return r == IPC_E_AGAIN ? 0 : r;
}

static int on_input(IpcChannel *channel) {
        int fd = -1, r;

        r = ipc_socket_receive(channel->fd, &channel->in, &fd);
        if (r != 0)
                return r == IPC_E_AGAIN ? 0 : r;
        if (fd >= 0) { /* no server of ours sends one */
                fd_closep(&fd);
                return IPC_E_PROTOCOL;
        }
        return take_frames(channel);
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        IpcChannel *channel = userdata;
        int r = 0;

        channel->in_io = true;
        if (events & EPOLLOUT)
                r = send_output(channel);
        /* Also on EPOLLHUP: what the server said before it went counts. */
        if (r == 0 && events & ~(uint32_t)EPOLLOUT)
                r = on_input(channel);
        if (r == IPC_E_CLOSED && channel->n_sent < channel->out.len)
                r = IPC_E_NOT_TAKEN;
        channel->in_io = false;
        if (channel->is_orphan)
                ipc_channel_free(channel);
        else if (r != 0)
                channel_close(channel, r);
        return 0;
}

/* 0, or what on_close is to be told. */
static int start_connect(IpcChannel *channel, const char *service) {
        struct sockaddr_un address;

        if (ipc_address_fill(service, &address) < 0)
                return IPC_E_REFUSED;
        channel->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (channel->fd < 0)
                return -errno;
        if (connect(channel->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
                return 0;
        if (errno == EAGAIN)
                return IPC_E_BUSY;
        if (errno == ENOENT || errno == ECONNREFUSED || errno == EACCES || errno == EPERM)
                return IPC_E_REFUSED;
        return -errno;
}

static int add_sources(IpcChannel *channel, sd_event *event) {
        int r;

        r = sd_event_add_defer(event, &channel->failure, on_failure, channel);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(channel->failure, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_time(event, &channel->timer, CLOCK_MONOTONIC, 0, USEC_PER_SEC, on_timer,
                              channel);
        if (r < 0)
                return r;
        return sd_event_source_set_enabled(channel->timer, SD_EVENT_OFF);
}

int ipc_channel_new(sd_event *event, const char *service, const char *role,
                    usec_t hello_timeout_usec, const IpcChannelHandler *handler, void *userdata,
                    IpcChannel **ret) {
        _cleanup_(ipc_channel_freep) IpcChannel *channel = NULL;
        int r;

        channel = calloc(1, sizeof(*channel));
        if (!channel)
                return -ENOMEM;
        channel->fd = channel->out_fd = -1;
        channel->handler = handler;
        channel->userdata = userdata;
        channel->in = BUF_INIT(INPUT_MAX_BYTES);
        channel->deadline_usec = channel->armed_usec = USEC_INFINITY;
        channel->role = str_dup(str_from_cstr(role));
        if (!channel->role)
                return -ENOMEM;
        r = add_sources(channel, event);
        if (r < 0)
                return r;
        r = start_connect(channel, service);
        if (r != 0) {
                fail_soon(channel, r);
        } else {
                r = sd_event_add_io(event, &channel->io, channel->fd, EPOLLIN, on_io, channel);
                if (r < 0)
                        return r;
                set_deadline(channel, hello_timeout_usec);
        }
        *ret = TAKE_PTR(channel);
        return 0;
}

IpcChannel *ipc_channel_free(IpcChannel *channel) {
        if (!channel)
                return NULL;
        channel->io = sd_event_source_disable_unref(channel->io);
        channel->timer = sd_event_source_disable_unref(channel->timer);
        channel->failure = sd_event_source_disable_unref(channel->failure);
        fd_closep(&channel->fd);
        fd_closep(&channel->out_fd);
        channel->is_orphan = true;
        if (channel->in_io)
                return NULL;
        buf_deinit(&channel->in);
        buf_deinit(&channel->out);
        free(channel->role);
        free(channel);
        return NULL;
}

int ipc_channel_request(IpcChannel *channel, Buf *request, int fd, usec_t timeout_usec) {
        int r;

        if (channel->state != CHANNEL_READY) {
                fd_closep(&fd);
                return -EBUSY;
        }
        buf_deinit(&channel->out);
        channel->out = *request;
        *request = BUF_NULL;
        channel->out_fd = fd;
        channel->n_sent = 0;
        channel->state = CHANNEL_ANSWER;
        set_deadline(channel, timeout_usec);
        r = send_output(channel);
        if (r != 0)
                fail_soon(channel, r);
        return 0;
}
