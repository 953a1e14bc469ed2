/*
 * Entries into an index by hand, and out of it. A copy of the index is changed and takes its place,
 * as a new one would: readers see the index before or after. Whoever edits holds a lock, since of
 * two copies that are changed at the same time one would be lost; who builds from a source does not
 * ask for it.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>

#include "common/base/file.h"
#include "common/mail/table-index-entries.h"
#include "common/mail/table-seal.h"

#define NAME_MAX_BYTES 255
#define LOCK_NAME      ".lock"

/* Chains of an index that begins empty: nobody knows how many entries it will have. */
#define N_CHAINS_NEW 10007

typedef struct Edit {
        const TableIndexJob *job;
        TableIndexResult *result;
        int dir_fd;
        int lock_fd;
        Buf name; /* of the index */
        struct stat st;
        TableAbout about;
        bool is_new;
        int fd; /* the copy */
        struct tdb_context *db;
} Edit;

#define EDIT_INIT ((Edit){ .dir_fd = -1, .lock_fd = -1, .fd = -1 })

static void edit_deinit(Edit *edit) {
        if (edit->db)
                (void)tdb_close(edit->db);
        fd_closep(&edit->fd);
        fd_closep(&edit->lock_fd);
        fd_closep(&edit->dir_fd);
        buf_deinit(&edit->name);
}

static int lock(Edit *edit, const char *index_dir) {
        edit->dir_fd = file_open_dir(AT_FDCWD, index_dir);
        if (edit->dir_fd < 0)
                return edit->dir_fd;
        edit->lock_fd = openat(edit->dir_fd, LOCK_NAME,
                               O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        return edit->lock_fd < 0 || flock(edit->lock_fd, LOCK_EX) < 0 ? -errno : 0;
}

/* Copy the index, less its seal. It was just looked at: what has its name now is whole. */
static int copy_index(Edit *edit) {
        _cleanup_(fd_closep) int fd =
                openat(edit->dir_fd, buf_cstr(&edit->name), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

        if (fd < 0 || fstat(fd, &edit->st) < 0)
                return -errno;
        if (edit->st.st_size < TABLE_SEAL_BYTES || edit->st.st_size > TABLE_INDEX_MAX_BYTES)
                return TABLE_INDEX_E_DAMAGED;
        return index_file_copy(fd, edit->st.st_size - TABLE_SEAL_BYTES, edit->fd);
}

/* Make the index as new as its source, if there is one. */
static int make_current(const TableIndexJob *job, TableIndexResult *result) {
        struct stat st;
        int r;

        *result = (TableIndexResult){ 0 };
        if (table_file_stat(job->source, NULL, &st) == -ENOENT)
                return 0;
        r = table_index_refresh(job, TABLE_WAIT_USEC, result);
        if (r == 0) /* only what is edited is told of */
                *result = (TableIndexResult){ 0 };
        return r;
}

/* As new as the source, where there is one, then open a copy; an empty one where there is none. */
static int edit_begin(Edit *edit, const TableIndexJob *job, TableIndexResult *result) {
        const char *index_dir = job->index_dir ? job->index_dir : TABLE_INDEX_DIR;
        int r;

        edit->job = job;
        edit->result = result;
        edit->name = BUF_INIT(NAME_MAX_BYTES + 1);
        r = index_file_append_name(str_from_cstr(job->source), &edit->name);
        if (r != 0 || !buf_cstr(&edit->name))
                return -ENAMETOOLONG;
        r = lock(edit, index_dir);
        if (r == 0)
                r = make_current(job, result);
        if (r == 0)
                r = table_index_about(index_dir, job->source, &edit->about);
        edit->fd = memfd_create("unitpost-index", MFD_CLOEXEC);
        if (edit->fd < 0)
                return -errno;
        edit->is_new = r == TABLE_INDEX_E_NONE;
        if (r == 0)
                r = copy_index(edit);
        return r;
}

/* Nobody's source: the index is root's, and everybody's to read. */
static void init_new(Edit *edit) {
        edit->st = (struct stat){ .st_mode = S_IFREG | 0644,
                                  .st_uid = geteuid(),
                                  .st_gid = getegid() };
        edit->about = (TableAbout){
                .syntax = edit->job->syntax,
                .rules = edit->job->rules,
                .source = str_from_cstr(edit->job->source),
        };
}

static int edit_end(Edit *edit, int r, bool is_changed) {
        struct tdb_context *db = TAKE_PTR(edit->db);

        r = index_entries_close(db, r);
        if (r == 0 && is_changed)
                r = index_file_install(edit->fd, &edit->st, edit->result->is_private, edit->dir_fd,
                                       buf_cstr(&edit->name));
        edit->result->is_built = r == 0 && is_changed;
        return r;
}

int table_index_add(const TableIndexJob *job, Str text, TableIndexResult *ret) {
        _cleanup_(edit_deinit) Edit edit = EDIT_INIT;
        const IndexRules rules = {
                .syntax = job->syntax,
                .rules = job->rules,
                .total_max_bytes = TABLE_SOURCE_MAX_BYTES,
        };
        int r = edit_begin(&edit, job, ret);

        if (r != 0 && !edit.is_new)
                return r;
        if (edit.is_new)
                init_new(&edit);
        r = index_entries_open(edit.fd, N_CHAINS_NEW, &edit.db);
        if (r == 0 && edit.is_new)
                r = index_entries_set_about(edit.db, &edit.about);
        if (r == 0)
                r = index_entries_add(edit.db, text, &rules, ret);
        return edit.db ? edit_end(&edit, r, true) : r;
}

static int remove_key(const Edit *edit, Str key, uint64_t *n) {
        char folded[TABLE_KEY_MAX];
        bool was_there;
        int r;

        if (key.len > sizeof(folded) || str_is_empty(key))
                return 0;
        for (size_t i = 0; i < key.len; i++)
                folded[i] = edit->job->rules & TABLE_RULE_KEEP_CASE ? key.data[i]
                                                                    : ascii_to_lower(key.data[i]);
        key = str_from(folded, key.len);
        /* Only the record about the index has such a key. */
        if (str_contains(key, '\0'))
                return 0;
        r = index_entries_remove(edit->db, key, &was_there);
        *n += was_there;
        return r;
}

int table_index_delete(const TableIndexJob *job, Str keys, TableIndexResult *ret, uint64_t *ret_n) {
        _cleanup_(edit_deinit) Edit edit = EDIT_INIT;
        int r = edit_begin(&edit, job, ret);
        Str key;

        *ret_n = 0;
        if (r == 0)
                r = index_entries_open(edit.fd, N_CHAINS_NEW, &edit.db);
        while (r == 0 && str_next_part(&keys, '\n', &key))
                r = remove_key(&edit, key, ret_n);
        return edit.db ? edit_end(&edit, r, *ret_n > 0) : r;
}
