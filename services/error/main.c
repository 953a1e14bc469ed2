/* The transport that bounces with a text: the table of the role. */

#include "services/error/error.h"

static const char *const peers[] = { "unitpost", "root", NULL };

static const Role role = {
        .name = "error",
        .kind = ROLE_WORKERS,
        .peers = peers,
        .serve = error_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
