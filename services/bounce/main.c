/* Tells senders what will not arrive: the table of the role. */

#include "services/bounce/bounce.h"

static const char *const peers[] = { "unitpost", "root", NULL };

static const Role role = {
        .name = "bounce",
        .kind = ROLE_WORKERS,
        .peers = peers,
        .serve = bounce_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
