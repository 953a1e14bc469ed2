#include "services/notify/bus.h"

#include <errno.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

#include "common/base/clock.h"
#include "common/base/macro.h"
#include "common/base/str.h"

#define NAME         "org.freedesktop.Notifications"
#define PATH         "/org/freedesktop/Notifications"
#define TIMEOUT_USEC (3 * USEC_PER_SEC)
#define CATEGORY     "email.arrived"

/* The bus could not start who would show them, as where there is no screen. */
#define SPAWN_ERRORS STR("org.freedesktop.DBus.Error.Spawn.")

/* Nobody shows notifications; anything else means that somebody refused ours. */
static bool is_nobody(int r, const sd_bus_error *error) {
        return r == -ETIMEDOUT || r == -ECONNRESET || r == -ENOTCONN ||
               sd_bus_error_has_names(error, SD_BUS_ERROR_SERVICE_UNKNOWN,
                                      SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_NO_REPLY,
                                      SD_BUS_ERROR_DISCONNECTED, SD_BUS_ERROR_TIMEOUT) ||
               (error->name && str_has_prefix(str_from_cstr(error->name), SPAWN_ERRORS));
}

int bus_notify(const char *summary, const char *body) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *call = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_open_user(&bus);
        if (r < 0)
                return r == -ENOMEM ? r : BUS_E_NOBODY;
        r = sd_bus_message_new_method_call(bus, &call, NAME, PATH, NAME, "Notify");
        if (r >= 0)
                r = sd_bus_message_append(call, "susssasa{sv}i", "unitpost", 0U, "mail-unread",
                                          summary, body, 0, 1, "category", "s", CATEGORY, -1);
        if (r < 0)
                return r;
        r = sd_bus_call(bus, call, TIMEOUT_USEC, &error, NULL);
        if (r < 0)
                return is_nobody(r, &error) ? BUS_E_NOBODY : r;
        return 0;
}
