#include "services/qmgr/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/role/protocol-queue.h"
#include "common/role/role-queue.h"
#include "services/qmgr/lifecycle.h"

#define ACTIVE_RETRY_USEC  (60 * USEC_PER_SEC)
#define STAY_HORIZON_USEC  (60 * USEC_PER_SEC) /* a retry this near is not worth an exit */
#define TRANSPORT_NAME_MAX 64
#define BURST_MIN          8
#define BURST_LONG         1000
#define LOOK_USEC          (60 * USEC_PER_SEC)

/* ---- transports ---- */

static bool name_is_valid(Str name) {
        for (size_t i = 0; i < name.len; i++)
                if (!ascii_is_alpha(name.data[i]) && !ascii_is_digit(name.data[i]) &&
                    name.data[i] != '_' && name.data[i] != '-')
                        return false;
        return name.len > 0 && name.len <= TRANSPORT_NAME_MAX;
}

static TransportLimits limits_for(const Manager *manager, Str name) {
        char text[TRANSPORT_NAME_MAX + 1] = "";

        memcpy(text, name.data, name.len);
        return settings_transport_limits(manager->env->config, text);
}

int manager_transport(Manager *manager, Str name, Transport **ret) {
        TransportEntry *entry;
        TransportLimits limits;
        const char *key;
        int r;

        if (!name_is_valid(name))
                return QMGR_E_BAD_NAME;
        HASH_FIND(hh, manager->transports, name.data, name.len, entry);
        if (!entry) {
                entry = calloc(1, sizeof(*entry));
                if (!entry)
                        return -ENOMEM;
                limits = limits_for(manager, name);
                r = transport_new(manager->env->event, name, &limits, lifecycle_outcome, manager,
                                  &entry->transport);
                if (r < 0) {
                        free(entry);
                        return r;
                }
                key = transport_name(entry->transport);
                HASH_ADD_KEYPTR(hh, manager->transports, key, name.len, entry);
        }
        *ret = entry->transport;
        return 0;
}

static void free_transports(Manager *manager) {
        TransportEntry *entry, *next;

        HASH_ITER(hh, manager->transports, entry, next) {
                HASH_DEL(manager->transports, entry);
                transport_free(entry->transport);
                free(entry);
        }
}

static void flush(Manager *manager) {
        TransportEntry *entry, *next;

        HASH_ITER(hh, manager->transports, entry, next)
                transport_revive(entry->transport);
        notice_queue_revive(manager->notices);
        (void)queue_make_due(manager->queue, clock_realtime_usec());
        intake_want_deferred(manager->intake);
}

static void flush_one(Manager *manager, const QueueId *id) {
        uint64_t *buckets _cleanup_(freep) = NULL;
        size_t n = 0;

        if (queue_list_buckets(manager->queue, &buckets, &n) != 0)
                return;
        for (size_t i = 0; i < n; i++) {
                LifecycleSource source = { .dir = QUEUE_DEFERRED, .bucket = buckets[i] };

                lifecycle_activate(manager, &source, id);
        }
}

/* ---- intake ---- */

static bool has_room(void *userdata) {
        Manager *manager = userdata;

        return !manager->is_draining && manager->n_messages < manager->settings.active_max &&
               manager->n_entries < manager->settings.recipients_max;
}

static void found(void *userdata, QueueDir dir, uint64_t bucket, const char *name) {
        Manager *manager = userdata;
        LifecycleSource source = {
                .dir = dir,
                .bucket = bucket,
                .was_found = dir != QUEUE_DEFERRED,
        };
        char path[QUEUE_PATH_MAX];
        QueueId id;

        if (queue_id_parse(str_from_cstr(name), &id)) {
                lifecycle_activate(manager, &source, &id);
                return;
        }
        if (dir == QUEUE_DEFERRED) {
                if (queue_deferred_path(bucket, name, path) != 0)
                        return;
                name = path;
        }
        if (queue_quarantine(manager->queue, name, dir) == 0)
                log_warning(LOG_ID_CORRUPT, "%s/%s: not a queue file's name, moved to corrupt/",
                            queue_dir_name(dir), name);
}

static const IntakeHandler intake_handler = {
        .has_room = has_room,
        .found = found,
};

