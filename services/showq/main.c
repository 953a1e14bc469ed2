/* Shows the queue: the table of the role. */

#include "services/showq/showq.h"

/* Everybody may ask: who may see and flush is authorized_mailq_users, authorized_flush_users. */
static const Role role = {
        .name = "showq",
        .kind = ROLE_WORKERS,
        .peers = NULL,
        .connections_per_uid = 20,
        .start = showq_start,
        .stop = showq_stop,
        .serve = showq_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
