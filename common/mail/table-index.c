/*
 * Makes the index of a source: tdb in anonymous memory (fast, and a full disk shows as an error
 * of write, not as SIGBUS), sealed, copied to a nameless file in the index directory, given the
 * source's owner and mode, synced, renamed into place. Until the rename nothing is visible; where
 * anything fails the old index stays.
 */

#include "common/mail/table-index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/durable-file.h"
#include "common/base/file.h"
#include "common/mail/table-seal.h"
#include "common/mail/table-tdb-lib.h"

#define NAME_MAX_BYTES   255
#define LEFTOVER_SECONDS 3600
#define CHUNK_BYTES      ((size_t)64 * 1024)
#define TICK_USEC        (20 * USEC_PER_MSEC)

/* Chains of the tdb: about one entry each. */
#define HASH_SIZE_MIN 127
#define HASH_SIZE_MAX 1000003

static int append_index_name(Str source, Buf *ret) {
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

int table_index_path(const char *index_dir, Str source, Buf *ret) {
        (void)buf_append_cstr(ret, index_dir);
        (void)buf_append_char(ret, '/');
        return append_index_name(source, ret);
}

static int fail_source(TableIndexResult *result, int error) {
        result->source_error = error;
        return TABLE_INDEX_E_SOURCE;
}

static int hash_size(Str text) {
        size_t n_lines = 0;

        for (size_t i = 0; i < text.len; i++)
                n_lines += text.data[i] == '\n';
        return (int)size_min(size_max(n_lines | 1, HASH_SIZE_MIN), HASH_SIZE_MAX);
}

static void ignore_log(struct tdb_context *db, enum tdb_debug_level level, const char *format,
                       ...) {
}

/* FLAG: TDB_INSERT (-EEXIST when KEY is there) or TDB_REPLACE. */
static int store(struct tdb_context *db, Str key, Str value, int flag) {
        if (tdb_store(db, table_tdb_data(key), table_tdb_data(value), flag) == 0)
                return 0;
        switch (tdb_error(db)) {
        case TDB_ERR_EXISTS:
                return -EEXIST;
        case TDB_ERR_OOM:
                return -ENOMEM;
        case TDB_ERR_IO:
                return errno != 0 ? -errno : -EIO;
        default:
                return -EIO;
        }
}

/* What build() works on. */
typedef struct Work {
        const TableIndexJob *job;
        struct stat st;
        Buf text;
        TableIndexResult *result;
} Work;

static int store_about(struct tdb_context *db, const Work *work) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TABLE_KEY_MAX + TABLE_ABOUT_MAX_BYTES);
        const TableAbout about = {
                .syntax = work->job->syntax,
                .last_counts = work->job->last_counts,
                .stamp = table_stamp(&work->st),
                .source = str_from_cstr(work->job->source),
        };

        if (table_about_append(&about, &text) != 0)
                return -ENAMETOOLONG;
        return store(db, TABLE_ABOUT_KEY, buf_str(&text), TDB_INSERT);
}

static int store_entry(struct tdb_context *db, const Work *work, Str key, Str value) {
        TableIndexResult *result = work->result;
        int r = store(db, key, value, TDB_INSERT);

        if (r == -EEXIST) {
                result->n_duplicates++;
                return work->job->last_counts ? store(db, key, value, TDB_REPLACE) : 0;
        }
        result->n_entries += r == 0;
        result->total_bytes += r == 0 ? key.len + value.len : 0;
        result->longest_bytes = size_max(result->longest_bytes, value.len);
        return r;
}

static int store_entries(struct tdb_context *db, const Work *work) {
        _cleanup_(table_source_freep) TableSource *source = NULL;
        uint64_t line = 0;
        Str value;
        Str key;
        int r;

        r = table_source_new(buf_str(&work->text), work->job->syntax, &source);
        while (r == 0) {
                r = table_source_next(source, &key, &value, &line);
                if (r == 0)
                        r = store_entry(db, work, key, value);
        }
        if (r == TABLE_INDEX_E_SYNTAX) {
                work->result->error_line = line;
                work->result->reason = table_source_reason(source);
        }
        return r == TABLE_SOURCE_E_END ? 0 : r;
}

/* Fill the empty file FD with the tdb. */
static int write_tdb(const Work *work, int fd) {
        static const struct tdb_logging_context quiet = { .log_fn = ignore_log };
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
        struct tdb_context *db;
        int r;

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        db = tdb_open_ex(path, hash_size(buf_str(&work->text)),
                         TDB_NOLOCK | TDB_NOSYNC | TDB_INCOMPATIBLE_HASH,
                         O_RDWR | O_CREAT | O_CLOEXEC, 0600, &quiet, NULL);
        if (!db)
                return errno != 0 ? -errno : -EIO;
        r = store_about(db, work);
        if (r == 0)
                r = store_entries(db, work);
        if (tdb_close(db) != 0 && r == 0)
                r = -EIO;
        return r;
}

static int copy_file(int from_fd, int to_fd) {
        _cleanup_(freep) char *chunk = malloc(CHUNK_BYTES);
        struct stat st;
        int r = 0;

        if (!chunk)
                return -ENOMEM;
        if (fstat(from_fd, &st) < 0)
                return -errno;
        for (off_t offset = 0; offset < st.st_size && r == 0; offset += (off_t)CHUNK_BYTES) {
                size_t len = size_min((size_t)(st.st_size - offset), CHUNK_BYTES);

                r = file_pread_all(from_fd, chunk, len, offset);
                if (r == 0)
                        r = file_pwrite_all(to_fd, chunk, len, offset);
        }
        return r <= 0 ? r : -EIO;
}

