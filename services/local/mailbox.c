#include "services/local/mailbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "common/base/log.h"
#include "common/base/macro.h"
#include "common/mail/log-id.h"
#include "services/local/home.h"
#include "services/local/mailbox-append.h"
#include "services/local/maildir.h"

/* Major and minor number of /dev/null. */
#define NULL_DEVICE makedev(1, 3)

enum {
        MAILBOX_E_EXECUTABLE = 50, /* mail is no program */
        MAILBOX_E_NOT_DIRECTORY = 51,
};

static int bad_setting(const char *name, const char *value, const char *what) {
        log_fatal(LOG_ID_CONFIG_ERROR, "%s = %s: unknown %s", name, value, what);
        return -EINVAL;
}

int mailboxes_init(Mailboxes *mailboxes, const Config *config) {
        const char *locks = config_string(config, PARAM_mailbox_delivery_lock);
        const char *kinds = config_string(config, PARAM_prepend_delivered_header);

        mailboxes->biff = BIFF_INIT;
        mailboxes->out = BUF_INIT(MAILBOX_BLOCK_BYTES);
        if (!mailbox_lock_parse(str_from_cstr(locks), &mailboxes->lock))
                return bad_setting("mailbox_delivery_lock", locks, "lock");
        if (!copy_parse_kinds(str_from_cstr(kinds), &mailboxes->delivered_to_kinds))
                return bad_setting("prepend_delivered_header", kinds, "kind of delivery");
        mailboxes->spool_directory = config_string(config, PARAM_mail_spool_directory);
        mailboxes->home_mailbox = config_string(config, PARAM_home_mailbox);
        mailboxes->hostname = config_string(config, PARAM_myhostname);
        mailboxes->size_limit_bytes = (uint64_t)config_int(config, PARAM_mailbox_size_limit);
        mailboxes->strict_ownership = config_bool(config, PARAM_strict_mailbox_ownership);
        mailboxes->biff.enabled = config_bool(config, PARAM_biff);
        mailboxes->lock.wait_usec = (usec_t)config_int(config, PARAM_deliver_lock_attempts) *
                                    config_time_usec(config, PARAM_deliver_lock_delay);
        mailboxes->lock.stale_usec = config_time_usec(config, PARAM_stale_lock_time);
        return 0;
}

void mailboxes_deinit(Mailboxes *mailboxes) {
        biff_deinit(&mailboxes->biff);
        copy_deinit(&mailboxes->copy);
        buf_deinit(&mailboxes->out);
}

static bool is_maildir(const char *path) {
        return str_has_suffix(str_from_cstr(path), STR("/"));
}

int mailbox_append_spool_path(const Mailboxes *mailboxes, const char *user, Buf *out) {
        if (is_maildir(mailboxes->spool_directory))
                return buf_printf(out, "%s%s/", mailboxes->spool_directory, user);
        return buf_printf(out, "%s/%s", mailboxes->spool_directory, user);
}

int mailbox_append_home_path(const Mailboxes *mailboxes, const char *home, Buf *out) {
        return buf_printf(out, "%s/%s", home, mailboxes->home_mailbox);
}

/* ---- what is said ---- */

typedef struct Reason {
        int error;
        const char *code; /* RFC 3463 */
        const char *text; /* NULL: strerror() */
} Reason;

/*
 * Local faults are never the sender's fault, so errno means deferred; the exceptions are
 * mailbox_size_limit, a limit that an admin has set, and objects that are no mailbox.
 */