static int on_active_retry(sd_event_source *source, usec_t usec, void *userdata) {
        Manager *manager = userdata;
        Message *stuck = TAKE_PTR(manager->stuck), *message, *next;

        DL_FOREACH_SAFE(stuck, message, next) {
                DL_DELETE(stuck, message);
                lifecycle_settle(manager, message);
        }
        intake_want(manager->intake, QUEUE_ACTIVE);
        return 0;
}

void manager_retry_active(Manager *manager) {
        int enabled = SD_EVENT_OFF;

        (void)sd_event_source_get_enabled(manager->active_retry, &enabled);
        if (enabled != SD_EVENT_OFF)
                return;
        (void)sd_event_source_set_time_relative(manager->active_retry, ACTIVE_RETRY_USEC);
        (void)sd_event_source_set_enabled(manager->active_retry, SD_EVENT_ONESHOT);
}

static void look_later(Manager *manager) {
        (void)sd_event_source_set_time_relative(manager->look, LOOK_USEC);
        (void)sd_event_source_set_enabled(manager->look, SD_EVENT_ONESHOT);
}

/*
 * A cleanup that was killed between its two last steps has announced nothing. The path unit starts
 * us for such mail, but while we are busy, only we ourselves can find it.
 */
static int on_look(sd_event_source *source, usec_t usec, void *userdata) {
        Manager *manager = userdata;

        if (manager->n_messages > 0)
                intake_want(manager->intake, QUEUE_INCOMING);
        look_later(manager);
        return 0;
}

/*
 * cleanup gives up telling us while our socket is full, so after a burst (and in a long one, now
 * and then) there may be mail that nobody announced.
 */
static void look_after_burst(Manager *manager) {
        if (manager->n_announced < BURST_MIN ||
            (manager->n_messages > 0 && manager->n_announced < BURST_LONG))
                return;
        manager->n_announced = 0;
        intake_want(manager->intake, QUEUE_INCOMING);
}

static int on_settle(sd_event_source *source, void *userdata) {
        Manager *manager = userdata;
        Message *message;

        while ((message = manager->settled)) {
                DL_DELETE(manager->settled, message);
                message->settled_queued = false;
                lifecycle_settle(manager, message);
        }
        look_after_burst(manager);
        role_set_status(manager->env, "active %u, recipients in memory %u", manager->n_messages,
                        manager->n_entries);
        return 0;
}

/* ---- the role ---- */

static int open_queue(Manager *manager) {
        unsigned dirs = 1u << QUEUE_INCOMING | 1u << QUEUE_ACTIVE | 1u << QUEUE_DEFERRED |
                        1u << QUEUE_HOLD | 1u << QUEUE_CORRUPT;
        int r;

        r = role_queue_open(manager->env, dirs, &manager->queue);
        if (r < 0)
                return r;
        r = queue_lock(manager->queue);
        if (r != 0)
                log_fatal(LOG_ID_QUEUE_ERROR, "cannot lock the queue: %s",
                          r < 0 ? strerror(-r) : "another queue manager has it");
        return r > 0 ? -EBUSY : r;
}

static int add_timer(Manager *manager, sd_event_source **ret, sd_event_time_handler_t handler) {
        int r = sd_event_add_time(manager->env->event, ret, CLOCK_MONOTONIC, 0, USEC_PER_SEC,
                                  handler, manager);

        return r < 0 ? r : sd_event_source_set_enabled(*ret, SD_EVENT_OFF);
}

