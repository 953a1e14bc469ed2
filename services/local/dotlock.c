#include "services/local/dotlock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/macro.h"
#include "services/local/user.h"

/* No lock file is longer: they hold nothing, a process ID, or that and the name of a host. */
#define FOREIGN_LOCK_MAX 255

#define OPEN_TO_LOOK (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

static const Str mark = STR("unitpost\n");
static const Str from_ = STR("\nFrom ");

/* Of the running kernel; null where it cannot be known, and then no lock file is of this boot. */
static sd_id128_t boot_id(void) {
        sd_id128_t id;

        return sd_id128_get_boot(&id) == 0 ? id : SD_ID128_NULL;
}

int dotlock_append_text(const DotlockJournal *journal, Buf *out) {
        (void)buf_printf(out, "%ld %" PRIu64 " %" PRIu64 " " SD_ID128_FORMAT_STR " ",
                         (long)getpid(), journal->size, journal->inode,
                         SD_ID128_FORMAT_VAL(boot_id()));
        (void)buf_append_str(out, mark);
        return buf_append_str(out, journal->from_line);
}

static bool take_number(Str *text, uint64_t *ret) {
        Str word;

        return str_next_part(text, ' ', &word) && str_parse_u64(word, INT64_MAX, ret) == 0;
}

static bool take_boot(Str *text, bool *ret_this) {
        char hex[SD_ID128_STRING_MAX];
        sd_id128_t id;
        Str word;

        if (!str_next_part(text, ' ', &word) || word.len != sizeof(hex) - 1)
                return false;
        memcpy(hex, word.data, word.len);
        hex[word.len] = '\0';
        if (sd_id128_from_string(hex, &id) < 0)
                return false;
        *ret_this = !sd_id128_is_null(id) && sd_id128_equal(id, boot_id());
        return true;
}

bool dotlock_parse(Str text, DotlockJournal *ret) {
        uint64_t pid;

        if (!take_number(&text, &pid) || !take_number(&text, &ret->size) ||
            !take_number(&text, &ret->inode) || !take_boot(&text, &ret->of_this_boot) ||
            !str_has_prefix(text, mark))
                return false;
        ret->from_line = str_skip(text, mark.len);
        return str_has_prefix(ret->from_line, str_skip(from_, 1)) &&
               str_find(ret->from_line, '\n') == ret->from_line.len - 1;
}

/* In the directory of PATH. */
static int open_nameless(const char *path) {
        const char *slash = strrchr(path, '/');
        char directory[PATH_MAX];

        if (!slash || (size_t)(slash - path) >= sizeof(directory))
                return -ENAMETOOLONG;
        (void)snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - path), path);
        return file_open_nameless(AT_FDCWD, directory, O_WRONLY, 0440);
}

static int make_named(const char *path, Str text) {
        int fd _cleanup_(fd_closep) = -1;
        int r;

        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0440);
        if (fd < 0)
                return -errno;
        r = file_write_all(fd, text.data, text.len);
        if (r < 0)
                (void)unlink(path);
        return r;
}

/*
 * Whole from its first moment, where the file system can do that: an empty one that a crash left
 * would be taken for somebody else's, and the mailbox be locked for minutes.
 */
static int make_whole(const char *path, Str text) {
        int fd _cleanup_(fd_closep) = -1;
        int r;

        fd = open_nameless(path);
        if (fd == -EOPNOTSUPP)
                return make_named(path, text);
        if (fd < 0)
                return fd;
        r = file_write_all(fd, text.data, text.len);
        return r < 0 ? r : file_link_nameless(fd, AT_FDCWD, path);
}

int dotlock_make(const char *path, Str text) {
        int r = make_whole(path, text);

        return r == -EEXIST ? DOTLOCK_E_TAKEN : r;
}

/* ---- a lock file in the way ---- */

