#include "services/local/identity.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"

#define EXIT_TRY_AGAIN 75 /* EX_TEMPFAIL: systemd's Restart= paces */

int identity_init(void) {
        return setgroups(0, NULL) == 0 ? 0 : -errno;
}

int identity_become(uid_t uid, gid_t gid) {
        int r;

        /* The group first: without root's uid it could not be changed any more. */
        if (setegid(gid) != 0)
                return -errno;
        if (seteuid(uid) != 0) {
                r = -errno;
                identity_restore();
                return r;
        }
        return 0;
}

void identity_restore(void) {
        if (seteuid(0) == 0 && setegid(0) == 0)
                return;
        log_fatal(LOG_ID_START_FAILED, "cannot become root again");
        _exit(EXIT_TRY_AGAIN);
}
