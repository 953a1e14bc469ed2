#pragma once

/* Handing a notice to cleanup, over one connection for one notice. */

#include "common/base/buf.h"
#include "common/mail/queue-id.h"
#include "common/role/config.h"
#include "services/bounce/notice.h"

enum {
        SEND_E_LATER = 1,   /* cleanup or the disk is not ready, or the queue file broken */
        SEND_E_REFUSED = 2, /* cleanup will never take it */
};

/*
 * Build the notice of SPEC (notice_id and boundary are filled in here) and queue it. 0: it is on
 * disk under *RET_ID; SEND_E_* with a text appended to WHY.
 */
int send_notice_to_cleanup(const Config *config, NoticeSpec *spec, QueueId *ret_id, Buf *why);
