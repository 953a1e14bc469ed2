/* Lines to entries of a tdb. */

#include "common/mail/table-index-entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "common/base/base64.h"

/* Chains of the tdb: about one entry each. */
#define CHAINS_MIN 127
#define CHAINS_MAX 1000003

/* A value may name files that are this large together: in base64 they fit into a value. */
#define FILES_MAX_BYTES ((size_t)TABLE_VALUE_MAX / 4 * 3)

static void ignore_log(struct tdb_context *db, enum tdb_debug_level level, const char *format,
                       ...) {
}

/* tdb opens files by name only; without locks and syncs, since nobody else sees this one. */
int index_entries_open(int fd, size_t n_chains, struct tdb_context **ret) {
        static const struct tdb_logging_context quiet = { .log_fn = ignore_log };
        char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];

        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n_chains = size_min(size_max(n_chains | 1, CHAINS_MIN), CHAINS_MAX);
        *ret = tdb_open_ex(path, (int)n_chains, TDB_NOLOCK | TDB_NOSYNC | TDB_INCOMPATIBLE_HASH,
                           O_RDWR | O_CREAT | O_CLOEXEC, 0600, &quiet, NULL);
        return *ret ? 0 : errno != 0 ? -errno : -EIO;
}

int index_entries_close(struct tdb_context *db, int r) {
        return tdb_close(db) != 0 && r == 0 ? -EIO : r;
}

static int error_of(struct tdb_context *db) {
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

/* FLAG: TDB_INSERT (-EEXIST when KEY is there) or TDB_REPLACE. */
static int store(struct tdb_context *db, Str key, Str value, int flag) {
        return tdb_store(db, table_tdb_data(key), table_tdb_data(value), flag) == 0 ? 0
                                                                                    : error_of(db);
}

int index_entries_set_about(struct tdb_context *db, const TableAbout *about) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TABLE_KEY_MAX + TABLE_ABOUT_MAX_BYTES);

        if (table_about_append(about, &text) != 0)
                return -ENAMETOOLONG;
        return store(db, TABLE_ABOUT_KEY, buf_str(&text), TDB_REPLACE);
}

static int store_entry(struct tdb_context *db, const IndexRules *rules, Str key, Str value,
                       TableIndexResult *result) {
        int r;

        if (result->total_bytes + key.len + value.len > rules->total_max_bytes) {
                result->reason = "all entries together are too large";
                return TABLE_INDEX_E_SYNTAX;
        }
        r = store(db, key, value, TDB_INSERT);
        if (r == -EEXIST) {
                result->n_duplicates++;
                return rules->rules & TABLE_RULE_LAST_COUNTS ? store(db, key, value, TDB_REPLACE)
                                                             : 0;
        }
        result->n_entries += r == 0;
        result->total_bytes += r == 0 ? key.len + value.len : 0;
        result->longest_bytes = size_max(result->longest_bytes, value.len);
        return r;
}

/* Append the content of the file NAME. 0; negative errno; BUF_E_FULL. */
static int append_file(Str name, const uid_t *owner, Buf *ret, TableIndexResult *result) {
        _cleanup_(buf_deinit) Buf path = BUF_INIT(TABLE_KEY_MAX);
        struct stat st;
        int r;

        if (buf_append_str(&path, name) != 0 || !buf_cstr(&path))
                return -ENAMETOOLONG;
        r = table_file_read(buf_cstr(&path), owner, ret, &st);
        if (r == 0 && !(st.st_mode & S_IROTH))
                result->is_private = true;
        return r;
}

/* The content of the files that VALUE names, a newline between them, in base64. Text: why not. */
static const char *append_files(Str value, const uid_t *owner, Buf *ret, TableIndexResult *result) {
        _cleanup_(buf_deinit) Buf content = BUF_INIT(FILES_MAX_BYTES);
        Str name;
        int r = 0;

        for (bool is_first = true; r == 0 && str_next_word(&value, &name); is_first = false) {
                if (!str_has_prefix(name, STR("/")))
                        return "the name of a file is no absolute path";
                if (!is_first)
                        (void)buf_append_char(&content, '\n');
                r = append_file(name, owner, &content, result);
        }
        if (r == 0)
                r = content.error;
        if (r == 0)
                r = base64_append_encoded(buf_str(&content), ret);
        return r == 0 ? NULL : table_file_error(r == BUF_E_FULL ? EFBIG : -r);
}

/* Errors of a file are those of the line that names it. */
static int store_files(struct tdb_context *db, const IndexRules *rules, Str key, Str value,
                       TableIndexResult *result) {
        _cleanup_(buf_deinit) Buf content = BUF_INIT(TABLE_VALUE_MAX);

        result->reason = append_files(value, rules->files_owner, &content, result);
        return result->reason ? TABLE_INDEX_E_SYNTAX
                              : store_entry(db, rules, key, buf_str(&content), result);
}

int index_entries_add(struct tdb_context *db, Str text, const IndexRules *rules,
                      TableIndexResult *result) {
        _cleanup_(table_source_freep) TableSource *source = NULL;
        bool has_files = rules->rules & TABLE_RULE_FILE_VALUES;
        uint64_t line = 0;
        Str value;
        Str key;
        int r;

        r = table_source_new(text, rules->syntax, &source);
        if (r == 0)
                table_source_set_rules(source, rules->rules);
        while (r == 0) {
                r = table_source_next(source, &key, &value, &line);
                if (r == TABLE_INDEX_E_SYNTAX)
                        result->reason = table_source_reason(source);
                else if (r == 0)
                        r = has_files ? store_files(db, rules, key, value, result)
                                      : store_entry(db, rules, key, value, result);
        }
        if (r == TABLE_INDEX_E_SYNTAX)
                result->error_line = line;
        return r == TABLE_SOURCE_E_END ? 0 : r;
}

int index_entries_remove(struct tdb_context *db, Str key, bool *ret_was_there) {
        int r = tdb_delete(db, table_tdb_data(key)) == 0 ? 0 : error_of(db);

        *ret_was_there = r == 0;
        return r < 0 && tdb_error(db) == TDB_ERR_NOEXIST ? 0 : r;
}
