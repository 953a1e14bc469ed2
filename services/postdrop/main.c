/* unitpost-postdrop: see postdrop.h and unitpost-postdrop(8). */

#include "services/postdrop/postdrop.h"

static const Role role = {
        .name = "postdrop",
        .kind = ROLE_WORKERS,
        /* Of default_process_limit = 100 workers one user can hold 40, a minute each. */
        .connections_per_uid = 40,
        .start = postdrop_start,
        .stop = postdrop_stop,
        .serve = postdrop_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
