#include "common/mail/match-list.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/file.h"

#define ENTRY_SHOWN_BYTES 256
#define FILE_DEPTH_MAX    10 /* of files that name files: more is a circle */
#define FILE_MAX_BYTES    ((size_t)16 * 1024 * 1024)

typedef struct MatchEntry {
        bool negated;
        int error;    /* TEXT is a file that cannot be read, and why: what file_read() said */
        Table *table; /* or NULL: TEXT is a name */
        char *text;
} MatchEntry;

struct MatchList {
        MatchStyle style;
        const TableContext *tables; /* while it is made */
        MatchEntry *entries;
        size_t n;
        size_t n_allocated;
};

static int add_text(MatchList *list, Str text, bool negated, unsigned depth, Buf *error);

static void describe(Buf *error, Str entry, Str reason) {
        (void)buf_append_clipped(error, str_first(entry, ENTRY_SHOWN_BYTES));
        (void)buf_append_clipped(error, STR(": "));
        (void)buf_append_clipped(error, reason);
}

static int complain(Buf *error, Str entry, const char *reason) {
        describe(error, entry, str_from_cstr(reason));
        return MATCH_LIST_E_SYNTAX;
}

/* Room for one more entry, which is the list's already when this returns. */
static int append_entry(MatchList *list, Str text, bool negated, MatchEntry **ret) {
        if (list->n == list->n_allocated) {
                size_t n = size_max(8, 2 * list->n_allocated);
                MatchEntry *entries = reallocarray(list->entries, n, sizeof(*entries));

                if (!entries)
                        return -ENOMEM;
                list->entries = entries;
                list->n_allocated = n;
        }
        *ret = &list->entries[list->n];
        **ret = (MatchEntry){ .negated = negated, .text = str_dup(text) };
        if (!(*ret)->text)
                return -ENOMEM;
        list->n++;
        return 0;
}

/* Comment lines out; the rest is one text of words. */
static int add_lines(MatchList *list, Str content, bool negated, unsigned depth, Buf *error) {
        Str line;
        int r = 0;

        while (r == 0 && str_next_part(&content, '\n', &line))
                if (!str_has_prefix(line, STR("#")))
                        r = add_text(list, line, negated, depth, error);
        return r;
}

static int add_file(MatchList *list, Str path, bool negated, unsigned depth, Buf *error) {
        _cleanup_(buf_deinit) Buf content = BUF_INIT(FILE_MAX_BYTES);
        _cleanup_(freep) char *name = str_dup(path);
        MatchEntry *entry;
        int r;

        if (depth == FILE_DEPTH_MAX)
                return complain(error, path, "files that name files, too many levels");
        if (!name)
                return -ENOMEM;
        r = file_read(AT_FDCWD, name, &content);
        if (r == 0)
                return add_lines(list, buf_str(&content), negated, depth + 1, error);
        if (r == -ENOMEM || append_entry(list, path, negated, &entry) != 0)
                return -ENOMEM;
        entry->error = r;
        return 0;
}

static int add_entry(MatchList *list, Str text, bool negated, Buf *error) {
        const char *reason = NULL;
        MatchEntry *entry;
        int r;

        r = append_entry(list, text, negated, &entry);
        if (r != 0 || !str_contains(text, ':') || str_has_prefix(text, STR("[")))
                return r;
        r = table_new(text, list->tables, &entry->table, &reason);
        return r > 0 ? complain(error, text, reason) : r;
}

static int add_text(MatchList *list, Str text, bool negated, unsigned depth, Buf *error) {
        const char *reason = NULL;
        Str word;
        int r = 0;

        while (r == 0 && table_next_word(&text, &word, &reason)) {
                bool is_not = negated;

                for (; str_has_prefix(word, STR("!")); word = str_skip(word, 1))
                        is_not = !is_not;
                if (str_is_empty(word))
                        return complain(error, STR("!"), "nothing behind it");
                if (word.data[0] == '/')
                        r = add_file(list, word, is_not, depth, error);
                else
                        r = add_entry(list, word, is_not, error);
        }
        return r == 0 && reason ? complain(error, text, reason) : r;
}

int match_list_new(Str text, MatchStyle style, const TableContext *tables, MatchList **ret,
                   Buf *error) {
        _cleanup_(match_list_freep) MatchList *list = calloc(1, sizeof(*list));
        int r;

        if (!list)
                return -ENOMEM;
        list->style = style;
        list->tables = tables;
        r = add_text(list, text, false, 0, error);
        list->tables = NULL;
        if (r == 0)
                *ret = TAKE_PTR(list);
        return r;
}

MatchList *match_list_free(MatchList *list) {
        if (!list)
                return NULL;
        for (size_t i = 0; i < list->n; i++) {
                table_free(list->entries[i].table);
                free(list->entries[i].text);
        }
        free(list->entries);
        free(list);
        return NULL;
}

/* ---- matching ---- */

static TableResult ask_table(Table *table, const TableQuestion *question, Buf *error) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        TableResult result = table_ask(table, question, &value);

        if (result == TABLE_ERROR)
                describe(error, table_spec(table), buf_str(&value));
        return result;
}

/* The name, then ".parent" or "parent" for each of its parents. */
static TableResult find_in_table(const MatchList *list, Table *table, TableQuestion question,
                                 Buf *error) {
        TableResult result = ask_table(table, &question, error);
        Str name = question.key;

        question.is_partial = true;
        while (list->style != MATCH_NAMES && result == TABLE_NOT_FOUND) {
                size_t dot = str_find(str_skip(name, 1), '.') + 1;

                if (dot >= name.len)
                        break;
                name = str_skip(name, dot);
                question.key = list->style == MATCH_PARENT_DOMAINS ? str_skip(name, 1) : name;
                result = ask_table(table, &question, error);
        }
        return result;
}

static bool is_below(Str name, Str parent, char before) {
        size_t n = name.len - parent.len;

        return name.len > parent.len && str_equal_nocase(str_skip(name, n), parent) &&
               (before == '\0' || name.data[n - 1] == before);
}

static bool name_fits(const MatchList *list, Str pattern, Str name) {
        if (str_equal_nocase(pattern, name))
                return true;
        if (list->style == MATCH_PARENT_DOMAINS)
                return is_below(name, pattern, '.');
        return list->style == MATCH_DOMAINS && str_has_prefix(pattern, STR(".")) &&
               is_below(name, pattern, '\0');
}

static TableResult fail_entry(const MatchEntry *entry, Buf *error) {
        const char *why =
                entry->error < 0 ? strerror(-entry->error) : "not a file of at most 16 MiB";

        describe(error, str_from_cstr(entry->text), str_from_cstr(why));
        return TABLE_ERROR;
}

TableResult match_list_find(const MatchList *list, Str name, TableAnswers *answers, Buf *error) {
        const TableQuestion question = { .key = name, .answers = answers };

        for (size_t i = 0; i < list->n; i++) {
                const MatchEntry *entry = &list->entries[i];
                TableResult result = TABLE_NOT_FOUND;

                if (entry->error)
                        return fail_entry(entry, error);
                if (entry->table)
                        result = find_in_table(list, entry->table, question, error);
                else if (name_fits(list, str_from_cstr(entry->text), name))
                        result = TABLE_FOUND;
                if (result == TABLE_FOUND && entry->negated)
                        return TABLE_NOT_FOUND;
                if (result != TABLE_NOT_FOUND)
                        return result;
        }
        return TABLE_NOT_FOUND;
}
