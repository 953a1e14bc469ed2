/*
 * A role that is one sd_event loop. The skeleton owns the listeners and the decision to end; all
 * else is the role's.
 *
 * Idleness is looked at after every event (a post source) and costs no timer then: the one idle
 * timer runs out at some time and sees for itself how long nothing has happened. Before the end the
 * listeners are left and looked at once more, without waiting; what comes after that stays in the
 * kernel for the next process.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-process.h"

#define DATAGRAMS_PER_WAKEUP 64
#define DATAGRAM_MAX_BYTES   4096
#define ACCEPT_PAUSE_USEC    USEC_PER_SEC        /* after EMFILE and its like */
#define DRAIN_MAX_USEC       (30 * USEC_PER_SEC) /* from SIGTERM to the end */

typedef struct Loop Loop;

typedef struct LoopListener {
        Loop *loop;
        const RoleListener *listener;
        sd_event_source *source;
        sd_event_source *pause_timer;
} LoopListener;

struct Loop {
        RoleProcess *process;
        LoopListener *listeners;
        sd_event_source *idle_timer;
        sd_event_source *post_source;
        usec_t idle_since_usec; /* monotonic; 0: not idle */
        bool timer_is_armed;
        bool is_draining;
        bool is_stdin; /* one connection, then the end */
};

static bool loop_is_idle(Loop *loop) {
        return !loop->process->role->is_idle || loop->process->role->is_idle(&loop->process->env);
}

static int loop_exit(Loop *loop) {
        role_notify_stopping(loop->process->notify);
        return sd_event_exit(loop->process->env.event, ROLE_EXIT_OK);
}

/* ---- listeners ---- */

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata) {
        LoopListener *listener = userdata;

        return listener->loop->is_draining
                       ? 0
                       : sd_event_source_set_enabled(listener->source, SD_EVENT_ON);
}

/* No descriptor left, or the like: look away for a while instead of spinning. */
static void listener_pause(LoopListener *listener) {
        usec_t until = usec_add(clock_monotonic_usec(), ACCEPT_PAUSE_USEC);
        int r;

        (void)sd_event_source_disable_unref(listener->pause_timer);
        listener->pause_timer = NULL;
        r = sd_event_add_time(listener->loop->process->env.event, &listener->pause_timer,
                              CLOCK_MONOTONIC, until, 0, on_pause_over, listener);
        if (r >= 0)
                (void)sd_event_source_set_enabled(listener->source, SD_EVENT_OFF);
}

static bool stream_peer_is_allowed(const RoleProcess *process, const RoleListener *listener,
                                   int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (!process->role->peers)
                return true;
        if (!listener->is_unix || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return false;
        return role_peer_is_allowed(process, peer.uid);
}

/* One connection. False when there was none. */
static bool listener_accept(LoopListener *listener) {
        RoleProcess *process = listener->loop->process;
        int fd, r;

        r = role_listener_accept(listener->listener, SOCK_NONBLOCK, &fd);
        if (r < 0)
                listener_pause(listener);
        if (r != 0)
                return false;
        listener->loop->idle_since_usec = 0;
        if (stream_peer_is_allowed(process, listener->listener, fd))
                process->role->accept(&process->env, fd, listener->listener->name);
        else
                (void)close(fd);
        return true;
}

/* Who sent it, from the kernel; descriptors that came along are closed. False: not known. */
static bool datagram_sender(struct msghdr *message, IpcPeer *ret) {
        bool is_known = false;

        for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg;
             cmsg = CMSG_NXTHDR(message, cmsg)) {
                if (cmsg->cmsg_level != SOL_SOCKET)
                        continue;
                if (cmsg->cmsg_type == SCM_CREDENTIALS) {
                        struct ucred ucred;

                        memcpy(&ucred, CMSG_DATA(cmsg), sizeof(ucred));
                        *ret = (IpcPeer){ .uid = ucred.uid, .gid = ucred.gid, .pid = ucred.pid };
                        is_known = true;
                }
                for (size_t i = 0; cmsg->cmsg_type == SCM_RIGHTS &&
                                   CMSG_LEN((i + 1) * sizeof(int)) <= cmsg->cmsg_len;
                     i++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(int));
                        (void)close(fd);
                }
        }
        return is_known;
}