static const Reason reasons[] = {
        { MAILBOX_E_LOCKED, "4.2.0", "mailbox is locked" },
        { MAILBOX_E_OWNER, "4.2.0", "destination is not owned by recipient" },
        { MAILBOX_E_NOT_REGULAR, "5.2.0", "destination is not a regular file" },
        { MAILBOX_E_NOT_DIRECTORY, "5.2.0", "destination is not a directory" },
        { MAILBOX_E_SYMLINK, "5.2.0", "destination is a symbolic link" },
        { MAILBOX_E_HARD_LINK, "5.2.0", "destination has more than one name" },
        { MAILBOX_E_EXECUTABLE, "5.7.1", "destination file is executable" },
        { COPY_E_SOURCE, "4.3.0", "queue file cannot be read" },
        { -EFBIG, "5.2.2", NULL },
        { -EDQUOT, "4.2.2", NULL },
        { -ENOSPC, "4.3.0", NULL },
        { -ENOMEM, "4.3.0", NULL },
};

static const Reason *find_reason(int error) {
        static const Reason other = { 0, "4.2.0", NULL };

        for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
                if (reasons[i].error == error)
                        return &reasons[i];
        return &other;
}

/*
 * A user's own mailbox that cannot be written is an accident, and the mail waits. A "/file" that
 * may not be written, or whose directory is missing, was a wrong wish, and bounces as in Postfix;
 * not where a home is away for a while.
 */
static const char *code_of(const MailboxTarget *target, int error) {
        bool is_denied =
                error == -EACCES || error == -ENOENT || error == -ENOTDIR || error == -ENAMETOOLONG;
        const char *why;

        return target->kind == MAILBOX_FILE && is_denied && !home_path_is_away(target->path, &why)
                       ? "5.2.0"
                       : find_reason(error)->code;
}

static const char *failure_text(int error) {
        const char *text = find_reason(error)->text;

        return text ? text : error < 0 ? strerror(-error) : "internal error";
}

static void set_failure(Dsn *dsn, const MailboxTarget *target, const char *step, int error) {
        const char *code = code_of(target, error), *text = failure_text(error);
        DsnStatus status = code[0] == '5' ? DSN_BOUNCED : DSN_DEFERRED;

        if (error > 0)
                step = "";
        if (is_maildir(target->path))
                dsn_set(dsn, status, code, "maildir delivery failed: %s: %s%s", target->path, step,
                        text);
        else if (target->kind == MAILBOX_FILE)
                dsn_set(dsn, status, code, "cannot append message to file %s: %s%s", target->path,
                        step, text);
        else
                dsn_set(dsn, status, code, "cannot update mailbox %s for user %s. %s%s",
                        target->path, target->rights->name, step, text);
}

/* ---- with the recipient's ids ---- */

/* A file that is no file is not even opened: some devices act on that. */
static int look_at_destination(const MailboxTarget *target, bool *ret_null_device) {
        struct stat st;

        if (lstat(target->path, &st) != 0)
                return errno == ENOENT ? 0 : -errno;
        *ret_null_device = S_ISCHR(st.st_mode) && st.st_rdev == NULL_DEVICE &&
                           strcmp(target->path, "/dev/null") == 0;
        if (*ret_null_device || S_ISREG(st.st_mode))
                return 0;
        return S_ISLNK(st.st_mode) ? MAILBOX_E_SYMLINK : MAILBOX_E_NOT_REGULAR;
}

static int append_to_file(Mailboxes *mailboxes, const MailboxTarget *target, MailboxLock *lock) {
        Copy *copy = &mailboxes->copy;
        MailboxLockRequest request = {
                .path = target->path,
                .from_line = str_first(buf_str(&copy->header), copy->from_line_len),
                .owner = target->rights->uid,
                .check_owner = target->kind != MAILBOX_FILE && mailboxes->strict_ownership,
                .dotlock_may_fail = target->kind == MAILBOX_FILE,
        };
        int r, unlock_error;

        r = mailbox_lock(lock, &mailboxes->lock, &request);
        if (r == 0 && target->kind == MAILBOX_FILE && (lock->st.st_mode & 0111))
                r = MAILBOX_E_EXECUTABLE;
        if (r == 0)
                r = mailbox_append(lock, mailboxes->size_limit_bytes, copy, &mailboxes->out);
        unlock_error = mailbox_unlock(lock);
        if (r != 0 || unlock_error == 0)
                return r;
        lock->step = "error closing it: ";
        return unlock_error;
}

