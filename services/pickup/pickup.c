#include "services/pickup/pickup.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"
#include "common/mail/queue-admit.h"
#include "common/role/admission-log.h"
#include "common/role/notice-client.h"
#include "common/role/role-queue.h"
#include "services/pickup/handover.h"

#define NAMES_MAX 1000 /* of one scan: what of a full directory is in memory, and sorted */

/* Then a scan ends and the next one begins, with what has come in the meantime. */
#define SCAN_MAX_USEC (300 * USEC_PER_SEC)

/* Messages that cleanup will not have now, in one scan, before the rest has to wait, too. */
#define FAILURES_MAX 100

typedef struct Name {
        char text[NAME_MAX + 1];
        bool is_kept; /* in a listing: has been tried before */
} Name;

typedef struct Pickup {
        Queue *queue;
        uid_t drop_uid;    /* who may own files in maildrop/, besides root */
        Handover handover; /* kept from scan to scan; cleanup closes it when it is idle */
        Name *names;       /* NAMES_MAX of them, for a scan */

        /* Messages that stayed, so that each is announced in the log once. */
        Name kept[FAILURES_MAX];
        size_t n_kept;

        /* Handed over, but still in maildrop: to be removed before anything else is taken. */
        Name unremoved;

        usec_t deadline;   /* of this scan; monotonic */
        size_t n_failures; /* in this scan */
        bool stop;         /* this scan: no use to go on */
} Pickup;

static uid_t drop_uid(void) {
        struct passwd passwd, *found = NULL;
        char buffer[4096];

        if (getpwnam_r("unitpost-drop", &passwd, buffer, sizeof(buffer), &found) != 0 || !found)
                return 0;
        return passwd.pw_uid;
}

int pickup_start(RoleEnv *env) {
        Pickup *pickup = calloc(1, sizeof(*pickup));
        int r;

        if (!pickup || !(pickup->names = malloc(NAMES_MAX * sizeof(*pickup->names)))) {
                free(pickup);
                return -ENOMEM;
        }
        r = role_queue_open(env, 1U << QUEUE_MAILDROP | 1U << QUEUE_CORRUPT | 1U << QUEUE_HOLD,
                            &pickup->queue);
        if (r < 0) {
                free(pickup->names);
                free(pickup);
                return r;
        }
        pickup->drop_uid = drop_uid();
        env->context = pickup;
        (void)queue_remove_stale(pickup->queue, QUEUE_MAILDROP, clock_realtime_usec(), NULL);
        return 0;
}

void pickup_stop(RoleEnv *env) {
        Pickup *pickup = env->context;

        if (!pickup)
                return;
        handover_deinit(&pickup->handover);
        queue_free(pickup->queue);
        free(pickup->names);
        free(pickup);
        env->context = NULL;
}

int pickup_scan_path(RoleEnv *env, Buf *ret) {
        return buf_printf(ret, "%s/maildrop", config_string(env->config, PARAM_queue_directory));
}

/* ---- what is said of a message ---- */

static bool is_kept(const Pickup *pickup, const char *name) {
        for (size_t i = 0; i < pickup->n_kept; i++)
                if (strcmp(pickup->kept[i].text, name) == 0)
                        return true;
        return false;
}

static void log_trouble(const char *name, const char *what, const char *why) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(name) };

        log_event(LOG_WARNING, LOG_ID_QUEUE_ERROR, &field, 1, "warning: %s: %s: %s", name, what,
                  why);
}

static void log_pickup(const QueueId *id, const Envelope *envelope) {
        LogField field = { "UNITPOST_QUEUE_ID", str_from_cstr(id->text) };

        log_event(LOG_INFO, LOG_ID_PICKUP, &field, 1, "%s: uid=%u from=<%.*s>", id->text,
                  envelope->uid, STR_FMT(envelope->sender));
}

/* ---- one entry ---- */

