/* The file of an index: its name, and its way into its place. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/durable-file.h"
#include "common/base/file.h"
#include "common/mail/table-index-entries.h"
#include "common/mail/table-seal.h"

#define LEFTOVER_SECONDS 3600
#define CHUNK_BYTES      ((size_t)256 * 1024)

int index_file_append_name(Str source, Buf *ret) {
        for (size_t i = 0; i < source.len; i++)
                switch (source.data[i]) {
                case '/':
                        (void)buf_append_char(ret, '%');
                        break;
                case '%':
                        (void)buf_append_cstr(ret, "\\x25");
                        break;
                case '\\':
                        (void)buf_append_cstr(ret, "\\x5c");
                        break;
                default:
                        (void)buf_append_char(ret, source.data[i]);
                }
        (void)buf_append_cstr(ret, ".tdb");
        return ret->error;
}

int index_file_copy(int from_fd, off_t len, int to_fd) {
        _cleanup_(freep) char *chunk = malloc(CHUNK_BYTES);
        int r = 0;

        if (!chunk)
                return -ENOMEM;
        for (off_t offset = 0; offset < len && r == 0; offset += (off_t)CHUNK_BYTES) {
                size_t n = size_min((size_t)(len - offset), CHUNK_BYTES);

                r = file_pread_all(from_fd, chunk, n, offset);
                if (r == 0)
                        r = file_pwrite_all(to_fd, chunk, n, offset);
        }
        return r <= 0 ? r : -EIO;
}

/*
 * Whose commands an alias file runs, and who may read passwords, its owner and mode decide. The
 * mode first: only an owner may change it.
 */
static int copy_owner_and_mode(const struct stat *st, bool is_private, int fd) {
        if (fchmod(fd, st->st_mode & (is_private ? 0600 : 0644)) < 0 ||
            fchown(fd, st->st_uid, st->st_gid) < 0)
                return -errno;
        return 0;
}

int index_file_install(int fd, const struct stat *st, bool is_private, int dir_fd,
                       const char *name) {
        _cleanup_(durable_file_freep) DurableFile *file = NULL;
        struct stat sealed;
        int r;

        r = table_seal_write(fd);
        if (r == 0 && fstat(fd, &sealed) < 0)
                r = -errno;
        if (r == 0 && sealed.st_size > TABLE_INDEX_MAX_BYTES)
                r = -EFBIG;
        if (r == 0)
                r = durable_file_new(dir_fd, 0600, &file);
        if (r == 0)
                r = index_file_copy(fd, sealed.st_size, durable_file_fd(file));
        if (r == 0)
                r = copy_owner_and_mode(st, is_private, durable_file_fd(file));
        if (r == 0)
                r = durable_file_replace(file, name);
        if (r == 0)
                r = durable_file_commit(file);
        return r;
}

static bool is_leftover_name(Str name) {
        return name.len > 5 && name.data[0] == '.' && str_has_suffix(name, STR(".tmp"));
}

void index_file_remove_leftovers(int dir_fd) {
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        time_t now = (time_t)(clock_realtime_usec() / USEC_PER_SEC);
        struct dirent *entry;
        struct stat st;
        DIR *dir;

        if (fd < 0)
                return;
        dir = fdopendir(fd);
        if (!dir) {
                (void)close(fd);
                return;
        }
        while ((entry = readdir(dir)))
                if (is_leftover_name(str_from_cstr(entry->d_name)) &&
                    fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
                    S_ISREG(st.st_mode) && st.st_mtim.tv_sec < now - LEFTOVER_SECONDS)
                        (void)unlinkat(dir_fd, entry->d_name, 0);
        (void)closedir(dir);
}
