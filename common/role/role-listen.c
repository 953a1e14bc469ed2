/*
 * The sockets that systemd keeps for us, and who may come in. Listeners are made non-blocking
 * because several processes wait on one: who comes late must not sleep in accept(2).
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/role-process.h"

/* Also for what goes wrong once per attempt of a stranger: one line a second. */
static bool log_is_due(usec_t *last_usec) {
        usec_t now = clock_monotonic_usec();

        if (*last_usec != 0 && now < usec_add(*last_usec, USEC_PER_SEC))
                return false;
        *last_usec = now;
        return true;
}

static int listener_init(RoleListener *listener, int fd, char *name) {
        socklen_t size = sizeof(listener->type);
        int flags;

        *listener = (RoleListener){ .fd = fd, .name = name };
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &listener->type, &size) < 0)
                return -errno;
        listener->is_unix = sd_is_socket(fd, AF_UNIX, 0, -1) > 0;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
                return -errno;
        /* A datagram's sender is known only when this is on; the unit says so too, because of
         * datagrams that come before us. */
        if (listener->type == SOCK_DGRAM && listener->is_unix &&
            setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) < 0)
                return -errno;
        return 0;
}

int role_listeners_init(RoleProcess *process) {
        char **names = NULL;
        int n, r = 0;

        n = sd_listen_fds_with_names(1, &names);
        if (n <= 0)
                return n;
        process->listeners = calloc((size_t)n, sizeof(*process->listeners));
        if (!process->listeners)
                r = -ENOMEM;
        for (int i = 0; i < n; i++) {
                if (r < 0) {
                        free(names[i]);
                        continue;
                }
                process->n_listeners++;
                r = listener_init(&process->listeners[i], SD_LISTEN_FDS_START + i, names[i]);
        }
        free(names);
        return r;
}

void role_listeners_deinit(RoleProcess *process) {
        for (size_t i = 0; i < process->n_listeners; i++) {
                fd_closep(&process->listeners[i].fd);
                free(process->listeners[i].name);
        }
        free(process->listeners);
        free(process->peer_uids);
        process->listeners = NULL;
        process->peer_uids = NULL;
        process->n_listeners = 0;
}

int role_peers_init(RoleProcess *process) {
        const char *const *peers = process->role->peers;
        size_t n = 0;

        if (!peers)
                return 0;
        while (peers[n])
                n++;
        process->peer_uids = calloc(n + 1, sizeof(*process->peer_uids));
        if (!process->peer_uids)
                return -ENOMEM;
        for (; process->n_peer_uids < n; process->n_peer_uids++) {
                const char *name = peers[process->n_peer_uids];
                const struct passwd *user;

                errno = 0;
                user = getpwnam(name);
                if (!user) {
                        int r = errno > 0 ? -errno : -ENOENT;

                        log_fatal(LOG_ID_START_FAILED, "look up user %s, who may connect: %s", name,
                                  r == -ENOENT ? "no such user" : strerror(-r));
                        return r;
                }
                process->peer_uids[process->n_peer_uids] = user->pw_uid;
        }
        return 0;
}

bool role_peer_is_allowed(const RoleProcess *process, uid_t uid) {
        static usec_t last_usec;

        if (!process->role->peers)
                return true;
        for (size_t i = 0; i < process->n_peer_uids; i++)
                if (process->peer_uids[i] == uid)
                        return true;
        if (log_is_due(&last_usec))
                log_warning(LOG_ID_PEER_REFUSED, "refused a connection from uid %u", uid);
        return false;
}

int role_listener_accept(const RoleListener *listener, int flags, int *ret_fd) {
        static usec_t last_usec;
        int fd, r;

        fd = accept4(listener->fd, NULL, NULL, flags | SOCK_CLOEXEC);
        if (fd >= 0) {
                *ret_fd = fd;
                return 0;
        }
        switch (errno) {
        case EAGAIN:
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
                return IPC_E_AGAIN;
        }
        r = -errno;
        if (log_is_due(&last_usec))
                log_error(LOG_ID_START_FAILED, "accept on %s: %m", listener->name);
        return r;
}

bool role_listeners_have_input(const RoleProcess *process) {
        for (size_t i = 0; i < process->n_listeners; i++) {
                struct pollfd pollfd = { .fd = process->listeners[i].fd, .events = POLLIN };

                if (poll(&pollfd, 1, 0) > 0)
                        return true;
        }
        return false;
}
