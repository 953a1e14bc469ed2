#include "services/showq/list.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/macro.h"
#include "common/mail/log-id.h"
#include "common/mail/queue-file.h"
#include "common/role/protocol-showq.h"
#include "services/showq/names.h"

/* A client that has not taken the next message after this long is given up. */
#define CLIENT_PATIENCE_USEC (30 * USEC_PER_SEC)

/* Where a listing is. */
typedef struct Listing {
        const Queue *queue;
        IpcConn *conn;
        QueueDir dir;
        uint64_t bucket;
        unsigned n_skipped; /* messages that make no sense */
} Listing;

/* Open the message and check its form. False: it is gone, or nothing to show. */
static bool open_message(Listing *listing, const QueueId *id, int *ret_fd, QueueFile **ret) {
        char path[QUEUE_PATH_MAX];
        const char *name = id->text;
        int r;

        if (listing->dir == QUEUE_DEFERRED) {
                if (queue_deferred_path(listing->bucket, id->text, path) != 0)
                        return false;
                name = path;
        }
        r = queue_open_message(listing->queue, listing->dir, name, O_RDONLY, ret_fd);
        if (r == QUEUE_E_GONE)
                return false;
        if (r == 0)
                r = queue_file_open(*ret_fd, ret);
        if (r == 0)
                return true;
        /* One line for a listing: a queue full of such files must not fill the log. */
        if (listing->n_skipped++ == 0)
                log_warning(LOG_ID_CORRUPT, "%s/%s: cannot be shown, left out",
                            queue_dir_name(listing->dir), name);
        return false;
}

static int send_recipients(Listing *listing, QueueFile *file) {
        QueueFileRecipient found;
        uint64_t cursor = 0;
        int r;

        while ((r = queue_file_next_recipient(file, &cursor, true, &found)) == 0) {
                ShowqRecipient recipient = { .address = found.recipient.address };

                if (found.state != RECIPIENT_TODO && found.state != RECIPIENT_FAILED)
                        continue;
                if (found.has_diagnosis)
                        recipient.reason = str_from_cstr(found.diagnosis.text);
                ipc_conn_set_timeout(listing->conn, CLIENT_PATIENCE_USEC);
                r = ipc_conn_send_message(listing->conn, &showq_recipient_schema, &recipient);
                if (r != 0)
                        return r;
        }
        /* A file that breaks off here changed under our hands; what is sent is sent. */
        return 0;
}

static int send_message(Listing *listing, const QueueId *id) {
        QueueFile *file _cleanup_(queue_file_freep) = NULL;
        int fd _cleanup_(fd_closep) = -1;
        const Envelope *envelope;
        ShowqMessage message;
        int r;

        if (!open_message(listing, id, &fd, &file))
                return 0;
        envelope = queue_file_envelope(file);
        message = (ShowqMessage){
                .queue_name = str_from_cstr(queue_dir_name(listing->dir)),
                .queue_id = str_from_cstr(id->text),
                .arrival_usec = envelope->arrival_usec,
                .size = queue_file_content_size(file),
                .sender = envelope->sender,
        };
        ipc_conn_set_timeout(listing->conn, CLIENT_PATIENCE_USEC);
        r = ipc_conn_send_message(listing->conn, &showq_message_schema, &message);
        return r == 0 ? send_recipients(listing, file) : r;
}

/* Trouble with a directory is logged; the rest of the queue is shown all the same. */
static int warn_directory(const Listing *listing, int error) {
        log_warning(LOG_ID_QUEUE_ERROR, "%s: %s", queue_dir_name(listing->dir), strerror(-error));
        return 0;
}

static int list_directory(Listing *listing) {
        Names *names _cleanup_(names_freep) = NULL;
        QueueId id;
        int r;

        r = names_new(listing->queue, listing->dir, listing->bucket, &names);
        if (r != 0)
                return r < 0 ? warn_directory(listing, r) : 0;
        while ((r = names_next(names, &id)) == 0) {
                r = send_message(listing, &id);
                if (r != 0)
                        return r;
        }
        return r < 0 ? warn_directory(listing, r) : 0;
}

static int list_deferred(Listing *listing) {
        uint64_t *buckets _cleanup_(freep) = NULL;
        size_t n = 0;
        int r;

        r = queue_list_buckets(listing->queue, &buckets, &n);
        if (r != 0)
                return warn_directory(listing, r);
        for (size_t i = 0; i < n && r == 0; i++) {
                listing->bucket = buckets[i];
                r = list_directory(listing);
        }
        return r;
}

int list_queue(const Queue *queue, IpcConn *conn) {
        /* Postfix's order; tools read it from above. */
        static const QueueDir order[] = { QUEUE_MAILDROP, QUEUE_ACTIVE, QUEUE_INCOMING,
                                          QUEUE_DEFERRED, QUEUE_HOLD };
        Listing listing = { .queue = queue, .conn = conn };
        int r = 0;

        for (size_t i = 0; i < ARRAY_LEN(order) && r == 0; i++) {
                listing.dir = order[i];
                listing.bucket = 0;
                r = listing.dir == QUEUE_DEFERRED ? list_deferred(&listing)
                                                  : list_directory(&listing);
        }
        if (listing.n_skipped > 1)
                log_warning(LOG_ID_CORRUPT, "%u more messages cannot be shown",
                            listing.n_skipped - 1);
        ipc_conn_set_timeout(conn, CLIENT_PATIENCE_USEC);
        return r == 0 ? ipc_conn_send_end(conn) : r;
}
