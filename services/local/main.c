/* Delivers to users of this machine: the table of the role. */

#include "services/local/local.h"

static const char *const peers[] = { "unitpost", "root", NULL };

static const Role role = {
        .name = "local",
        .kind = ROLE_WORKERS,
        .peers = peers,
        .start = local_start,
        .stop = local_stop,
        .serve = local_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