/* It stays, and that is said once. */
static void remember(Pickup *pickup, const char *name) {
        pickup->n_failures++;
        if (!is_kept(pickup, name) && pickup->n_kept < FAILURES_MAX)
                (void)snprintf(pickup->kept[pickup->n_kept++].text, NAME_MAX + 1, "%s", name);
}

static void keep(Pickup *pickup, const QueueId *id, const char *why) {
        if (!is_kept(pickup, id->text))
                log_trouble(id->text, "stays in maildrop", why);
        remember(pickup, id->text);
}

static void forget(Pickup *pickup, const char *name) {
        for (size_t i = 0; i < pickup->n_kept; i++)
                if (strcmp(pickup->kept[i].text, name) == 0) {
                        pickup->kept[i] = pickup->kept[--pickup->n_kept];
                        return;
                }
}

/* Somebody else has it. While it cannot be removed here, nothing more is taken. */
static int finish(Pickup *pickup, const char *name) {
        int r;

        r = queue_remove(pickup->queue, name, QUEUE_MAILDROP);
        if (r >= 0) {
                forget(pickup, name);
                return 1;
        }
        if (pickup->unremoved.text[0] == '\0')
                log_trouble(name, "cannot remove it from maildrop", strerror(-r));
        if (name != pickup->unremoved.text)
                (void)snprintf(pickup->unremoved.text, NAME_MAX + 1, "%s", name);
        pickup->stop = true;
        return r;
}

static int set_aside(Pickup *pickup, const char *name, const char *reason) {
        QueueAdmission odd = { .verdict = QUEUE_VERDICT_CORRUPT, .reason = reason, .fd = -1 };
        int r;

        r = queue_quarantine(pickup->queue, name, QUEUE_MAILDROP);
        admission_log(QUEUE_MAILDROP, name, &odd, r < 0 ? r : 0);
        return r < 0 ? r : 1;
}

/* cleanup will never have it; REPLY says why. */
static int return_to_sender(Pickup *pickup, const QueueId *id, int fd, const HandoverReply *reply) {
        NoticeRequest request = {
                .queue_id = str_from_cstr(id->text),
                .kind = STR("refused"),
                .code = str_from_cstr(reply->dsn),
                .text = str_from_cstr(reply->text),
        };
        NoticeReply notice;

        if (notice_client_ask(&request, fd, &notice))
                return finish(pickup, id->text);
        keep(pickup, id, notice.text);
        return 0;
}

static int hand_over(Pickup *pickup, const QueueId *id, QueueAdmission *admission) {
        HandoverReply reply = { 0 };

        if (!is_kept(pickup, id->text))
                log_pickup(id, queue_file_envelope(admission->file));
        switch (handover_to_cleanup(&pickup->handover, id, admission->file, admission->fd,
                                    &reply)) {
        case HANDOVER_ACCEPTED:
                return finish(pickup, id->text);
        case HANDOVER_REFUSED:
                return return_to_sender(pickup, id, admission->fd, &reply);
        case HANDOVER_NO_ROOM:
        case HANDOVER_NO_SERVER:
                pickup->stop = true;
                break;
        case HANDOVER_TRY_AGAIN:
        case HANDOVER_UNREADABLE:
                break;
        }
        keep(pickup, id, reply.text);
        return 0;
}

/*
 * A file that is good by itself may still be somebody else's: in maildrop/ only unitpost-drop and
 * root write, and a second name means that it was linked there.
 */
static const char *why_foreign(const Pickup *pickup, int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return "cannot be looked at";
        if (st.st_uid != pickup->drop_uid && st.st_uid != 0)
                return "owned by a stranger";
        return st.st_nlink > 1 ? "a hard link" : NULL;
}

static int take_good(Pickup *pickup, const char *name, QueueAdmission *admission) {
        const char *foreign = why_foreign(pickup, admission->fd);
        QueueId id;

        if (foreign || !queue_id_parse(str_from_cstr(name), &id))
                return set_aside(pickup, name, foreign ? foreign : "name is no queue ID");
        return hand_over(pickup, &id, admission);
}

