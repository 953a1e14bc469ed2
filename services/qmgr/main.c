/*
 * unitpost-qmgr: schedules delivery. See man/unitpost-qmgr.8 and manager.h.
 */

#include "services/qmgr/manager.h"

static const char *const peers[] = { "unitpost", "unitpost-showq", "root", NULL };

static const Role role = {
        .name = "qmgr",
        .kind = ROLE_LOOP,
        .peers = peers,
        .start = manager_start,
        .stop = manager_stop,
        .reload = manager_reload,
        .drain = manager_drain,
        .datagram = manager_datagram,
        .is_idle = manager_is_idle,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
