#include "services/local/mailbox-spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/base/macro.h"
#include "services/local/identity.h"
#include "services/local/mbox.h"

/* The queue file ended early or could not be read; the mailbox is not to blame. */
#define MAILBOX_E_SOURCE 100

/* One message on its way into one mailbox. */
typedef struct Append {
        Mailboxes *mailboxes;
        const Delivery *delivery;
        const DeliveryRecipient *recipient;
        int fd;
        uint64_t size;       /* of the mailbox, with what we have written */
        size_t n_first_read; /* bytes of content in the block already */
} Append;

static int flush(Append *append) {
        Buf *out = &append->mailboxes->out;
        uint64_t limit = append->mailboxes->size_limit_bytes;
        int r;

        if (limit > 0 && append->size + out->len > limit)
                return -EFBIG;
        r = file_write_all(append->fd, out->data, out->len);
        if (r != 0)
                return r;
        append->size += out->len;
        buf_reset(out);
        return 0;
}

static int append_output(void *userdata, Str data) {
        Append *append = userdata;
        Buf *out = &append->mailboxes->out;
        size_t n;
        int r;

        while (!str_is_empty(data)) {
                n = size_min(data.len, MAILBOX_BLOCK_BYTES - out->len);
                r = buf_append(out, data.data, n);
                if (r != 0)
                        return r;
                data = str_skip(data, n);
                r = out->len == MAILBOX_BLOCK_BYTES ? flush(append) : 0;
                if (r != 0)
                        return r;
        }
        return 0;
}

/* The next block of the content at OFFSET; *RET is how much that is, 0 at the end. */
static int read_block(Mailboxes *mailboxes, const Delivery *delivery, uint64_t offset,
                      size_t *ret) {
        const DeliveryRequest *request = &delivery->request;
        uint64_t left = request->content_size - offset;
        size_t n = left < MAILBOX_BLOCK_BYTES ? (size_t)left : MAILBOX_BLOCK_BYTES;

        if (n > 0 && file_pread_all(delivery->message_fd, mailboxes->block, n,
                                    (off_t)(request->content_offset + offset)) != 0)
                return MAILBOX_E_SOURCE;
        *ret = n;
        return 0;
}

static int append_content(Append *append) {
        MboxWriter writer;
        uint64_t offset = 0;
        size_t n = append->n_first_read;
        int r = 0;

        mbox_writer_init(&writer, append_output, append);
        while (n > 0) {
                r = mbox_writer_add(&writer, str_from(append->mailboxes->block, n));
                if (r != 0)
                        return r;
                offset += n;
                r = read_block(append->mailboxes, append->delivery, offset, &n);
                if (r != 0)
                        return r;
        }
        return mbox_writer_finish(&writer);
}

static int append_message(Append *append) {
        MboxEnvelope envelope = {
                .sender = append->delivery->request.sender,
                .original = append->recipient->original,
                .delivered = append->recipient->address,
                .time_usec = clock_realtime_usec(),
        };
        int r;

        buf_reset(&append->mailboxes->out);
        r = mbox_append_header(&envelope, &append->mailboxes->out);
        if (r == 0)
                r = append_content(append);
        if (r == 0)
                r = flush(append);
        if (r == 0 && fdatasync(append->fd) != 0)
                r = -errno;
        return r;
}

/* The name of a mailbox that did not exist must survive a power cut like its content. */
static int sync_directory(const char *path) {
        int fd _cleanup_(fd_closep) = -1;

        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || fsync(fd) != 0)
                return -errno;
        return 0;
}

static const char *reason_text(int r) {
        switch (r) {
        case MAILBOX_E_LOCKED:
                return "mailbox is locked";
        case MAILBOX_E_NOT_REGULAR:
                return "destination is not a regular file";
        case MAILBOX_E_SYMLINK:
                return "destination is a symbolic link";
        case MAILBOX_E_HARD_LINK:
                return "destination has more than one name";
        case MAILBOX_E_OWNER:
                return "destination is not owned by recipient";
        case MAILBOX_E_SOURCE:
                return "queue file cannot be read";
        default:
                return "internal error";
        }
}

/*
 * Local faults are never the sender's fault, so errno means deferred; the exceptions are
 * mailbox_size_limit, a limit that an admin has set, and objects that are no mailbox.
 */
static const char *code_of(int r) {
        switch (r) {
        case MAILBOX_E_NOT_REGULAR:
        case MAILBOX_E_SYMLINK:
        case MAILBOX_E_HARD_LINK:
                return "5.2.0";
        case -EFBIG:
                return "5.2.2";
        case -EDQUOT:
                return "4.2.2";
        case -ENOSPC:
        case -ENOMEM:
        case MAILBOX_E_SOURCE:
                return "4.3.0";
        default:
                return "4.2.0";
        }
}

