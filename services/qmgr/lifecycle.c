#include "services/qmgr/lifecycle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <syslog.h>
#include <utlist.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/mail/queue-admit.h"
#include "common/role/admission-log.h"
#include "common/role/delivery-log.h"

/* What a message gets of the memory for recipients however little is left. */
#define RECIPIENTS_MIN 10

/* With more messages than this in memory, one that waits for an agent has no open file. */
#define SPARES_MAX 500

static LogField queue_id_field(const QueueId *id) {
        return (LogField){ "UNITPOST_QUEUE_ID", str_from(id->text, QUEUE_ID_LEN) };
}

static void log_queue_error(const QueueId *id, const char *what, int r) {
        LogField field = queue_id_field(id);

        log_event(LOG_WARNING, LOG_ID_QUEUE_ERROR, &field, 1, "warning: %s: %s: %s", id->text, what,
                  r < 0 ? strerror(-r) : "the queue file is not as it was");
}

static void log_queued(const Message *message) {
        LogField field = queue_id_field(&message->id);

        log_event(LOG_INFO, LOG_ID_QUEUED, &field, 1,
                  "%s: from=<%.*s>, size=%llu, nrcpt=%llu (queue active)", message->id.text,
                  STR_FMT(message->request.sender),
                  (unsigned long long)message->request.content_size,
                  (unsigned long long)queue_file_n_recipients(message->file));
}

static void forget(Manager *manager, Message *message) {
        HASH_DEL(manager->messages, message);
        manager->n_messages--;
        message_free(message);
        intake_resume(manager->intake);
}

/* At most half of what is left, so that a message with many recipients does not stop the others. */
static void fetch(Manager *manager, Message *message) {
        unsigned max = manager->settings.recipients_max;
        unsigned share = max > manager->n_entries ? (max - manager->n_entries) / 2 : 0;

        message_fetch(message, share > RECIPIENTS_MIN ? share : RECIPIENTS_MIN);
        if (manager->n_messages > SPARES_MAX)
                message_close_spare(message);
}

/*
 * active/ID is there: check it, and take it into memory. What was found by a walk may be from
 * before a power cut, so all of it is read.
 */
static void admit(Manager *manager, const QueueId *id, const LifecycleSource *source) {
        unsigned flags = (source->was_found ? QUEUE_ADMIT_CHECK_CONTENT : 0) |
                         (source->dir == QUEUE_DEFERRED ? QUEUE_ADMIT_WAS_COMPLETE : 0);
        QueueAdmission admission _cleanup_(queue_admission_deinit) = QUEUE_ADMISSION_NULL;
        Message *message;
        int r;

        r = queue_admit(manager->queue, QUEUE_ACTIVE, id->text, flags, &admission);
        if (r != 0 || admission.verdict != QUEUE_VERDICT_GOOD) {
                admission_log(QUEUE_ACTIVE, id->text, &admission, r);
                if (r < 0)
                        manager_retry_active(manager);
                return;
        }
        r = message_new(manager->queue, id, TAKE_PTR(admission.file), TAKE_FD(admission.fd),
                        &lifecycle_message_handler, manager, &message);
        if (r < 0) {
                log_queue_error(id, "cannot take it into memory", r);
                manager_retry_active(manager);
                return;
        }
        HASH_ADD(hh, manager->messages, id, sizeof(message->id), message);
        manager->n_messages++;
        log_queued(message);
        fetch(manager, message);
}

static int bring_to_active(Manager *manager, QueueDir dir, uint64_t bucket, const QueueId *id) {
        if (dir == QUEUE_ACTIVE)
                return 0;
        if (dir == QUEUE_DEFERRED)
                return queue_undefer(manager->queue, id, bucket);
        return queue_move(manager->queue, id->text, dir, QUEUE_ACTIVE);
}

/*
 * Only a directory that is not ours can be neither moved nor read, whatever the permissions of the
 * queue: it would wake us for ever. A message that cannot be moved for now stays where it is.
 */
