#include "services/qmgr/message.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static Str copy_text(char **at, Str text) {
        Str copy = str_from(*at, text.len);

        if (text.len > 0)
                memcpy(*at, text.data, text.len);
        *at += text.len;
        return copy;
}

int message_new(const Queue *queue, const QueueId *id, QueueFile *file, int fd,
                const MessageHandler *handler, void *userdata, Message **ret) {
        const Envelope *envelope = queue_file_envelope(file);
        Message *message = calloc(1, sizeof(*message) + envelope->sender.len + envelope->envid.len);
        char *at;

        if (!message) {
                queue_file_free(file);
                fd_closep(&fd);
                return -ENOMEM;
        }
        at = message->text;
        message->id = *id;
        message->queue = queue;
        message->handler = handler;
        message->userdata = userdata;
        message->spare_fd = fd;
        message->mark_fd = -1;
        message->file = file;
        message->delay_noticed = queue_file_is_delay_noticed(file);
        message->request = (DeliveryRequest){
                .queue_id = str_from(message->id.text, QUEUE_ID_LEN),
                .sender = copy_text(&at, envelope->sender),
                .envid = copy_text(&at, envelope->envid),
                .arrival_usec = envelope->arrival_usec,
                .active_usec = clock_realtime_usec(),
                .content_offset = queue_file_content_offset(file),
                .content_size = queue_file_content_size(file),
                .flags = envelope->flags,
                .ret = envelope->ret,
        };
        *ret = message;
        return 0;
}

Message *message_free(Message *message) {
        if (!message)
                return NULL;
        queue_file_free(message->file);
        fd_closep(&message->spare_fd);
        fd_closep(&message->mark_fd);
        free(message);
        return NULL;
}

static Entry *entry_new(Message *message, const QueueFileRecipient *from) {
        const Recipient *recipient = &from->recipient;
        Entry *entry = calloc(1, sizeof(*entry) + recipient->address.len + recipient->original.len +
                                         recipient->orcpt.len);
        char *at;

        if (!entry)
                return NULL;
        at = entry->text;
        entry->message = message;
        entry->recipient = (DeliveryRecipient){
                .handle = from->offset,
                .address = copy_text(&at, recipient->address),
                .original = copy_text(&at, recipient->original),
                .orcpt = copy_text(&at, recipient->orcpt),
                .notify = recipient->notify,
        };
        return entry;
}

Entry *entry_free(Entry *entry) {
        if (!entry)
                return NULL;
        free(entry->resolved);
        free(entry);
        return NULL;
}

int entry_set_address(Entry *entry, Str address) {
        char *copy = str_dup(address);

        if (!copy)
                return -ENOMEM;
        free(entry->resolved);
        entry->resolved = copy;
        entry->recipient.address = str_from(copy, address.len);
        return 0;
}

/* 0, -ENOENT when it is gone, QUEUE_FILE_E_CORRUPT when it is no file any more, -errno. */
static int open_active(const Message *message, int flags, int *ret_fd) {
        int r = queue_open_message(message->queue, QUEUE_ACTIVE, message->id.text, flags, ret_fd);

        if (r == QUEUE_E_GONE)
                return -ENOENT;
        return r > 0 ? QUEUE_FILE_E_CORRUPT : r;
}

/*
 * A reader has a buffer of up to 64 kB, and thousands of messages may be in memory: who has read
 * all recipients lets go of it. The reader works on spare_fd, which may be with a delivery by now.
 */
static int reopen_reader(Message *message) {
        int r = 0;

        if (message->file && message->spare_fd >= 0)
                return 0;
        message->file = queue_file_free(message->file);
        if (message->spare_fd < 0)
                r = open_active(message, O_RDONLY, &message->spare_fd);
        if (r == 0)
                r = queue_file_open(message->spare_fd, &message->file);
        return r > 0 ? QUEUE_FILE_E_CORRUPT : r;
}

static int fetch_batch(Message *message, unsigned limit, Entry **ret_batch) {
        QueueFileRecipient recipient;
        Entry *entry;
        int r;

        for (unsigned n = 0; n < limit;) {
                r = queue_file_next_recipient(message->file, &message->cursor, false, &recipient);
                if (r == QUEUE_FILE_E_END) {
                        message->fetched_all = true;
                        return 0;
                }
                if (r != 0)
                        return r;
                if (recipient.state == RECIPIENT_FAILED)
                        message->n_failed++;
                if (recipient.state != RECIPIENT_TODO)
                        continue;
                entry = entry_new(message, &recipient);
                if (!entry)
                        return -ENOMEM;
                entry->next = *ret_batch;
                *ret_batch = entry;
                message->n_out++;
                n++;
        }
        return 0;
}

