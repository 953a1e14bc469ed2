/* Delivers to users of this machine: the table of the role. */

#include "services/local/local.h"

static const char *const peers[] = { "unitpost", "root", NULL };

static const Role role = {
        .name = "local",
        .kind = ROLE_WORKERS,
        .peers = peers,
        /* A user's command may take command_time_limit, and there may be more. qmgr waits 1 h. */
        .request_limit_usec = 3500 * USEC_PER_SEC,
        .start = local_start,
        .stop = local_stop,
        .serve = local_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
