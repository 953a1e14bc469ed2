/*
 * Makes the index of a source: tdb in anonymous memory (fast, and a full disk shows as an error
 * of write, not as SIGBUS), sealed, copied to a nameless file in the index directory, given the
 * source's owner and mode, synced, renamed into place. Until the rename nothing is visible; where
 * anything fails the old index stays.
 */

#include "common/mail/table-index.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/mail/table-index-entries.h"

#define NAME_MAX_BYTES 255
#define TICK_USEC      (20 * USEC_PER_MSEC)

static const char *directory_of(const char *index_dir) {
        return index_dir ? index_dir : TABLE_INDEX_DIR;
}

int table_index_path(const char *index_dir, Str source, Buf *ret) {
        (void)buf_append_cstr(ret, index_dir);
        (void)buf_append_char(ret, '/');
        return index_file_append_name(source, ret);
}

static int fail_source(TableIndexResult *result, int error) {
        result->source_error = error;
        return TABLE_INDEX_E_SOURCE;
}

/* What build() works on. */
typedef struct Work {
        const TableIndexJob *job;
        struct stat st;
        Buf text;
        TableIndexResult *result;
} Work;

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

static size_t count_lines(Str text) {
        size_t n = 0;

        for (size_t i = 0; i < text.len; i++)
                n += text.data[i] == '\n';
        return n;
}

/* Values may name files of the source's owner; those of root's sources, files of anybody. */
static const uid_t *files_owner(const Work *work) {
        if (work->job->owner || work->job->takes_any_files)
                return work->job->owner;
        return work->st.st_uid == 0 ? NULL : &work->st.st_uid;
}

/* Fill the empty file FD with the tdb. */
static int write_tdb(const Work *work, int fd) {
        const IndexRules rules = {
                .syntax = work->job->syntax,
                .rules = work->job->rules,
                .files_owner = files_owner(work),
                .total_max_bytes =
                        2 * (work->job->owner ? TABLE_STRANGERS_MAX_BYTES : TABLE_SOURCE_MAX_BYTES),
        };
        const TableAbout about = {
                .syntax = work->job->syntax,
                .rules = work->job->rules,
                .stamp = table_stamp(&work->st),
                .source = str_from_cstr(work->job->source),
        };
        struct tdb_context *db;
        int r = index_entries_open(fd, count_lines(buf_str(&work->text)), &db);

        if (r < 0)
                return r;
        r = index_entries_set_about(db, &about);
        if (r == 0)
                r = index_entries_add(db, buf_str(&work->text), &rules, work->result);
        return index_entries_close(db, r);
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
                r = index_file_install(fd, &work->st, work->result->is_private, dir_fd, name);
        work->result->is_built = r == 0;
        return r;
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
        (void)index_file_append_name(str_from_cstr(job->source), &name);
        if (job->source[0] != '/' || !buf_cstr(&name))
                return fail_source(ret, job->source[0] != '/' ? EINVAL : ENAMETOOLONG);
        index_file_remove_leftovers(dir_fd);
        r = build(&work, dir_fd, buf_cstr(&name));
        buf_deinit(&work.text);
        return r;
}

/* Is the index of the state that the source is in? Takes over how it was built. */
static bool is_current(TableIndexJob *job, bool *ret_is_damaged) {
        struct stat st;
        TableAbout about;
        TableStamp stamp;
        int r = table_index_about(directory_of(job->index_dir), job->source, &about);

        *ret_is_damaged = r == TABLE_INDEX_E_DAMAGED;
        if (r != 0)
                return false;
        job->syntax = about.syntax;
        job->rules = about.rules;
        if (table_file_stat(job->source, job->owner, &st) < 0)
                return false;
        stamp = table_stamp(&st);
        return table_stamp_equal(&stamp, &about.stamp);
}

int table_index_refresh(const TableIndexJob *job, usec_t max_wait_usec, TableIndexResult *ret) {
        usec_t until = usec_add(clock_monotonic_usec(), max_wait_usec);
        TableIndexJob actual = *job;
        bool is_damaged;
        struct stat st;
        int r;

        for (;;) {
                *ret = (TableIndexResult){ 0 };
                if (is_current(&actual, &is_damaged))
                        return 0;
                r = table_file_wait(job->source, job->owner,
                                    usec_sub(until, clock_monotonic_usec()), &st);
                if (r < 0)
                        return fail_source(ret, -r);
                /* Two were waiting for the same moment, and the other one was faster? */
                if (is_current(&actual, &is_damaged))
                        return 0;
                r = table_index_build(&actual, ret);
                ret->was_damaged = is_damaged;
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
