/* Content in memory: read, replaced by a newer one, kept where the newer one is none. */

#include "common/mail/table-content.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mail/table-file.h"
#include "common/mail/table-follow.h"

#define BUSY_PAUSE_USEC (10 * USEC_PER_SEC)
#define ERROR_MAX_BYTES 256

typedef struct TableContent {
        const TableContentType *type;
        void *content; /* NULL: ERROR says why */
        bool is_fixed; /* of the configuration */

        bool is_missing; /* and may be: CONTENT is that of an empty source */
        TableStamp stamp;
        uid_t owner;    /* of the file that CONTENT is of */
        bool was_quiet; /* when it was read; if not, the same stamp may stand for more */
        TableFollow follow;
        usec_t wait_again_usec; /* after a source that did not come to rest */

        char error[ERROR_MAX_BYTES];
        TableStamp warned; /* TableIndexer.kept() was told of this state */
        char warned_error[ERROR_MAX_BYTES];
} TableContent;

/* ---- a text in the configuration ---- */

/* "{line} {line}" to lines. False, with a reason. */
static bool join_lines(Str rest, Buf *ret, const char **ret_reason) {
        Str word;

        *ret_reason = NULL;
        while (!*ret_reason && table_next_word(&rest, &word, ret_reason)) {
                if (word.data[0] != '{')
                        *ret_reason = "a line that is not in braces";
                else if (table_braced_len(word) != word.len)
                        *ret_reason = "text behind a closing brace";
                (void)buf_append_str(ret, table_unbrace(word));
                (void)buf_append_char(ret, '\n');
        }
        return *ret_reason == NULL;
}

static int open_inline(TableContent *content, Str name, const char **ret_reason) {
        static char reason[ERROR_MAX_BYTES];
        _cleanup_(buf_deinit) Buf text = BUF_INIT(2 * name.len);
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES - 1);
        int r;

        content->is_fixed = true;
        if (table_braced_len(name) != name.len) {
                *ret_reason = "no closing brace, or text behind it";
                return TABLE_E_SYNTAX;
        }
        if (!join_lines(str_first(str_skip(name, 1), name.len - 2), &text, ret_reason))
                return TABLE_E_SYNTAX;
        if (text.error != 0)
                return -ENOMEM;
        r = content->type->parse(buf_str(&text), &content->content, &error);
        if (r == TABLE_E_SYNTAX) {
                (void)snprintf(reason, sizeof(reason), "%.*s", STR_FMT(buf_str(&error)));
                *ret_reason = reason;
        }
        return r;
}

int table_content_open(Table *table, Str name, const TableContentType *type,
                       const char **ret_reason) {
        TableContent *content;

        if (name.data[0] != '/' && !(type->may_be_inline && name.data[0] == '{')) {
                *ret_reason = "not an absolute path";
                return TABLE_E_SYNTAX;
        }
        content = calloc(1, sizeof(*content));
        if (!content)
                return -ENOMEM;
        content->type = type;
        table->data = content;
        return name.data[0] == '{' ? open_inline(content, name, ret_reason) : 0;
}

/* ---- a source ---- */

static void drop(TableContent *content) {
        if (content->content)
                content->type->free(content->content);
        content->content = NULL;
        content->is_missing = false;
}

/* The source cannot be used as it is: the old content goes on being, said once for each change. */
static void keep(const Table *table, TableContent *content, Str error) {
        const TableIndexer *indexer = table->context.indexer;

        (void)snprintf(content->error, sizeof(content->error), "%.*s", STR_FMT(error));
        if (!content->content || !indexer || !indexer->kept ||
            (table_stamp_equal(&content->warned, &content->stamp) &&
             strcmp(content->warned_error, content->error) == 0))
                return;
        content->warned = content->stamp;
        (void)snprintf(content->warned_error, sizeof(content->warned_error), "%s", content->error);
        indexer->kept(indexer->context, table_spec(table), str_from_cstr(content->error));
}

/* It cannot be looked at or read. A file that is gone takes its content along. */
static void fail(const Table *table, TableContent *content, int error) {
        content->stamp = (TableStamp){ 0 };
        content->was_quiet = false;
        if (error == ENOENT)
                drop(content);
        keep(table, content, str_from_cstr(table_file_error(error)));
}

