#pragma once

/* One call on the user's bus, org.freedesktop.Notifications.Notify (Desktop Notifications 1.2). */

enum {
        BUS_E_NOBODY = 1, /* no bus, or nobody there who shows notifications */
};

/*
 * Show SUMMARY, plain, and BODY, which may be read as markup. Both are valid UTF-8. Waits some
 * seconds at most. 0; BUS_E_NOBODY; negative errno: the desktop refused it, or memory is out.
 */
int bus_notify(const char *summary, const char *body);
