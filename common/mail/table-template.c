/* Dollars in answers. One reader of them, for the check and for the expansion. */

#include "common/mail/table-template.h"

#define PLAIN UINT32_MAX

/* A part of a template: text, or a group. */
typedef struct Part {
        Str text;
        unsigned group; /* PLAIN: TEXT is what it stands for */
} Part;

static bool is_name_char(char c) {
        return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
}

/* The name behind a '$'; *RET_LEN with its brackets. */
static const char *read_name(Str rest, Str *ret, size_t *ret_len) {
        bool has_brackets = !str_is_empty(rest) && (rest.data[0] == '{' || rest.data[0] == '(');
        size_t n = 0;

        if (has_brackets) {
                n = str_find(rest, rest.data[0] == '{' ? '}' : ')');
                if (n == rest.len)
                        return "a '$' with a bracket that is not closed";
                *ret = str_first(str_skip(rest, 1), n - 1);
                *ret_len = n + 1;
                return NULL;
        }
        while (n < rest.len && is_name_char(rest.data[n]))
                n++;
        *ret = str_first(rest, n);
        *ret_len = n;
        return NULL;
}

/* Take the next part of *REST, which is not empty. NULL or what is wrong. */
static const char *next_part(Str *rest, Part *ret) {
        const char *reason;
        uint64_t number;
        size_t len;
        Str name;

        *ret = (Part){ .text = str_first(*rest, str_find(*rest, '$')), .group = PLAIN };
        if (ret->text.len == 0 && rest->len > 1 && rest->data[1] == '$') {
                ret->text = str_first(*rest, 1);
                *rest = str_skip(*rest, 2);
                return NULL;
        }
        if (ret->text.len > 0) {
                *rest = str_skip(*rest, ret->text.len);
                return NULL;
        }
        reason = read_name(str_skip(*rest, 1), &name, &len);
        if (reason)
                return reason;
        if (str_parse_u64(name, REGEX_GROUPS_MAX, &number) != 0 || number == 0)
                return "a '$' without the number of a group behind it (a dollar is $$)";
        ret->group = (unsigned)number;
        *rest = str_skip(*rest, 1 + len);
        return NULL;
}

const char *table_template_check(Str text, unsigned n_groups) {
        const char *reason = NULL;
        Part part;

        while (!reason && !str_is_empty(text)) {
                reason = next_part(&text, &part);
                if (!reason && part.group != PLAIN && part.group > n_groups)
                        reason = "a '$' with the number of a group that the expression has not";
        }
        return reason;
}

bool table_template_has_groups(Str text) {
        Part part;

        while (!str_is_empty(text) && !next_part(&text, &part))
                if (part.group != PLAIN)
                        return true;
        return false;
}

int table_template_expand(Str text, const RegexMatcher *matcher, Buf *ret) {
        Part part;

        while (!str_is_empty(text) && !next_part(&text, &part))
                (void)buf_append_str(ret, part.group == PLAIN
                                                  ? part.text
                                                  : regex_matcher_group(matcher, part.group));
        return ret->error;
}
