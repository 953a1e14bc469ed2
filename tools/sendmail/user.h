#pragma once

/* Who calls, by the kernel and the user database; the environment decides nothing but a name. */

#include "common/base/buf.h"

/*
 * The login name of the calling uid; "uid-N" where it has none (a DynamicUser= outside of nss, a
 * container). 0, BUF_E_FULL, -ENOMEM.
 */
int user_append_login(Buf *ret);

/*
 * The full name: $NAME, else the user's own up to the first comma, with '&' as the login name
 * (as in passwd(5)). Empty when there is none. Cut to what fits; control bytes become spaces.
 */
int user_append_full_name(Buf *ret);

/* The same cut and cleaned NAME. */
int user_append_name(Buf *ret, Str name);
