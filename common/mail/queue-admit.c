/* Admission of files to the queue; see queue-admit.h. */

#include "common/mail/queue-admit.h"

#include <fcntl.h>
#include <string.h>

void queue_admission_deinit(QueueAdmission *admission) {
        queue_file_free(admission->file);
        fd_closep(&admission->fd);
        *admission = QUEUE_ADMISSION_NULL;
}

static int give_verdict(QueueAdmission *ret, QueueVerdict verdict, const char *reason) {
        queue_admission_deinit(ret);
        ret->verdict = verdict;
        ret->reason = reason;
        return 0;
}

/* R is of a removal or a move: when somebody else was faster, the file is gone all the same. */
static int disposed(int r, QueueAdmission *ret, QueueVerdict verdict, const char *reason) {
        if (r < 0)
                return r;
        return give_verdict(ret, r == QUEUE_E_GONE ? QUEUE_VERDICT_GONE : verdict, reason);
}

static bool name_is_valid(const char *name) {
        const char *slash = strrchr(name, '/');
        QueueId id;

        return queue_id_parse(str_from_cstr(slash ? slash + 1 : name), &id);
}

static int open_and_check(const Queue *queue, QueueDir dir, const char *name, unsigned flags,
                          QueueAdmission *ret) {
        int open_flags = flags & QUEUE_ADMIT_WRITE ? O_RDWR : O_RDONLY;
        int r;

        if (!name_is_valid(name)) {
                ret->reason = "name is no queue ID";
                return QUEUE_FILE_E_CORRUPT;
        }
        r = queue_open_message(queue, dir, name, open_flags, &ret->fd);
        if (r == QUEUE_E_ODD) {
                ret->reason = "not a regular file, or not readable";
                return QUEUE_FILE_E_CORRUPT;
        }
        if (r != 0)
                return r < 0 ? r : QUEUE_FILE_E_END;
        r = queue_file_open(ret->fd, &ret->file);
        if (r == 0 && flags & QUEUE_ADMIT_CHECK_CONTENT)
                r = queue_file_check_content(ret->file);
        ret->reason = queue_file_reason();
        return r;
}

int queue_admit(const Queue *queue, QueueDir dir, const char *name, unsigned flags,
                QueueAdmission *ret) {
        bool was_complete =
                dir == QUEUE_DEFERRED || dir == QUEUE_HOLD || flags & QUEUE_ADMIT_WAS_COMPLETE;
        int r;

        r = open_and_check(queue, dir, name, flags, ret);
        switch (r) {
        case 0:
                ret->verdict = QUEUE_VERDICT_GOOD;
                return 0;
        case QUEUE_FILE_E_END: /* open_and_check: no such name */
                return give_verdict(ret, QUEUE_VERDICT_GONE, "");
        case QUEUE_FILE_E_INCOMPLETE:
                if (!was_complete)
                        return disposed(queue_remove(queue, name, dir), ret,
                                        QUEUE_VERDICT_INCOMPLETE, "");
                ret->reason = "cut short";
                return disposed(queue_quarantine(queue, name, dir), ret, QUEUE_VERDICT_CORRUPT,
                                ret->reason);
        case QUEUE_FILE_E_CORRUPT:
                return disposed(queue_quarantine(queue, name, dir), ret, QUEUE_VERDICT_CORRUPT,
                                ret->reason);
        case QUEUE_FILE_E_NEWER:
                if (dir == QUEUE_HOLD)
                        return give_verdict(ret, QUEUE_VERDICT_NEWER, "");
                return disposed(queue_set_aside(queue, name, dir, QUEUE_HOLD), ret,
                                QUEUE_VERDICT_NEWER, "");
        default:
                queue_admission_deinit(ret);
                return r;
        }
}