static bool is_quiet(const struct stat *st) {
        TableStamp stamp = table_stamp(st);

        return table_stamp_is_quiet(&stamp);
}

/* Read all of it anew. */
static void load(const Table *table, TableContent *content) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(TABLE_SOURCE_MAX_BYTES);
        _cleanup_(buf_deinit) Buf error = BUF_INIT(ERROR_MAX_BYTES - 1);
        void *fresh = NULL;
        bool was_quiet = false;
        struct stat st;
        int r;

        r = table_file_read(table->name.data, NULL, &text, &st);
        if (r == -EBUSY && content->content)
                return;
        if (r == 0) /* before it is parsed, which may take its time */
                was_quiet = is_quiet(&st);
        if (r == 0)
                r = content->type->parse(buf_str(&text), &fresh, &error);
        if (r < 0) {
                fail(table, content, -r);
                return;
        }
        content->stamp = table_stamp(&st);
        content->was_quiet = was_quiet;
        if (r != 0) {
                keep(table, content, buf_str(&error));
                return;
        }
        drop(content);
        content->content = fresh;
        content->owner = st.st_uid;
        content->warned_error[0] = '\0';
}

/* Is the source as it was when it was read? */
static bool is_current(const TableContent *content, const struct stat *st) {
        TableStamp stamp = table_stamp(st);

        return content->was_quiet && table_stamp_equal(&stamp, &content->stamp);
}

/* The state of the source, waited for where that is allowed. 0 or negative errno. */
static int look(const Table *table, TableContent *content, struct stat *ret_st) {
        usec_t now = clock_monotonic_usec();
        int r = table_file_stat(table->name.data, NULL, ret_st);
        bool is_held = content->content != NULL;
        bool is_changing = r == -ENOENT
                                   ? is_held && !content->is_missing
                                   : r == 0 && !is_current(content, ret_st) && !is_quiet(ret_st);

        if (!is_changing || !table->context.indexer || now < content->wait_again_usec)
                return is_changing && r == 0 && (is_held || table->context.indexer) ? -EBUSY : r;
        r = table_file_wait(table->name.data, NULL, TABLE_WAIT_USEC, ret_st);
        if (r == -EBUSY)
                content->wait_again_usec = usec_add(clock_monotonic_usec(), BUSY_PAUSE_USEC);
        return r;
}

/* What a source that is not there, and may be so, holds. */
static void load_nothing(TableContent *content) {
        Buf error = BUF_INIT(0);

        if (content->type->parse(STR_NULL, &content->content, &error) == 0)
                content->is_missing = true;
        buf_deinit(&error);
}

static void refresh(const Table *table, TableContent *content) {
        struct stat st;
        int r;

        if (content->is_fixed ||
            !table_follow_is_due(&content->follow, &table->context, clock_monotonic_usec(), false))
                return;
        table_follow_begin(&content->follow, &table->context, table->name);
        r = look(table, content, &st);
        table_follow_end(&content->follow, TABLE_SOURCE_CHECK_USEC, r == 0 && is_quiet(&st));
        if (r == -EBUSY && content->content)
                return;
        if (content->is_missing)
                drop(content);
        if (r < 0)
                fail(table, content, -r);
        else if (!is_current(content, &st))
                load(table, content);
        if (r == -ENOENT && table->missing_is_empty)
                load_nothing(content);
}

void *table_content_get(Table *table) {
        TableContent *content = table->data;

        refresh(table, content);
        if (content->content && !content->is_missing)
                table_set_owner(table, content->is_fixed ? 0 : content->owner);
        return content->content;
}

const char *table_content_error(const Table *table) {
        return ((const TableContent *)table->data)->error;
}

void table_content_reply_error(const Table *table, TableReply reply, void *userdata) {
        table_reply_error(reply, userdata, "%.*s: %s", TABLE_SPEC_SHOWN, table->spec,
                          table_content_error(table));
}

void table_content_close(Table *table) {
        TableContent *content = table->data;

        drop(content);
        free(content);
}