static void deliver_to_mbox(Mailboxes *mailboxes, const MailboxTarget *target, Dsn *dsn) {
        MailboxLock lock = MAILBOX_LOCK_INIT;
        bool null_device = false;
        int r = 0;

        if (target->kind == MAILBOX_FILE)
                r = look_at_destination(target, &null_device);
        if (r == 0 && !null_device)
                r = append_to_file(mailboxes, target, &lock);
        if (r != 0)
                set_failure(dsn, target, lock.step, r);
        else if (target->kind == MAILBOX_FILE)
                dsn_set(dsn, DSN_SENT, "2.0.0", "delivered to file: %s", target->path);
        else
                dsn_set(dsn, DSN_SENT, "2.0.0", "delivered to mailbox");
        if (r == 0 && target->kind == MAILBOX_SPOOL)
                biff_notify(&mailboxes->biff, target->rights->name, (uint64_t)lock.st.st_size);
}

static int maildir_error(int r) {
        if (r == MAILDIR_E_OWNER)
                return MAILBOX_E_OWNER;
        return r == MAILDIR_E_NOT_DIRECTORY ? MAILBOX_E_NOT_DIRECTORY : r;
}

static void deliver_to_maildir(Mailboxes *mailboxes, const MailboxTarget *target, Dsn *dsn) {
        MaildirRules rules = {
                .hostname = mailboxes->hostname,
                .size_limit_bytes = mailboxes->size_limit_bytes,
                .check_owner = target->kind != MAILBOX_FILE && mailboxes->strict_ownership,
                .owner = target->rights->uid,
                .follow_link = target->kind != MAILBOX_SPOOL,
        };
        int r;

        r = maildir_deliver(&rules, target->path, &mailboxes->copy);
        if (r != 0)
                set_failure(dsn, target, "", maildir_error(r));
        else
                dsn_set(dsn, DSN_SENT, "2.0.0", "delivered to maildir");
}

/* ---- as root ---- */

/*
 * Whose group: in a spool that everybody may write to, the user's; in one that a group may write
 * to (Debian: root:mail 2775) that group. Others are not supported: they would need a deliverer
 * with root's power over foreign files.
 */
static int spool_group(const char *path, const LocalRights *rights, gid_t *ret) {
        struct stat st;

        if (stat(path, &st) != 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        *ret = st.st_mode & S_IWOTH ? rights->gid : st.st_gid;
        return 0;
}

static bool become_recipient(const Mailboxes *mailboxes, const MailboxTarget *target, Dsn *dsn) {
        const LocalRights *rights = target->rights;
        gid_t gid = rights->gid;
        int r = 0;

        if (target->kind == MAILBOX_SPOOL)
                r = spool_group(mailboxes->spool_directory, rights, &gid);
        if (r != 0) {
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "mail spool directory %s: %s",
                        mailboxes->spool_directory, strerror(-r));
                return false;
        }
        r = identity_become(rights->uid, gid);
        if (r != 0)
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "cannot become user %s: %s", rights->name,
                        strerror(-r));
        return r == 0;
}

void mailbox_deliver(Mailboxes *mailboxes, const MailboxTarget *target, const Delivery *delivery,
                     const CopyEnvelope *envelope, Dsn *dsn) {
        CopyEnvelope own = *envelope;
        int r;

        own.flags = is_maildir(target->path) ? 0 : COPY_FROM_LINE;
        if (mailboxes->delivered_to_kinds & COPY_KIND_FILE)
                own.flags |= COPY_DELIVERED_TO;
        r = copy_begin(&mailboxes->copy, delivery, &own);
        if (r != 0) {
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "no memory for the header of the message");
                return;
        }
        if (!become_recipient(mailboxes, target, dsn))
                return;
        if (is_maildir(target->path))
                deliver_to_maildir(mailboxes, target, dsn);
        else
                deliver_to_mbox(mailboxes, target, dsn);
        identity_restore();
}
