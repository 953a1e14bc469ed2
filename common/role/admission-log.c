#include "common/role/admission-log.h"

#include <string.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"

typedef struct Line {
        const char *message_id;
        const char *text;
} Line;

static const Line lines[] = {
        [QUEUE_VERDICT_INCOMPLETE] = { LOG_ID_INCOMPLETE,
                                       "was never acknowledged, has no end, removed" },
        [QUEUE_VERDICT_CORRUPT] = { LOG_ID_CORRUPT, "is no queue file, moved to corrupt/" },
        [QUEUE_VERDICT_NEWER] = { LOG_ID_NEWER, "is of a newer release, moved to hold/" },
};

void admission_log(QueueDir dir, const char *name, const QueueAdmission *admission, int r) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(name) };
        const Line *line;

        if (r < 0) {
                log_event(LOG_WARNING, LOG_ID_QUEUE_ERROR, &field, 1,
                          "warning: %s: cannot read %s/%s: %s", name, queue_dir_name(dir), name,
                          strerror(-r));
                return;
        }
        if (admission->verdict == QUEUE_VERDICT_GOOD || admission->verdict == QUEUE_VERDICT_GONE)
                return;
        line = &lines[admission->verdict];
        log_event(LOG_WARNING, line->message_id, &field, 1, "warning: %s: file in %s/ %s%s%s", name,
                  queue_dir_name(dir), line->text, *admission->reason ? ": " : "",
                  admission->reason);
}