/*
 * Whose commands an alias file runs, and who may read passwords, its owner and mode decide. The
 * mode first: only an owner may change it.
 */
static int copy_owner_and_mode(const struct stat *st, int fd) {
        if (fchmod(fd, st->st_mode & 0644) < 0 || fchown(fd, st->st_uid, st->st_gid) < 0)
                return -errno;
        return 0;
}

static int install(const Work *work, int from_fd, int dir_fd, const char *name) {
        _cleanup_(durable_file_freep) DurableFile *file = NULL;
        int r;

        r = durable_file_new(dir_fd, 0600, &file);
        if (r == 0)
                r = copy_file(from_fd, durable_file_fd(file));
        if (r == 0)
                r = copy_owner_and_mode(&work->st, durable_file_fd(file));
        if (r == 0)
                r = durable_file_replace(file, name);
        if (r == 0)
                r = durable_file_commit(file);
        return r;
}

static bool is_leftover_name(Str name) {
        return name.len > 5 && name.data[0] == '.' && str_has_suffix(name, STR(".tmp"));
}

/* Remove what builds that were killed left; failures do not matter. */
static void remove_leftovers(int dir_fd) {
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

/*
 * A write in the same tick of the file system's clock as the one before would leave the time as it
 * is, and the index would be taken for new for ever: read only when such a tick is over.
 */
static void let_tick_pass(const TableIndexJob *job) {
        struct stat st;
        TableStamp stamp;

        if (stat(job->source, &st) < 0)
                return;
        stamp = table_stamp(&st);
        (void)poll(NULL, 0, (int)(table_stamp_unquiet_usec(&stamp, TICK_USEC) / USEC_PER_MSEC) + 1);
}

static int build(Work *work, int dir_fd, const char *name) {
        _cleanup_(fd_closep) int fd = -1;
        int r;

        let_tick_pass(work->job);
        r = table_file_read(work->job->source, work->job->owner, &work->text, &work->st);
        if (r < 0)
                return r == -ENOMEM ? r : fail_source(work->result, -r);
        fd = memfd_create("unitpost-index", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = write_tdb(work, fd);
        if (r == 0)
                r = table_seal_write(fd);
        if (r == 0)
                r = install(work, fd, dir_fd, name);
        work->result->is_built = r == 0;
        return r;
}

static const char *directory_of(const char *index_dir) {
        return index_dir ? index_dir : TABLE_INDEX_DIR;
}

int table_index_build(const TableIndexJob *job, TableIndexResult *ret) {
        _cleanup_(fd_closep) int dir_fd = file_open_dir(AT_FDCWD, directory_of(job->index_dir));
        _cleanup_(buf_deinit) Buf name = BUF_INIT(NAME_MAX_BYTES + 1);
        Work work = {
                .job = job,
                .text = BUF_INIT(TABLE_SOURCE_MAX_BYTES),
                .result = ret,
        };
        int r;

        *ret = (TableIndexResult){ 0 };
        if (dir_fd < 0)
                return dir_fd;
        (void)append_index_name(str_from_cstr(job->source), &name);
        if (job->source[0] != '/' || !buf_cstr(&name))
                return fail_source(ret, job->source[0] != '/' ? EINVAL : ENAMETOOLONG);
        remove_leftovers(dir_fd);
        r = build(&work, dir_fd, buf_cstr(&name));
        buf_deinit(&work.text);
        return r;
}

/* Is the index of the state that the source is in? Takes over how it was built. */
static bool is_current(TableIndexJob *job) {
        struct stat st;
        TableAbout about;
        TableStamp stamp;

        if (table_index_about(directory_of(job->index_dir), job->source, &about) != 0)
                return false;
        job->syntax = about.syntax;
        job->last_counts = about.last_counts;
        if (table_file_stat(job->source, job->owner, &st) < 0)
                return false;
        stamp = table_stamp(&st);
        return table_stamp_equal(&stamp, &about.stamp);
}

int table_index_refresh(const TableIndexJob *job, usec_t max_wait_usec, TableIndexResult *ret) {
        usec_t until = usec_add(clock_monotonic_usec(), max_wait_usec);
        TableIndexJob actual = *job;
        struct stat st;
        int r;

        for (;;) {
                *ret = (TableIndexResult){ 0 };
                if (is_current(&actual))
                        return 0;
                r = table_file_wait(job->source, job->owner,
                                    usec_sub(until, clock_monotonic_usec()), &st);
                if (r < 0)
                        return fail_source(ret, -r);
                /* Two were waiting for the same moment, and the other one was faster? */
                if (is_current(&actual))
                        return 0;
                r = table_index_build(&actual, ret);
                if (r != TABLE_INDEX_E_SOURCE || ret->source_error != EBUSY)
                        return r;
        }
}

int table_index_remove(const char *index_dir, const char *source) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(2 * TABLE_KEY_MAX);

        if (table_index_path(directory_of(index_dir), str_from_cstr(source), &path) != 0 ||
            !buf_cstr(&path))
                return -ENAMETOOLONG;
        return unlink(buf_cstr(&path)) < 0 && errno != ENOENT ? -errno : 0;
}
