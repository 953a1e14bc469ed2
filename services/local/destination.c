#include "services/local/destination.h"

#include <errno.h>

#include "common/base/macro.h"
#include "common/mail/address.h"

/* How much of a bad element is shown. */
#define SHOWN_BYTES 80

static const struct {
        Str prefix;
        DestinationKind kind;
        size_t n_dropped; /* bytes of the prefix that are no part of the text */
} kinds[] = {
        { { "|", 1 }, DESTINATION_COMMAND, 1 },
        { { "/", 1 }, DESTINATION_FILE, 0 },
        { { "~", 1 }, DESTINATION_HOME, 1 },
        { { ":include:", 9 }, DESTINATION_INCLUDE, 9 },
};

DestinationList destination_list_of_value(Str text) {
        return (DestinationList){ .line = text };
}

DestinationList destination_list_of_file(Str text) {
        return (DestinationList){ .rest = text, .is_lines = true };
}

static bool is_separator(char c) {
        return ascii_is_space(c) || c == ',';
}

/* Is LINE a comment, or empty? In a file such a line neither begins nor ends another one. */
static bool is_no_line(Str line) {
        line = str_trim(line);
        return str_is_empty(line) || line.data[0] == '#';
}

static Str line_at(Str text) {
        return str_first(text, str_find(text, '\n'));
}

/*
 * Take the next logical line of the file: a line and all that follow it with white space in front.
 * The slice holds the comments in between too; skip_separators() passes them over.
 */
static bool next_line(DestinationList *list) {
        size_t n;

        while (!str_is_empty(list->rest) && is_no_line(line_at(list->rest)))
                list->rest = str_skip(list->rest, line_at(list->rest).len + 1);
        if (!list->is_lines || str_is_empty(list->rest))
                return false;
        n = size_min(line_at(list->rest).len + 1, list->rest.len);
        while (n < list->rest.len) {
                Str next = line_at(str_skip(list->rest, n));

                if (!is_no_line(next) && !ascii_is_space(next.data[0]))
                        break;
                n = size_min(n + next.len + 1, list->rest.len);
        }
        list->line = str_first(list->rest, n);
        list->rest = str_skip(list->rest, n);
        return true;
}

/* To the next element of the line; comment lines inside of it count as white space. */
static void skip_separators(DestinationList *list) {
        bool at_start = false;

        while (!str_is_empty(list->line)) {
                char c = list->line.data[0];

                if (list->is_lines && at_start && c == '#') {
                        list->line = str_skip(list->line, line_at(list->line).len);
                        continue;
                }
                if (!is_separator(c))
                        return;
                at_start = c == '\n' || (at_start && c != ',');
                list->line = str_skip(list->line, 1);
        }
}

/* The quoted string at the start of *REST, without quotes and backslashes; false: not closed. */
static bool take_quoted(Str *rest, Buf *ret) {
        for (size_t i = 1; i < rest->len; i++) {
                char c = rest->data[i];

                if (c == '"') {
                        *rest = str_skip(*rest, i + 1);
                        return true;
                }
                if (c == '\\' && i + 1 < rest->len)
                        c = rest->data[++i];
                (void)buf_append_char(ret, c);
        }
        *rest = STR_NULL;
        return false;
}

/* Bytes up to a separator, quoted parts as a whole and without their quotes. */
static bool take_word(Str *rest, Buf *ret) {
        while (!str_is_empty(*rest) && !is_separator(rest->data[0])) {
                if (rest->data[0] == '"') {
                        if (!take_quoted(rest, ret))
                                return false;
                        continue;
                }
                (void)buf_append_char(ret, rest->data[0]);
                *rest = str_skip(*rest, 1);
        }
        return true;
}

/* What does TEXT, without its quotes, begin with? False: an address. */
static bool kind_of(Str text, DestinationKind *ret_kind, size_t *ret_dropped) {
        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (str_has_prefix_nocase(text, kinds[i].prefix)) {
                        *ret_kind = kinds[i].kind;
                        *ret_dropped = kinds[i].n_dropped;
                        return true;
                }
        return false;
}

static bool is_special(Str line, DestinationKind *ret_kind, size_t *ret_dropped) {
        if (line.data[0] == '"')
                line = str_skip(line, 1);
        return kind_of(line, ret_kind, ret_dropped);
}

static int check(Buf *ret) {
        if (ret->error < 0)
                return ret->error;
        return ret->error || str_is_empty(str_trim(buf_str(ret))) ||
                               str_contains(buf_str(ret), '\0')
                       ? DESTINATION_E_SYNTAX
                       : 0;
}

static int take_special(DestinationList *list, Buf *ret, size_t n_dropped) {
        bool quoted = list->line.data[0] == '"';

        if (quoted ? !take_quoted(&list->line, ret) : !take_word(&list->line, ret))
                return DESTINATION_E_SYNTAX;
        buf_consume(ret, size_min(n_dropped, ret->len));
        return check(ret);
}

static int take_address(DestinationList *list, Buf *ret) {
        int r;

        if (list->line.data[0] == '\\')
                list->line = str_skip(list->line, 1);
        r = address_list_next(&list->line, ret);
        if (r == ADDRESS_E_END) /* a lone backslash */
                return DESTINATION_E_SYNTAX;
        return r == ADDRESS_E_SYNTAX ? DESTINATION_E_SYNTAX : r;
}

/* A comment alone, or an empty group, is no element. */
static bool is_nothing(Str element) {
        Buf none _cleanup_(buf_deinit) = BUF_INIT(DESTINATION_MAX_BYTES);

        return address_list_next(&element, &none) == ADDRESS_E_END;
}

int destination_next(DestinationList *list, Buf *ret, DestinationKind *ret_kind) {
        size_t n_dropped = 0;
        Str start;
        int r;

        buf_reset(ret);
        for (;;) {
                skip_separators(list);
                if (!str_is_empty(list->line))
                        break;
                if (!next_line(list))
                        return DESTINATION_E_END;
        }
        start = list->line;
        if (is_special(list->line, ret_kind, &n_dropped))
                r = take_special(list, ret, n_dropped);
        else if (start.data[0] == '(' && is_nothing(start)) {
                list->line = STR_NULL;
                return destination_next(list, ret, ret_kind);
        } else {
                *ret_kind = DESTINATION_ADDRESS;
                r = take_address(list, ret);
        }
        if (r == DESTINATION_E_SYNTAX) {
                buf_reset(ret);
                (void)buf_append_clipped(ret, str_first(start, SHOWN_BYTES));
        }
        return r;
}
