/* unitpost-pickup: see pickup.h and unitpost-pickup(8). */

#include "services/pickup/pickup.h"

static const Role role = {
        .name = "pickup",
        .kind = ROLE_SCANNER,
        .start = pickup_start,
        .stop = pickup_stop,
        .scan = pickup_scan,
        .scan_path = pickup_scan_path,
};

int main(int argc, char **argv) {
        return role_main(&role, argc, argv);
}