/* One datagram. False when there was none. */
static bool listener_receive(LoopListener *listener) {
        RoleProcess *process = listener->loop->process;
        char data[DATAGRAM_MAX_BYTES];
        union {
                struct cmsghdr align;
                char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(253 * sizeof(int))];
        } control;
        struct iovec iov = { .iov_base = data, .iov_len = sizeof(data) };
        struct msghdr message = { .msg_iov = &iov,
                                  .msg_iovlen = 1,
                                  .msg_control = control.bytes,
                                  .msg_controllen = sizeof(control.bytes) };
        IpcPeer sender = { 0 };
        bool is_known;
        ssize_t n;

        n = recvmsg(listener->listener->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
                listener_pause(listener);
        if (n < 0)
                return false;
        listener->loop->idle_since_usec = 0;
        is_known = datagram_sender(&message, &sender);
        if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
                log_warning(LOG_ID_PROTOCOL, "uid %u, process %d: oversize datagram", sender.uid,
                            (int)sender.pid);
        else if (role_peer_is_allowed(process, is_known ? sender.uid : (uid_t)-1))
                process->role->datagram(&process->env, str_from(data, (size_t)n), &sender);
        return true;
}

static bool listener_handle(LoopListener *listener) {
        bool found = false;

        if (listener->listener->type == SOCK_STREAM)
                return listener_accept(listener);
        for (size_t i = 0; i < DATAGRAMS_PER_WAKEUP && listener_receive(listener); i++)
                found = true;
        return found;
}

static int on_listener(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void)listener_handle(userdata);
        return 0;
}

