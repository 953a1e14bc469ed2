/* The record about an index, to text and back. An owner of an index may have changed it. */

#include "common/mail/table-about.h"

static const Str syntax_names[] = {
        [TABLE_SYNTAX_MAP] = { "map", 3 },
        [TABLE_SYNTAX_ALIASES] = { "aliases", 7 },
};

static const Str format_names[] = { { "2", 1 } };

static const Str counts_names[] = { { "first", 5 }, { "last", 4 } };

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
        (void)buf_append_str(ret, counts_names[about->last_counts]);
        for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
                (void)buf_printf(ret, "\n%llu", (unsigned long long)numbers[i]);
        (void)buf_append_char(ret, '\n');
        return buf_append_str(ret, about->source);
}

static bool next_name(Str *rest, const Str *names, size_t n, size_t *ret) {
        Str line;

        return str_next_part(rest, '\n', &line) && find_name(names, n, line, ret);
}

static bool next_number(Str *rest, uint64_t max, uint64_t *ret) {
        Str line;

        return str_next_part(rest, '\n', &line) && str_parse_u64(line, max, ret) == 0;
}

bool table_about_parse(Str text, TableAbout *ret) {
        static const uint64_t maxima[] = { UINT64_MAX, 999999999,  INT64_MAX, UINT64_MAX,
                                           UINT32_MAX, UINT32_MAX, UINT32_MAX };
        uint64_t numbers[ARRAY_LEN(maxima)];
        size_t format, syntax, counts;

        if (!next_name(&text, format_names, ARRAY_LEN(format_names), &format) ||
            !next_name(&text, syntax_names, ARRAY_LEN(syntax_names), &syntax) ||
            !next_name(&text, counts_names, ARRAY_LEN(counts_names), &counts))
                return false;
        for (size_t i = 0; i < ARRAY_LEN(maxima); i++)
                if (!next_number(&text, maxima[i], &numbers[i]))
                        return false;
        *ret = (TableAbout){
                .syntax = (TableSyntax)syntax,
                .last_counts = counts == 1,
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
