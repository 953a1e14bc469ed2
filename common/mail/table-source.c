/*
 * Source text to entries, in the syntax of postmap(1) or of aliases(5). A line that is none is
 * reported with its number; Postfix leaves such a line out, which loses mail quietly.
 *
 * Values are raw: "|command", ":include:" and address lists are taken apart by who uses them.
 */

#include <errno.h>
#include <stdlib.h>

#include "common/mail/table-index.h"
#include "common/mail/table.h"

/* Room for the longest key, quoted, and the longest value. */
#define LOGICAL_MAX_BYTES ((size_t)TABLE_VALUE_MAX + 4 * TABLE_KEY_MAX)

struct TableSource {
        Str rest; /* borrowed */
        uint64_t n_lines;
        TableSyntax syntax;
        unsigned rules;
        Buf logical;
        char key[TABLE_KEY_MAX];
        size_t key_len;
        const char *reason;
};

int table_source_new(Str text, TableSyntax syntax, TableSource **ret) {
        TableSource *source = calloc(1, sizeof(*source));

        if (!source)
                return -ENOMEM;
        source->rest = text;
        source->syntax = syntax;
        source->logical = BUF_INIT(LOGICAL_MAX_BYTES);
        *ret = source;
        return 0;
}

TableSource *table_source_free(TableSource *source) {
        if (!source)
                return NULL;
        buf_deinit(&source->logical);
        free(source);
        return NULL;
}

void table_source_set_rules(TableSource *source, unsigned rules) {
        source->rules = rules;
}

const char *table_source_reason(const TableSource *source) {
        return source->reason;
}

static int fail(TableSource *source, const char *reason) {
        source->reason = reason;
        return TABLE_INDEX_E_SYNTAX;
}

static bool is_comment_or_empty(Str line) {
        line = str_trim(line);
        return str_is_empty(line) || line.data[0] == '#';
}

/* Collect one logical line: what begins with white space belongs to the line before it. */
static int read_logical_line(TableSource *source, uint64_t *ret_line) {
        buf_reset(&source->logical);
        while (!str_is_empty(source->rest)) {
                Str line = str_first(source->rest, str_find(source->rest, '\n'));
                bool skip = is_comment_or_empty(line);
                bool continues = !skip && ascii_is_space(line.data[0]);

                if (!skip && !continues && source->logical.len > 0)
                        return 0;
                source->rest = str_skip(source->rest, line.len + 1);
                source->n_lines++;
                if (skip)
                        continue;
                if (source->logical.len == 0)
                        *ret_line = source->n_lines;
                if (source->logical.len == 0 && continues)
                        return fail(source, "white space at its start, and no line before it");
                if (str_has_suffix(line, STR("\r")))
                        line.len--;
                if (buf_append_str(&source->logical, line) == BUF_E_FULL)
                        return fail(source, "line too long");
                if (source->logical.error != 0)
                        return source->logical.error;
        }
        return source->logical.len > 0 ? 0 : TABLE_SOURCE_E_END;
}

/* Bytes of the key at the start of LINE: to the first END (or white space) outside of quotes. */
static size_t key_len(Str line, bool ends_in_colon, bool *ret_is_open) {
        bool in_quotes = false;
        size_t i;

        for (i = 0; i < line.len; i++) {
                char c = line.data[i];

                if (c == '\\' && i + 1 < line.len)
                        i++;
                else if (c == '"')
                        in_quotes = !in_quotes;
                else if (!in_quotes && (ends_in_colon ? c == ':' : ascii_is_space(c)))
                        break;
        }
        *ret_is_open = in_quotes;
        return i;
}

/*
 * Copy a key, in lower case unless the rules say no; that of an alias without its quotes and
 * backslashes, that of a map with them, as an address has them: "john doe"@example.org.
 */
static int copy_key(TableSource *source, Str raw) {
        bool keeps_case = source->rules & TABLE_RULE_KEEP_CASE;
        bool keeps_quotes = source->syntax == TABLE_SYNTAX_MAP;

        source->key_len = 0;
        for (size_t i = 0; i < raw.len; i++) {
                if (!keeps_quotes && raw.data[i] == '"')
                        continue;
                if (!keeps_quotes && raw.data[i] == '\\' && i + 1 < raw.len)
                        i++;
                if (source->key_len >= sizeof(source->key))
                        return fail(source, "key too long");
                source->key[source->key_len++] =
                        keeps_case ? raw.data[i] : ascii_to_lower(raw.data[i]);
        }
        return source->key_len > 0 ? 0 : fail(source, "no key");
}

static bool has_bare_space(Str raw) {
        for (size_t i = 0; i < raw.len; i++)
                if (ascii_is_space(raw.data[i]))
                        return raw.data[0] != '"';
        return false;
}

static int split_line(TableSource *source, Str line, Str *ret_value) {
        bool is_alias = source->syntax == TABLE_SYNTAX_ALIASES;
        bool is_open;
        size_t n = key_len(line, is_alias, &is_open);
        Str raw = str_trim(str_first(line, n));

        if (str_contains(line, '\0'))
                return fail(source, "a NUL byte");
        if (!(source->rules & TABLE_RULE_ANY_BYTES) && !str_is_utf8(line))
                return fail(source, "not UTF-8 text");
        if (is_open)
                return fail(source, "no closing quote");
        if (is_alias && n == line.len)
                return fail(source, "no ':' after the name");
        if (is_alias && has_bare_space(raw))
                return fail(source, "white space in a name that is not quoted");
        *ret_value = str_trim(str_skip(line, is_alias ? n + 1 : n));
        if (str_is_empty(*ret_value))
                return fail(source, "no value");
        if (ret_value->len > TABLE_VALUE_MAX)
                return fail(source, "value too long");
        return copy_key(source, raw);
}

int table_source_next(TableSource *source, Str *ret_key, Str *ret_value, uint64_t *ret_line) {
        int r = read_logical_line(source, ret_line);

        if (r == 0)
                r = split_line(source, buf_str(&source->logical), ret_value);
        if (r == 0)
                *ret_key = str_from(source->key, source->key_len);
        return r;
}

int table_source_next_line(TableSource *source, Str *ret, uint64_t *ret_line) {
        int r = read_logical_line(source, ret_line);

        *ret = buf_str(&source->logical);
        return r == 0 && str_contains(*ret, '\0') ? fail(source, "a NUL byte") : r;
}