static void loop_watch_listeners(Loop *loop, bool on) {
        for (size_t i = 0; i < loop->process->n_listeners; i++)
                (void)sd_event_source_set_enabled(loop->listeners[i].source,
                                                  on ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int loop_add_listeners(Loop *loop) {
        RoleProcess *process = loop->process;

        loop->listeners = calloc(process->n_listeners + 1, sizeof(*loop->listeners));
        if (!loop->listeners)
                return -ENOMEM;
        for (size_t i = 0; i < process->n_listeners; i++) {
                const RoleListener *listener = &process->listeners[i];
                int r;

                if (listener->type == SOCK_STREAM ? !process->role->accept
                                                  : !process->role->datagram) {
                        log_fatal(LOG_ID_START_FAILED, "socket %s has the wrong type",
                                  listener->name);
                        return -EPROTOTYPE;
                }
                loop->listeners[i] = (LoopListener){ .loop = loop, .listener = listener };
                r = sd_event_add_io(process->env.event, &loop->listeners[i].source, listener->fd,
                                    EPOLLIN, on_listener, &loop->listeners[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* ---- idleness ---- */

static int loop_arm_timer(Loop *loop, usec_t at_usec) {
        int r;

        loop->timer_is_armed = true;
        r = sd_event_source_set_time(loop->idle_timer, at_usec);
        return r < 0 ? r : sd_event_source_set_enabled(loop->idle_timer, SD_EVENT_ONESHOT);
}

static usec_t loop_end_usec(const Loop *loop) {
        usec_t max_idle = config_time_usec(loop->process->env.config, PARAM_max_idle);

        return usec_add(loop->idle_since_usec, max_idle);
}

/* The last look. True when nobody is there and the process may end. */
static bool loop_may_end(Loop *loop) {
        loop_watch_listeners(loop, false);
        for (size_t i = 0; i < loop->process->n_listeners; i++)
                if (listener_handle(&loop->listeners[i])) {
                        loop_watch_listeners(loop, true);
                        return false;
                }
        return true;
}

static int on_idle_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Loop *loop = userdata;

        loop->timer_is_armed = false;
        if (loop->is_draining)
                return loop_exit(loop); /* it had long enough */
        if (loop->idle_since_usec == 0)
                return 0; /* armed again when it is idle */
        if (clock_monotonic_usec() < loop_end_usec(loop))
                return loop_arm_timer(loop, loop_end_usec(loop));
        return loop_may_end(loop) ? loop_exit(loop) : 0;
}

/* After every event. */
static int on_post(sd_event_source *source, void *userdata) {
        Loop *loop = userdata;

        if (!loop_is_idle(loop)) {
                loop->idle_since_usec = 0;
                return 0;
        }
        if (loop->is_draining || loop->is_stdin)
                return loop_exit(loop);
        if (loop->idle_since_usec == 0)
                loop->idle_since_usec = clock_monotonic_usec();
        return loop->timer_is_armed ? 0 : loop_arm_timer(loop, loop_end_usec(loop));
}

/* ---- signals ---- */

static int on_stop(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Loop *loop = userdata;
        const Role *role = loop->process->role;

        if (loop->is_draining)
                return 0;
        loop->is_draining = true;
        loop_watch_listeners(loop, false);
        if (!role->drain)
                return loop_exit(loop);
        role->drain(&loop->process->env);
        role_notify_stopping(loop->process->notify);
        return loop_arm_timer(loop, usec_add(clock_monotonic_usec(), DRAIN_MAX_USEC));
}

static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        Loop *loop = userdata;
        RoleProcess *process = loop->process;

        if (loop->is_draining)
                return 0;
        role_notify_reloading(process->notify);
        if (role_reload_config(process) == 0 && process->role->reload)
                process->role->reload(&process->env);
        role_notify_ready(process->notify);
        return 0;
}

/* ---- the life of a loop ---- */

static int loop_init(Loop *loop) {
        RoleProcess *process = loop->process;
        usec_t now = clock_monotonic_usec();
        int r;

        r = role_event_new(process, on_stop, on_reload, loop);
        if (r == 0)
                r = loop_add_listeners(loop);
        if (r == 0)
                r = sd_event_add_post(process->env.event, &loop->post_source, on_post, loop);
        loop->idle_since_usec = now;
        loop->timer_is_armed = true;
        if (r >= 0)
                r = sd_event_add_time(process->env.event, &loop->idle_timer, CLOCK_MONOTONIC,
                                      loop_end_usec(loop), 0, on_idle_timer, loop);
        if (r < 0)
                log_fatal(LOG_ID_START_FAILED, "event loop: %s", strerror(-r));
        else
                r = process->role->start ? process->role->start(&process->env) : 0;
        return r;
}

static void loop_deinit(Loop *loop) {
        for (size_t i = 0; loop->listeners && i < loop->process->n_listeners; i++) {
                (void)sd_event_source_disable_unref(loop->listeners[i].source);
                (void)sd_event_source_disable_unref(loop->listeners[i].pause_timer);
        }
        (void)sd_event_source_disable_unref(loop->idle_timer);
        (void)sd_event_source_disable_unref(loop->post_source);
        free(loop->listeners);
}

static int loop_run(Loop *loop) {
        RoleProcess *process = loop->process;
        int r;

        if (loop_init(loop) < 0) {
                loop_deinit(loop);
                return ROLE_EXIT_FAILURE;
        }
        if (loop->is_stdin) {
                int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

                if (fd >= 0)
                        process->role->accept(&process->env, fd, "stdin");
                if (loop_is_idle(loop)) /* it is done already: no event would come */
                        (void)loop_exit(loop);
        }
        role_notify_ready(process->notify);
        r = sd_event_loop(process->env.event);
        if (process->role->stop)
                process->role->stop(&process->env);
        loop_deinit(loop);
        if (r >= 0)
                return r;
        log_fatal(LOG_ID_START_FAILED, "event loop: %s", strerror(-r));
        return ROLE_EXIT_FAILURE;
}

int role_loop_run(RoleProcess *process) {
        Loop loop = { .process = process };

        return loop_run(&loop);
}

int role_loop_run_stdin(RoleProcess *process) {
        Loop loop = { .process = process, .is_stdin = true };

        if (!process->role->accept) {
                log_fatal(LOG_ID_START_FAILED, "standard input: not a role for one connection");
                return ROLE_EXIT_FAILURE;
        }
        return loop_run(&loop);
}