/* The whole of our own lock file; false for anything else that may be there. */
static bool read_own(const char *path, Buf *text) {
        int fd _cleanup_(fd_closep) = -1;
        struct stat st;
        char *room;

        fd = open(path, OPEN_TO_LOOK);
        if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
            st.st_uid != geteuid() || st.st_size > DOTLOCK_TEXT_MAX)
                return false;
        if (buf_reserve(text, (size_t)st.st_size, &room) != 0 ||
            file_pread_all(fd, room, (size_t)st.st_size, 0) != 0)
                return false;
        buf_commit(text, (size_t)st.st_size);
        return true;
}

/* Do the bytes from OFFSET on begin with the line, as far as they go, without another behind it? */
static bool is_one_message(int fd, uint64_t offset, Str from_line) {
        char block[8192];
        size_t n_kept = 0;
        bool first = true;
        ssize_t n;

        while ((n = pread(fd, block + n_kept, sizeof(block) - n_kept, (off_t)offset)) > 0) {
                Str text = str_from(block, n_kept + (size_t)n);

                offset += (uint64_t)n;
                if (first && !str_has_prefix(from_line, str_first(text, from_line.len)))
                        return false;
                if (memmem(text.data, text.len, from_.data, from_.len))
                        return false;
                first = false;
                n_kept = size_min(text.len, from_.len - 1);
                memmove(block, text.data + text.len - n_kept, n_kept);
        }
        return n == 0;
}

/* Is what stands in the mailbox behind the journal's SIZE what its dead maker wrote? */
static bool is_half_written(const DotlockMailbox *mailbox, const DotlockJournal *journal) {
        int fd _cleanup_(fd_closep) = -1;
        struct stat st;

        if (!journal->of_this_boot || (uint64_t)mailbox->st->st_size <= journal->size ||
            mailbox->st->st_nlink != 1)
                return false;
        fd = open(mailbox->path, OPEN_TO_LOOK); /* the descriptor that we have is for writing */
        if (fd < 0 || fstat(fd, &st) != 0 || st.st_dev != mailbox->st->st_dev ||
            st.st_ino != mailbox->st->st_ino)
                return false;
        return is_one_message(fd, journal->size, journal->from_line);
}

/*
 * A user may be called "joe.lock", and joe's lock file then has the name of his mailbox. TEXT is
 * what is in it, if it is ours to read.
 */
static bool is_mailbox(const char *path, const struct stat *st, Str text) {
        LocalUser user _cleanup_(local_user_deinit) = { 0 };

        if (st->st_size > FOREIGN_LOCK_MAX || str_has_prefix(text, str_skip(from_, 1)))
                return true;
        if (st->st_uid == 0 || st->st_uid == geteuid())
                return false;
        return local_user_find(str_from_cstr(strrchr(path, '/') + 1), &user) == 0 &&
               user.uid == st->st_uid;
}

static int remove_lock(const char *path) {
        /* Where it cannot be removed (another's, in a sticky directory) it stays a lock. */
        return unlink(path) == 0 || errno == ENOENT ? 0 : DOTLOCK_E_TAKEN;
}

int dotlock_break(const char *path, const DotlockMailbox *mailbox) {
        Buf text _cleanup_(buf_deinit) = BUF_INIT(DOTLOCK_TEXT_MAX);
        DotlockJournal journal;
        bool is_ours, is_old;
        struct stat st;

        if (lstat(path, &st) != 0)
                return errno == ENOENT ? 0 : DOTLOCK_E_TAKEN;
        is_old = clock_realtime_usec() >
                 usec_add((usec_t)st.st_ctim.tv_sec * USEC_PER_SEC, mailbox->stale_usec);
        is_ours = read_own(path, &text) && dotlock_parse(buf_str(&text), &journal);
        if (is_ours && journal.inode == (uint64_t)mailbox->st->st_ino &&
            (mailbox->kernel_locked || is_old)) {
                if (is_half_written(mailbox, &journal) &&
                    ftruncate(mailbox->fd, (off_t)journal.size) != 0)
                        return -errno;
                return remove_lock(path);
        }
        if (!is_ours && is_mailbox(path, &st, buf_str(&text)))
                return DOTLOCK_E_NO_LOCK;
        return is_old ? remove_lock(path) : DOTLOCK_E_TAKEN;
}