static int add_sources(Manager *manager) {
        sd_event *event = manager->env->event;
        int r;

        r = sd_event_add_defer(event, &manager->settle, on_settle, manager);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(manager->settle, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = add_timer(manager, &manager->active_retry, on_active_retry);
        if (r < 0)
                return r;
        r = add_timer(manager, &manager->look, on_look);
        if (r < 0)
                return r;
        r = notice_queue_new(event, manager->settings.retry_usec, lifecycle_noticed, manager,
                             &manager->notices);
        if (r < 0)
                return r;
        r = routing_new(&manager->settings.addresses.resolve, &lifecycle_routing_handler, manager,
                        &manager->routing);
        if (r < 0)
                return r;
        return intake_new(event, manager->queue, &intake_handler, manager, &manager->intake);
}

int manager_start(RoleEnv *env) {
        Manager *manager = calloc(1, sizeof(*manager));
        int r;

        if (!manager)
                return -ENOMEM;
        manager->env = env;
        env->context = manager;
        r = settings_init(&manager->settings, env);
        if (r < 0)
                return r;
        r = open_queue(manager);
        if (r < 0)
                return r;
        r = add_sources(manager);
        if (r < 0)
                return r;
        intake_set_max_backoff(manager->intake, schedule_longest(&manager->settings.schedule));
        intake_want(manager->intake, QUEUE_ACTIVE);
        intake_want(manager->intake, QUEUE_INCOMING);
        intake_want_deferred(manager->intake);
        look_later(manager);
        return 0;
}

void manager_stop(RoleEnv *env) {
        Manager *manager = env->context;
        Message *message, *next;

        if (!manager)
                return;
        routing_free(manager->routing);
        free_transports(manager);
        notice_queue_free(manager->notices);
        intake_free(manager->intake);
        HASH_ITER(hh, manager->messages, message, next) {
                HASH_DEL(manager->messages, message);
                message_free(message);
        }
        sd_event_source_disable_unref(manager->settle);
        sd_event_source_disable_unref(manager->active_retry);
        sd_event_source_disable_unref(manager->look);
        queue_free(manager->queue);
        settings_deinit(&manager->settings);
        free(manager);
        env->context = NULL;
}

void manager_reload(RoleEnv *env) {
        Manager *manager = env->context;
        Settings settings;
        TransportEntry *entry, *next;

        if (settings_init(&settings, env) < 0) {
                settings_deinit(&settings);
                return;
        }
        settings_deinit(&manager->settings);
        manager->settings = settings;
        intake_set_max_backoff(manager->intake, schedule_longest(&settings.schedule));
        HASH_ITER(hh, manager->transports, entry, next) {
                TransportLimits limits =
                        settings_transport_limits(env->config, transport_name(entry->transport));

                transport_set_limits(entry->transport, &limits);
        }
        intake_resume(manager->intake);
}

void manager_datagram(RoleEnv *env, Str payload, const IpcPeer *sender) {
        Manager *manager = env->context;
        LifecycleSource announced = { .dir = QUEUE_INCOMING };
        QmgrCommand command;
        QueueId id;

        if (qmgr_command_parse(payload, &command, &id) != 0) {
                log_warning(LOG_ID_PROTOCOL, "malformed command from uid %u", sender->uid);
                return;
        }
        switch (command) {
        case QMGR_INCOMING:
                manager->n_announced++;
                if (has_room(manager))
                        lifecycle_activate(manager, &announced, &id);
                else
                        intake_want(manager->intake, QUEUE_INCOMING);
                break;
        case QMGR_WAKE:
                intake_want(manager->intake, QUEUE_INCOMING);
                intake_want_deferred(manager->intake);
                break;
        case QMGR_FLUSH:
                flush(manager);
                break;
        case QMGR_FLUSH_ONE:
                flush_one(manager, &id);
                break;
        }
}

/*
 * What an agent is doing now it will have done, whether we hear of it or not; so its answer is
 * waited for, or the same mail would be delivered again.
 */
void manager_drain(RoleEnv *env) {
        Manager *manager = env->context;
        TransportEntry *entry, *next;

        manager->is_draining = true;
        notice_queue_drain(manager->notices);
        HASH_ITER(hh, manager->transports, entry, next)
                transport_drain(entry->transport);
}

static bool is_drained(const Manager *manager) {
        TransportEntry *entry, *next;

        HASH_ITER(hh, manager->transports, entry, next)
                if (transport_n_running(entry->transport) > 0)
                        return false;
        return !manager->settled && notice_queue_n_running(manager->notices) == 0;
}

/*
 * Called after every event, so it looks at nothing but memory: mail in incoming/ that nobody
 * announced makes the path unit start us again.
 */
bool manager_is_idle(RoleEnv *env) {
        Manager *manager = env->context;
        int enabled = SD_EVENT_OFF;

        if (manager->is_draining)
                return is_drained(manager);
        if (manager->n_messages > 0)
                return false;
        (void)sd_event_source_get_enabled(manager->active_retry, &enabled);
        return enabled == SD_EVENT_OFF && intake_is_idle(manager->intake, STAY_HORIZON_USEC);
}