/* 1 when it is dealt with, 0 when it stays, negative errno. */
static int take_entry(Pickup *pickup, const char *name) {
        _cleanup_(queue_admission_deinit) QueueAdmission admission = QUEUE_ADMISSION_NULL;
        int r;

        r = queue_admit(pickup->queue, QUEUE_MAILDROP, name, QUEUE_ADMIT_CHECK_CONTENT, &admission);
        if (r == 0 || !is_kept(pickup, name))
                admission_log(QUEUE_MAILDROP, name, &admission, r);
        if (r < 0) {
                remember(pickup, name);
                return r;
        }
        switch (admission.verdict) {
        case QUEUE_VERDICT_GOOD:
                return take_good(pickup, name, &admission);
        case QUEUE_VERDICT_GONE:
                return 0;
        case QUEUE_VERDICT_INCOMPLETE:
        case QUEUE_VERDICT_CORRUPT:
        case QUEUE_VERDICT_NEWER:
                break;
        }
        return 1;
}

/* ---- a scan ---- */

/* IDs sort by arrival. What stayed before comes last, so that it holds up nothing new. */
static int compare_names(const void *a, const void *b) {
        const Name *left = a, *right = b;

        if (left->is_kept != right->is_kept)
                return left->is_kept ? 1 : -1;
        return strcmp(left->text, right->text);
}

/* The first names of the directory, sorted. */
static int list_names(const Pickup *pickup, Name *names, size_t *ret_n) {
        _cleanup_(queue_walk_freep) QueueWalk *walk = NULL;
        const char *name;
        size_t n = 0;
        int r;

        r = queue_walk_new(pickup->queue, QUEUE_MAILDROP, 0, &walk);
        while (r == 0 && n < NAMES_MAX) {
                r = queue_walk_next(walk, &name);
                if (r != 0)
                        break;
                (void)snprintf(names[n].text, sizeof(names->text), "%s", name);
                names[n++].is_kept = is_kept(pickup, name);
        }
        if (r < 0)
                return r;
        qsort(names, n, sizeof(*names), compare_names);
        *ret_n = n;
        return 0;
}

static int begin_scan(Pickup *pickup) {
        int r;

        pickup->deadline = usec_add(clock_monotonic_usec(), SCAN_MAX_USEC);
        pickup->n_failures = 0;
        pickup->stop = false;
        if (pickup->unremoved.text[0] == '\0')
                return 0;
        r = finish(pickup, pickup->unremoved.text);
        if (r < 0)
                return r;
        pickup->unremoved.text[0] = '\0';
        return 0;
}

/* SIGTERM is kept for the event loop, to which we shall return. */
static bool is_asked_to_stop(void) {
        sigset_t pending;

        return sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1;
}

static bool is_enough(const Pickup *pickup) {
        return pickup->stop || pickup->n_failures >= FAILURES_MAX || is_asked_to_stop() ||
               clock_monotonic_usec() >= pickup->deadline;
}

int pickup_scan(RoleEnv *env) {
        Pickup *pickup = env->context;
        size_t n = 0;
        int r, n_done = 0, error = 0;

        r = begin_scan(pickup);
        if (r < 0)
                return r;
        r = list_names(pickup, pickup->names, &n);
        if (r < 0) {
                log_error(LOG_ID_QUEUE_ERROR, "cannot read maildrop: %s", strerror(-r));
                return r;
        }
        for (size_t i = 0; i < n && !is_enough(pickup); i++) {
                r = take_entry(pickup, pickup->names[i].text);
                if (r < 0)
                        error = r;
                else
                        n_done += r;
        }
        if (n_done > 0)
                return n_done;
        return error < 0 ? error : pickup->n_failures > 0 ? -EAGAIN : 0;
}