static bool set_foreign_aside(Manager *manager, const LifecycleSource *source, const QueueId *id) {
        char path[QUEUE_PATH_MAX];
        const char *name = id->text;
        int fd _cleanup_(fd_closep) = -1;

        if (source->dir == QUEUE_DEFERRED) {
                if (queue_deferred_path(source->bucket, id->text, path) != 0)
                        return false;
                name = path;
        }
        if (queue_open_message(manager->queue, source->dir, name, O_RDONLY, &fd) != QUEUE_E_ODD ||
            queue_quarantine(manager->queue, name, source->dir) != 0)
                return false;
        log_warning(LOG_ID_CORRUPT, "%s/%s: not a queue file, moved to corrupt/ or hidden",
                    queue_dir_name(source->dir), name);
        return true;
}

void lifecycle_activate(Manager *manager, const LifecycleSource *source, const QueueId *id) {
        Message *known;
        int r;

        HASH_FIND(hh, manager->messages, id, sizeof(*id), known);
        if (known)
                return;
        r = bring_to_active(manager, source->dir, source->bucket, id);
        if (r == 0)
                admit(manager, id, source);
        else if (r != QUEUE_E_GONE && !set_foreign_aside(manager, source, id))
                log_queue_error(id, "cannot move it to active/", r);
}

/* ---- recipients ---- */

static void answer_now(Manager *manager, Entry *entry, const char *code, const char *text,
                       Str detail) {
        Dsn dsn;

        dsn_set(&dsn, DSN_DEFERRED, code, "%s%.*s", text, STR_FMT(detail));
        lifecycle_outcome(manager, entry, &dsn, false);
}

static int hand_on(Manager *manager, const ResolveRoute *route, Entry *entry) {
        Transport *transport;
        int r = 0;

        if (!str_equal(route->recipient, entry->recipient.address))
                r = entry_set_address(entry, route->recipient);
        if (r == 0)
                r = manager_transport(manager, route->transport, &transport);
        return r == 0 ? transport_add(transport, route->nexthop, entry) : r;
}

static void fail_entry(Manager *manager, Entry *entry, int error) {
        if (error == QMGR_E_BAD_NAME)
                answer_now(manager, entry, "4.3.5", "mail transport has an invalid name", STR_NULL);
        else
                answer_now(manager, entry, "4.3.0", "queue manager is out of memory", STR_NULL);
}

static void on_routed(void *userdata, Entry *entry, const ResolveRoute *route) {
        int r = hand_on(userdata, route, entry);

        if (r != 0)
                fail_entry(userdata, entry, r);
}

static void on_routing_failed(void *userdata, Entry *entry, int error, Str reason) {
        if (error == RESOLVE_E_TABLE)
                answer_now(userdata, entry, "4.3.0", "address resolver failure: ", reason);
        else
                fail_entry(userdata, entry, error);
}

const RoutingHandler lifecycle_routing_handler = {
        .routed = on_routed,
        .failed = on_routing_failed,
};

static void on_entry_ready(void *userdata, Entry *entry) {
        Manager *manager = userdata;

        manager->n_entries++;
        routing_add(manager->routing, entry);
}

static void on_settled(void *userdata, Message *message) {
        Manager *manager = userdata;

        if (message->settled_queued)
                return;
        message->settled_queued = true;
        DL_APPEND(manager->settled, message);
        (void)sd_event_source_set_enabled(manager->settle, SD_EVENT_ONESHOT);
}

const MessageHandler lifecycle_message_handler = {
        .entry_ready = on_entry_ready,
        .settled = on_settled,
};

static void log_expired(Message *message) {
        LogField field = queue_id_field(&message->id);

        if (message->expired)
                return;
        message->expired = true;
        log_event(LOG_INFO, LOG_ID_EXPIRED, &field, 1,
                  "%s: from=<%.*s>, status=expired, returned to sender", message->id.text,
                  STR_FMT(message->request.sender));
}

void lifecycle_outcome(void *userdata, Entry *entry, const Dsn *dsn, bool logged) {
        Manager *manager = userdata;
        Message *message = entry->message;
        usec_t now = clock_realtime_usec();
        bool expired;
        int r;

        if (!logged) {
                DeliveryTimes times = { .started_usec = now, .ended_usec = now };

                delivery_log(&message->request, &entry->recipient, dsn, &times);
        }
        expired = dsn->status == DSN_DEFERRED &&
                  schedule_is_expired(&manager->settings.schedule,
                                      str_is_empty(message->request.sender),
                                      message->request.arrival_usec, now);
        if (expired)
                log_expired(message);
        if (manager->n_entries-- == manager->settings.recipients_max)
                intake_resume(manager->intake);
        r = message_entry_done(entry, dsn, expired);
        if (r != 0 && r != -ENOENT) /* an admin took it away */
                log_queue_error(&message->id, "cannot mark a recipient", r);
}

