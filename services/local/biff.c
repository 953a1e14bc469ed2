#include "services/local/biff.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/macro.h"

#define BIFF_PORT 512 /* IANA: biff/udp. Not looked up: /etc/services may be missing. */

void biff_notify(Biff *biff, const char *user, uint64_t offset) {
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(BIFF_PORT),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        char text[512];
        int n;

        if (!biff->enabled)
                return;
        if (biff->fd < 0)
                biff->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        n = snprintf(text, sizeof(text), "%s@%" PRIu64, user, offset);
        if (biff->fd < 0 || n < 0 || (size_t)n >= sizeof(text))
                return;
        /* Not connected: a refusal of the last datagram would be the answer to this one. */
        (void)sendto(biff->fd, text, (size_t)n, MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     sizeof(address));
}

void biff_deinit(Biff *biff) {
        fd_closep(&biff->fd);
}