static Entry *reverse(Entry *list) {
        Entry *head = NULL, *next;

        for (; list; list = next) {
                next = list->next;
                list->next = head;
                head = list;
        }
        return head;
}

void message_fetch(Message *message, unsigned limit) {
        Entry *batch = NULL, *next;

        message->error = reopen_reader(message);
        if (message->error == 0)
                message->error = fetch_batch(message, limit, &batch);
        if (message->fetched_all)
                message->file = queue_file_free(message->file);
        /* Count first, hand out then: a callee may answer at once, and the batch must be whole. */
        for (batch = reverse(batch); batch; batch = next) {
                next = batch->next;
                batch->next = NULL;
                message->handler->entry_ready(message->userdata, batch);
        }
        if (message->n_out == 0)
                message->handler->settled(message->userdata, message);
}

static int mark_fd(Message *message) {
        return message->mark_fd >= 0 ? 0 : open_active(message, O_RDWR, &message->mark_fd);
}

/* Nothing will be read from the file again: its end is near, and a mark would be a wasted write. */
static bool is_last_and_well(const Message *message) {
        return message->n_out == 1 && message->fetched_all && message->n_failed == 0 &&
               message->n_deferred == 0;
}

static int write_outcome(Message *message, uint64_t handle, const Dsn *dsn, RecipientState state) {
        int r;

        if (state == RECIPIENT_SENT && is_last_and_well(message))
                return 0;
        r = mark_fd(message);
        if (r != 0)
                return r;
        if (state == RECIPIENT_SENT)
                return queue_file_mark(message->mark_fd, handle, state);
        r = queue_file_write_diagnosis(message->mark_fd, handle, dsn, clock_realtime_usec(), state);
        /* On a full disk there is no room for the reason, but a state needs none. */
        if (r < 0 && state == RECIPIENT_FAILED)
                r = queue_file_mark(message->mark_fd, handle, state);
        return r;
}

int message_entry_done(Entry *entry, const Dsn *dsn, bool expired) {
        Message *message = entry->message;
        RecipientState state = RECIPIENT_TODO;
        int r;

        if (dsn->status == DSN_SENT)
                state = RECIPIENT_SENT;
        else if (dsn->status == DSN_BOUNCED || expired)
                state = RECIPIENT_FAILED;
        r = write_outcome(message, entry->recipient.handle, dsn, state);
        /* bounce reports what the file says: a failure that is not in it is tried again. */
        if (r != 0 && state == RECIPIENT_FAILED)
                state = RECIPIENT_TODO;
        if (state == RECIPIENT_TODO)
                message->n_deferred++;
        else if (state == RECIPIENT_FAILED)
                message->n_failed++;
        entry_free(entry);
        if (--message->n_out == 0)
                message->handler->settled(message->userdata, message);
        return r;
}

int message_open(Message *message, int *ret_fd) {
        if (message->spare_fd >= 0 && message->fetched_all) {
                *ret_fd = TAKE_FD(message->spare_fd);
                return 0;
        }
        return open_active(message, O_RDONLY, ret_fd);
}

void message_close_spare(Message *message) {
        if (message->fetched_all)
                fd_closep(&message->spare_fd);
}

int message_mark_all(Message *message, RecipientState from, RecipientState to) {
        uint64_t cursor = 0;
        QueueFileRecipient recipient;
        int r;

        r = mark_fd(message);
        if (r == 0)
                r = reopen_reader(message);
        while (r == 0) {
                r = queue_file_next_recipient(message->file, &cursor, false, &recipient);
                if (r == 0 && recipient.state == from)
                        r = queue_file_mark(message->mark_fd, recipient.offset, to);
        }
        message->file = queue_file_free(message->file);
        return r == QUEUE_FILE_E_END ? 0 : r;
}

int message_mark_delay_noticed(Message *message) {
        int r;

        message->delay_noticed = true;
        r = mark_fd(message);
        return r == 0 ? queue_file_mark_delay_noticed(message->mark_fd) : r;
}
