/* unitpost-cleanup: see cleanup.h and unitpost-cleanup(8). */

#include "services/cleanup/cleanup.h"

static const char *const peers[] = { "unitpost", "root", NULL };

static const Role role = {
        .name = "cleanup",
        .kind = ROLE_WORKERS,
        .peers = peers,
        .start = cleanup_start,
        .stop = cleanup_stop,
        .serve = cleanup_serve,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
