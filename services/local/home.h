#pragma once

/*
 * Is a user's home there? One that is encrypted and not unlocked (systemd-homed), or mounted when
 * somebody comes (autofs, /etc/fstab), may be away for hours; nobody knows what its .forward says,
 * so mail waits. A home that exists nowhere, as system users have it, is no reason to wait.
 */

#include "services/local/user.h"

typedef enum HomeState {
        HOME_PRESENT,
        HOME_NONE, /* there is none, nor is one to be expected */
        HOME_AWAY, /* there will be one */
} HomeState;

/*
 * Look, with the ids of USER or root. *RET_REASON (static text) says why a home is away. May wait
 * for an automounter.
 */
HomeState home_look(const LocalUser *user, const char **ret_reason);

/*
 * PATH, absolute, is not there: is it because a home, or another directory above it, is away?
 * *RET_REASON as above. For files that an alias names, which may be below a home.
 */
bool home_path_is_away(const char *path, const char **ret_reason);
