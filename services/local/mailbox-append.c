#include "services/local/mailbox-append.h"

#include <errno.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/macro.h"
#include "services/local/mbox.h"

/* One message on its way into one mailbox. */
typedef struct Append {
        int fd;
        uint64_t size; /* of the mailbox, with what we have written */
        uint64_t size_limit_bytes;
        Buf *out;
} Append;

static int flush(Append *append) {
        Buf *out = append->out;
        int r;

        if (append->size_limit_bytes > 0 && append->size + out->len > append->size_limit_bytes)
                return -EFBIG;
        r = file_write_all(append->fd, out->data, out->len);
        if (r != 0)
                return r;
        append->size += out->len;
        buf_reset(out);
        return 0;
}

static int add(void *userdata, Str data) {
        Append *append = userdata;
        Buf *out = append->out;
        int r = 0;

        while (r == 0 && !str_is_empty(data)) {
                size_t n = size_min(data.len, MAILBOX_BLOCK_BYTES - out->len);

                r = buf_append(out, data.data, n);
                data = str_skip(data, n);
                if (r == 0 && out->len == MAILBOX_BLOCK_BYTES)
                        r = flush(append);
        }
        return r;
}

static int add_content(Append *append, Copy *copy) {
        MboxWriter writer;
        Str piece;
        int r;

        mbox_writer_init(&writer, add, append);
        for (;;) {
                r = copy_next(copy, &piece);
                if (r != 0)
                        return r;
                if (str_is_empty(piece))
                        return mbox_writer_finish(&writer);
                r = mbox_writer_add(&writer, piece);
                if (r != 0)
                        return r;
        }
}

static int add_message(Append *append, Copy *copy) {
        Str header;
        int r;

        r = copy_next(copy, &header); /* which is not quoted */
        if (r == 0)
                r = add(append, header);
        if (r == 0)
                r = add_content(append, copy);
        return r != 0 ? r : flush(append);
}

static int append_and_sync(Append *append, const MailboxLock *lock, Copy *copy) {
        uint64_t size_at_least = append->size + copy->header.len + copy->left;
        int r;

        /* Otherwise it would be seen after much writing. */
        if (append->size_limit_bytes > 0 && size_at_least > append->size_limit_bytes)
                return -EFBIG;
        r = lock->line_end_lacks ? add(append, STR("\n\n")) : 0;
        if (r == 0)
                r = add_message(append, copy);
        if (r == 0 && fdatasync(lock->fd) != 0)
                r = -errno;
        /* The name of a mailbox that did not exist must survive a power cut like its content. */
        if (r == 0 && lock->created)
                r = file_sync_parent(lock->path);
        return r;
}

int mailbox_append(MailboxLock *lock, uint64_t size_limit_bytes, Copy *copy, Buf *out) {
        Append append = {
                .fd = lock->fd,
                .size = (uint64_t)lock->st.st_size,
                .size_limit_bytes = size_limit_bytes,
                .out = out,
        };
        int r;

        buf_reset(out);
        lock->step = "error writing message: ";
        r = append_and_sync(&append, lock, copy);
        if (r == 0) {
                lock->step = "error removing lock file: ";
                r = mailbox_lock_commit(lock);
        }
        if (r == 0 || ftruncate(lock->fd, lock->st.st_size) == 0)
                return r;
        r = -errno;
        lock->step = "error cutting it back: ";
        mailbox_lock_abandon(lock);
        return r;
}
