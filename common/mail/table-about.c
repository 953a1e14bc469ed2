/* The record about an index, to text and back. An owner of an index may have changed it. */

#include "common/mail/table-about.h"

static const Str syntax_names[] = {
        [TABLE_SYNTAX_MAP] = { "map", 3 },
        [TABLE_SYNTAX_ALIASES] = { "aliases", 7 },
};

static const Str format_names[] = { { "2", 1 } };

/* In the order of their bits. */
static const Str rule_names[] = { { "last", 4 }, { "case", 4 }, { "bytes", 5 }, { "files", 5 } };

bool table_about_is_without_source(const TableAbout *about) {
        const TableStamp none = { 0 };

        return table_stamp_equal(&about->stamp, &none);
}

Str table_syntax_name(TableSyntax syntax) {
        return syntax_names[syntax];
}

static bool find_name(const Str *names, size_t n, Str name, size_t *ret) {
        for (size_t i = 0; i < n; i++)
                if (str_equal(names[i], name)) {
                        *ret = i;
                        return true;
                }
        return false;
}

bool table_syntax_find(Str name, TableSyntax *ret) {
        size_t i;

        if (!find_name(syntax_names, ARRAY_LEN(syntax_names), name, &i))
                return false;
        *ret = (TableSyntax)i;
        return true;
}

static void append_rules(unsigned rules, Buf *ret) {
        (void)buf_append_cstr(ret, rules & TABLE_RULE_LAST_COUNTS ? "last" : "first");
        for (size_t i = 1; i < ARRAY_LEN(rule_names); i++)
                if (rules & (1U << i)) {
                        (void)buf_append_char(ret, ' ');
                        (void)buf_append_str(ret, rule_names[i]);
                }
}

int table_about_append(const TableAbout *about, Buf *ret) {
        const TableStamp *stamp = &about->stamp;
        const uint64_t numbers[] = {
                (uint64_t)stamp->mtime.tv_sec, (uint64_t)stamp->mtime.tv_nsec,
                (uint64_t)stamp->size_bytes,   (uint64_t)stamp->inode,
                (uint64_t)stamp->uid,          (uint64_t)stamp->gid,
                (uint64_t)stamp->mode,
        };

        (void)buf_append_str(ret, format_names[0]);
        (void)buf_append_char(ret, '\n');
        (void)buf_append_str(ret, syntax_names[about->syntax]);
        (void)buf_append_char(ret, '\n');
        append_rules(about->rules, ret);
        for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
                (void)buf_printf(ret, "\n%llu", (unsigned long long)numbers[i]);
        (void)buf_append_char(ret, '\n');
        return buf_append_str(ret, about->source);
}

static bool next_name(Str *rest, const Str *names, size_t n, size_t *ret) {
        Str line;

        return str_next_part(rest, '\n', &line) && find_name(names, n, line, ret);
}

/* "first" or "last", then the others. */
static bool next_rules(Str *rest, unsigned *ret) {
        Str line, word;
        size_t i;

        *ret = 0;
        if (!str_next_part(rest, '\n', &line) || !str_next_part(&line, ' ', &word))
                return false;
        if (str_equal(word, rule_names[0]))
                *ret = TABLE_RULE_LAST_COUNTS;
        else if (!str_equal(word, STR("first")))
                return false;
        while (str_next_part(&line, ' ', &word)) {
                if (!find_name(rule_names, ARRAY_LEN(rule_names), word, &i) || i == 0)
                        return false;
                *ret |= 1U << i;
        }
        return true;
}

static bool next_number(Str *rest, uint64_t max, uint64_t *ret) {
        Str line;

        return str_next_part(rest, '\n', &line) && str_parse_u64(line, max, ret) == 0;
}

bool table_about_parse(Str text, TableAbout *ret) {
        static const uint64_t maxima[] = { UINT64_MAX, 999999999,  INT64_MAX, UINT64_MAX,
                                           UINT32_MAX, UINT32_MAX, UINT32_MAX };
        uint64_t numbers[ARRAY_LEN(maxima)];
        size_t format, syntax;
        unsigned rules;

        if (!next_name(&text, format_names, ARRAY_LEN(format_names), &format) ||
            !next_name(&text, syntax_names, ARRAY_LEN(syntax_names), &syntax) ||
            !next_rules(&text, &rules))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(maxima); i++)
                if (!next_number(&text, maxima[i], &numbers[i]))
                        return false;
        *ret = (TableAbout){
                .syntax = (TableSyntax)syntax,
                .rules = rules,
                .stamp = { .mtime = { (time_t)numbers[0], (long)numbers[1] },
                           .size_bytes = (off_t)numbers[2],
                           .inode = (ino_t)numbers[3],
                           .uid = (uid_t)numbers[4],
                           .gid = (gid_t)numbers[5],
                           .mode = (mode_t)numbers[6] },
                .source = text,
        };
        return true;
}