static void set_failure(Dsn *dsn, const MailboxLock *lock, const LocalUser *user, int r,
                        const char *what) {
        const char *code = code_of(r);

        dsn_set(dsn, code[0] == '5' ? DSN_BOUNCED : DSN_DEFERRED, code,
                "cannot update mailbox %s for user %s. %s%s", lock->path, user->name, what,
                r < 0 ? strerror(-r) : reason_text(r));
}

/* With the recipient's ids. */
static void append_as_user(Append *append, const LocalUser *user, MailboxLock *lock, Dsn *dsn) {
        Mailboxes *mailboxes = append->mailboxes;
        uint64_t old_size;
        int dotlock_error = 0, r;

        r = mailbox_lock(lock, &mailboxes->lock, lock->path, user->uid, &dotlock_error);
        if (r == MAILBOX_E_DOTLOCK) {
                set_failure(dsn, lock, user, dotlock_error, "unable to create lock file: ");
                return;
        }
        if (r != 0) {
                set_failure(dsn, lock, user, r, "");
                return;
        }
        old_size = append->size = lock->size;
        append->fd = lock->fd;
        r = append_message(append);
        if (r == 0 && lock->created)
                r = sync_directory(mailboxes->spool_directory);
        if (r != 0 && ftruncate(lock->fd, (off_t)old_size) != 0)
                set_failure(dsn, lock, user, -errno, "error cutting it back: ");
        else if (r != 0)
                set_failure(dsn, lock, user, r, r < 0 ? "error writing message: " : "");
        else
                dsn_set(dsn, DSN_SENT, "2.0.0", "delivered to mailbox");
        r = mailbox_unlock(lock);
        if (r != 0 && dsn->status == DSN_SENT)
                set_failure(dsn, lock, user, r, "error closing it: ");
}

/*
 * Whose ids: in a spool that everybody may write to, all the user's. In one that a group may write
 * to (Debian: root:mail 2775) the user's uid and that group. Others are not supported: they would
 * need a deliverer with root's power over foreign files.
 */
static int spool_group(const char *path, const LocalUser *user, gid_t *ret) {
        struct stat st;

        if (stat(path, &st) != 0)
                return -errno;
        if (!S_ISDIR(st.st_mode))
                return -ENOTDIR;
        *ret = st.st_mode & S_IWOTH ? user->gid : st.st_gid;
        return 0;
}

static void deliver_to_path(Append *append, const LocalUser *user, MailboxLock *lock, Dsn *dsn) {
        gid_t gid = user->gid;
        int r;

        r = spool_group(append->mailboxes->spool_directory, user, &gid);
        if (r != 0) {
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "mail spool directory %s: %s",
                        append->mailboxes->spool_directory, strerror(-r));
                return;
        }
        r = identity_become(user->uid, gid);
        if (r != 0) {
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "cannot become user %s: %s", user->name,
                        strerror(-r));
                return;
        }
        append_as_user(append, user, lock, dsn);
        identity_restore();
}

/* Read the first block while still root-or-whoever: the descriptor is open, ids do not matter. */
static bool begin(Append *append, Dsn *dsn) {
        const DeliveryRecipient *recipient = append->recipient;
        int r;

        r = read_block(append->mailboxes, append->delivery, 0, &append->n_first_read);
        if (r != 0) {
                dsn_set(dsn, DSN_DEFERRED, code_of(r), "%s", reason_text(r));
                return false;
        }
        if (mbox_has_delivered_to(str_from(append->mailboxes->block, append->n_first_read),
                                  recipient->address)) {
                dsn_set(dsn, DSN_BOUNCED, "5.4.6", "mail forwarding loop for %.*s",
                        STR_FMT(recipient->address));
                return false;
        }
        return true;
}

void mailbox_deliver(Mailboxes *mailboxes, const LocalUser *user, const Delivery *delivery,
                     const DeliveryRecipient *recipient, Dsn *dsn) {
        Append append = { .mailboxes = mailboxes, .delivery = delivery, .recipient = recipient };
        MailboxLock lock = { .fd = -1, .dotlock_path = BUF_INIT(PATH_MAX) };
        Buf path _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX);

        if (!begin(&append, dsn))
                return;
        (void)buf_printf(&path, "%s/%s", mailboxes->spool_directory, user->name);
        (void)buf_printf(&lock.dotlock_path, "%s/%s.lock", mailboxes->spool_directory, user->name);
        lock.path = buf_cstr(&path);
        if (lock.path && buf_cstr(&lock.dotlock_path))
                deliver_to_path(&append, user, &lock, dsn);
        else
                dsn_set(dsn, DSN_DEFERRED, "4.3.0", "no memory for the name of mailbox %s",
                        user->name);
        buf_deinit(&lock.dotlock_path);
}