/* ---- the end of a pass ---- */

/*
 * The file cannot be moved or removed, so MESSAGE stays in memory and comes to its end again in a
 * minute. To forget it would mean to find it in active/ and to deliver it once more, each minute.
 */
static void keep(Manager *manager, Message *message, const char *what, int r) {
        log_queue_error(&message->id, what, r);
        DL_APPEND(manager->stuck, message);
        manager_retry_active(manager);
}

static void defer(Manager *manager, Message *message) {
        usec_t next = schedule_next_attempt(&manager->settings.schedule,
                                            message->request.arrival_usec, clock_realtime_usec());
        uint64_t bucket = queue_bucket_for(next);
        int r = queue_defer(manager->queue, &message->id, bucket);

        if (r != 0 && r != QUEUE_E_GONE) {
                keep(manager, message, "cannot move it to deferred/", r);
                return;
        }
        if (r == 0)
                intake_note_bucket(manager->intake, bucket);
        forget(manager, message);
}

static void remove_done(Manager *manager, Message *message) {
        LogField field = queue_id_field(&message->id);
        int r = queue_remove(manager->queue, message->id.text, QUEUE_ACTIVE);

        if (r != 0 && r != QUEUE_E_GONE) {
                /* For the next qmgr: the last recipient has no mark so far, nor has a notice. */
                (void)message_mark_all(message, RECIPIENT_TODO, RECIPIENT_SENT);
                (void)message_mark_all(message, RECIPIENT_FAILED, RECIPIENT_RETURNED);
                keep(manager, message, "cannot remove it", r);
                return;
        }
        if (r == 0)
                log_event(LOG_INFO, LOG_ID_REMOVED, &field, 1, "%s: removed", message->id.text);
        forget(manager, message);
}

/* bounce knows whether anybody wants it (NOTIFY, notify_classes): it is asked once, and says so. */
static bool owes_delay_notice(const Manager *manager, const Message *message) {
        return !message->delay_noticed &&
               schedule_is_delayed(&manager->settings.schedule, message->request.arrival_usec,
                                   clock_realtime_usec());
}

static void conclude(Manager *manager, Message *message) {
        if (message->n_deferred == 0)
                remove_done(manager, message);
        else if (owes_delay_notice(manager, message))
                notice_queue_add(manager->notices, message, MESSAGE_NOTICE_DELAY);
        else
                defer(manager, message);
}

static void note_delay_noticed(Message *message) {
        int r = message_mark_delay_noticed(message);

        if (r != 0 && r != -ENOENT) /* an admin took it away */
                log_queue_error(&message->id, "cannot mark that it was told to be late", r);
}

static void note_returned(Message *message) {
        int r = 0;

        /* Marks matter only where the file lives on. */
        if (message->n_deferred > 0)
                r = message_mark_all(message, RECIPIENT_FAILED, RECIPIENT_RETURNED);
        if (r != 0)
                log_queue_error(&message->id, "cannot mark what was returned", r);
        message->n_failed = 0;
}

void lifecycle_noticed(void *userdata, Message *message, bool ok) {
        Manager *manager = userdata;

        if (!ok) { /* the mail itself shall not wait for it */
                defer(manager, message);
                return;
        }
        if (message->notice == MESSAGE_NOTICE_DELAY)
                note_delay_noticed(message);
        else
                note_returned(message);
        conclude(manager, message);
}

static void abandon(Manager *manager, Message *message) {
        if (message->error == -ENOENT) {
                /* An admin took it away while we had it. */
                forget(manager, message);
                return;
        }
        log_queue_error(&message->id, "cannot read its recipients", message->error);
        /* With other eyes, in a minute: what is corrupt goes to corrupt/ then, and is reported. */
        manager_retry_active(manager);
        forget(manager, message);
}

void lifecycle_settle(Manager *manager, Message *message) {
        if (message->error != 0)
                abandon(manager, message);
        else if (!message->fetched_all)
                fetch(manager, message);
        else if (message->n_failed > 0)
                notice_queue_add(manager->notices, message, MESSAGE_NOTICE_FAILURE);
        else
                conclude(manager, message);
}
