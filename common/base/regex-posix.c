/*
 * One pass over the expression, token by token. A token is what POSIX sees: in a basic expression
 * "\(" is the same token as "(" in an extended one. What a token is written as in PCRE2 depends on
 * little more than the token: whether something stands before it that can be repeated.
 */

#include "common/base/regex-posix.h"

#include <stdio.h>

#include "common/base/regex.h"

#define REPEAT_MAX 32767 /* RE_DUP_MAX of the C library */

typedef enum Token {
        TOKEN_CHAR,
        TOKEN_ANY,
        TOKEN_OPEN,
        TOKEN_CLOSE,
        TOKEN_OR,
        TOKEN_REPEAT, /* * + ? */
        TOKEN_INTERVAL,
        TOKEN_BRACKET,
        TOKEN_START,
        TOKEN_END,
        TOKEN_ESCAPE, /* \w and the like */
} Token;

typedef struct Translation {
        Str rest;
        unsigned flags;
        Buf *ret;
        const char *reason;
        unsigned depth;
        bool can_repeat;  /* something stands before */
        bool is_repeated; /* and is repeated already */
        bool is_at_start; /* of the expression, a group or an alternative */
} Translation;

static int fail(Translation *t, const char *reason) {
        t->reason = reason;
        return REGEX_E_SYNTAX;
}

static bool is_basic(const Translation *t) {
        return t->flags & REGEX_POSIX_BASIC;
}

/* ---- tokens ---- */

static Token operator_token(char c) {
        switch (c) {
        case '(':
                return TOKEN_OPEN;
        case ')':
                return TOKEN_CLOSE;
        case '|':
                return TOKEN_OR;
        case '{':
                return TOKEN_INTERVAL;
        case '+':
        case '?':
                return TOKEN_REPEAT;
        default:
                return TOKEN_CHAR;
        }
}

/* In a basic expression $ is an anchor only at the end of an alternative. */
static bool ends_alternative(const Translation *t, Str behind) {
        return !is_basic(t) || str_is_empty(behind) || str_has_prefix(behind, STR("\\)")) ||
               str_has_prefix(behind, STR("\\|"));
}

static Token plain_token(const Translation *t, char c) {
        switch (c) {
        case '.':
                return TOKEN_ANY;
        case '[':
                return TOKEN_BRACKET;
        case '*':
                return is_basic(t) && !t->can_repeat ? TOKEN_CHAR : TOKEN_REPEAT;
        case '^':
                return is_basic(t) && !t->is_at_start ? TOKEN_CHAR : TOKEN_START;
        case '$':
                return ends_alternative(t, str_skip(t->rest, 1)) ? TOKEN_END : TOKEN_CHAR;
        default:
                return is_basic(t) ? TOKEN_CHAR : operator_token(c);
        }
}

/* Take the next token; *RET is its character. */
static Token next_token(Translation *t, char *ret) {
        Token token;

        *ret = t->rest.data[0];
        if (*ret != '\\' || t->rest.len == 1) {
                token = plain_token(t, *ret);
                t->rest = str_skip(t->rest, 1);
        } else {
                *ret = t->rest.data[1];
                token = is_basic(t) ? operator_token(*ret) : TOKEN_CHAR;
                if (token == TOKEN_CHAR && str_contains(STR("wWsSbB<>`'123456789"), *ret))
                        token = TOKEN_ESCAPE;
                t->rest = str_skip(t->rest, 2);
        }
        /* As the C library has it: a ')' that closes nothing is itself, in an extended one. */
        if (token == TOKEN_CLOSE && t->depth == 0 && !is_basic(t))
                token = TOKEN_CHAR;
        return token;
}

/* ---- what they are written as ---- */

static void put_char(Translation *t, char c) {
        if (str_contains(STR("\\^$.[]|()?*+{}-#"), c))
                (void)buf_append_char(t->ret, '\\');
        (void)buf_append_char(t->ret, c);
}

static void put_escape(Translation *t, char c) {
        static const struct {
                char c;
                const char *text;
        } escapes[] = {
                { '<', "\\b(?=\\w)" },
                { '>', "\\b(?<=\\w)" },
                { '`', "\\A" },
                { '\'', "\\z" },
        };

        t->can_repeat = !str_contains(STR("bB<>`'"), c);
        for (size_t i = 0; i < ARRAY_LEN(escapes); i++)
                if (escapes[i].c == c) {
                        (void)buf_append_cstr(t->ret, escapes[i].text);
                        return;
                }
        (void)buf_printf(t->ret, ascii_is_digit(c) ? "\\g{%c}" : "\\%c", c);
}

/* "[.x.]", "[=x=]" or "[:name:]", KIND being its second character. */
static int put_bracket_class(Translation *t, char kind) {
        size_t n = 2;

        while (n + 1 < t->rest.len && (t->rest.data[n] != kind || t->rest.data[n + 1] != ']'))
                n++;
        if (n + 1 >= t->rest.len)
                return fail(t, "no closing ']'");
        if (kind == ':')
                (void)buf_append_str(t->ret, str_first(t->rest, n + 2));
        else if (n == 3)
                put_char(t, t->rest.data[2]);
        else
                return fail(t, "a collating element of more than one character");
        t->rest = str_skip(t->rest, n + 2);
        return 0;
}

static int put_bracket_item(Translation *t, bool is_first) {
        char c = t->rest.data[0];
        char next = t->rest.len > 1 ? t->rest.data[1] : '\0';

        if (c == '[' && (next == ':' || next == '.' || next == '='))
                return put_bracket_class(t, next);
        if (str_contains(STR("\\[]^"), c) || (is_first && c == '-'))
                (void)buf_append_char(t->ret, '\\');
        (void)buf_append_char(t->ret, c);
        t->rest = str_skip(t->rest, 1);
        return 0;
}

/* Behind the '['. No character is special in it but for ']', '-' and '^' by their place. */
static int put_bracket(Translation *t) {
        bool is_first = true;
        int r = 0;

        (void)buf_append_char(t->ret, '[');
        if (str_has_prefix(t->rest, STR("^"))) {
                (void)buf_append_cstr(t->ret, t->flags & REGEX_POSIX_NEWLINE ? "^\\n" : "^");
                t->rest = str_skip(t->rest, 1);
        }
        while (r == 0 && !str_is_empty(t->rest) && (is_first || t->rest.data[0] != ']')) {
                r = put_bracket_item(t, is_first);
                is_first = false;
        }
        if (r == 0 && str_is_empty(t->rest))
                r = fail(t, "no closing ']'");
        (void)buf_append_char(t->ret, ']');
        t->rest = str_skip(t->rest, 1);
        t->can_repeat = true;
        return r;
}

static int check_repeat(Translation *t) {
        if (!t->can_repeat)
                return fail(t, "nothing to repeat");
        if (t->is_repeated)
                return fail(t, "two counts of repetitions in a row");
        t->is_repeated = true;
        return 0;
}

/* Several in a row are one: a*? is what a* is, to POSIX. */
static int put_repeat(Translation *t, char c) {
        int r = check_repeat(t);

        while (r == 0 && !str_is_empty(t->rest)) {
                Translation ahead = *t;
                char next;

                if (next_token(&ahead, &next) != TOKEN_REPEAT)
                        break;
                t->rest = ahead.rest;
                c = next == c ? c : '*';
        }
        (void)buf_append_char(t->ret, c);
        return r;
}

static bool parse_count(Str text, uint64_t *ret) {
        return str_parse_u64(text, REPEAT_MAX, ret) == 0;
}

/* Behind the '{': "2}", "2,}", "2,3}", ",3}". */
static int put_interval(Translation *t) {
        const Str end = is_basic(t) ? STR("\\}") : STR("}");
        size_t n = str_find(t->rest, end.data[0]);
        Str text = str_first(t->rest, n);
        size_t comma = str_find(text, ',');
        Str most = str_skip(text, comma + 1);
        uint64_t from = 0, to = 0;
        int r = check_repeat(t);

        if (r != 0)
                return r;
        t->rest = str_skip(t->rest, n);
        if (!str_has_prefix(t->rest, end))
                return fail(t, "no closing brace");
        if ((comma > 0 && !parse_count(str_first(text, comma), &from)) ||
            (str_is_empty(most) ? comma == 0 : !parse_count(most, &to)) ||
            (!str_is_empty(most) && to < from))
                return fail(t, "a malformed count of repetitions");
        (void)buf_printf(t->ret, "{%u", (unsigned)from);
        if (comma < text.len)
                (void)buf_append_char(t->ret, ',');
        if (!str_is_empty(most))
                (void)buf_printf(t->ret, "%u", (unsigned)to);
        (void)buf_append_char(t->ret, '}');
        t->rest = str_skip(t->rest, end.len);
        return 0;
}

static int put_group(Translation *t, Token token) {
        static const char texts[] = { [TOKEN_OPEN] = '(', [TOKEN_CLOSE] = ')', [TOKEN_OR] = '|' };

        if (token == TOKEN_CLOSE && t->depth == 0)
                return fail(t, "a group that is closed and was not opened");
        t->depth += token == TOKEN_OPEN;
        t->depth -= token == TOKEN_CLOSE;
        t->can_repeat = token == TOKEN_CLOSE;
        t->is_at_start = token != TOKEN_CLOSE;
        (void)buf_append_char(t->ret, texts[token]);
        return 0;
}

static int put_token(Translation *t, Token token, char c) {
        t->is_at_start = false;
        if (token != TOKEN_REPEAT && token != TOKEN_INTERVAL)
                t->is_repeated = false;
        switch (token) {
        case TOKEN_OPEN:
        case TOKEN_CLOSE:
        case TOKEN_OR:
                return put_group(t, token);
        case TOKEN_REPEAT:
                return put_repeat(t, c);
        case TOKEN_INTERVAL:
                return put_interval(t);
        case TOKEN_BRACKET:
                return put_bracket(t);
        case TOKEN_ESCAPE:
                put_escape(t, c);
                return 0;
        default:
                break;
        }
        t->can_repeat = token == TOKEN_CHAR || token == TOKEN_ANY;
        if (token == TOKEN_CHAR)
                put_char(t, c);
        else
                (void)buf_append_char(t->ret, c);
        return 0;
}

int regex_from_posix(Str posix, unsigned flags, Buf *ret, const char **ret_reason) {
        Translation t = { .rest = posix, .flags = flags, .ret = ret, .is_at_start = true };
        int r = 0;

        while (r == 0 && t.rest.len > 0 && !str_equal(t.rest, STR("\\"))) {
                char c;
                Token token = next_token(&t, &c);

                r = put_token(&t, token, c);
        }
        if (r == 0 && t.rest.len > 0)
                r = fail(&t, "a backslash at the end");
        if (r == 0 && t.depth > 0)
                r = fail(&t, "a group that is not closed");
        if (r == 0 && ret->error == BUF_E_FULL)
                r = fail(&t, "an expression that is too long");
        *ret_reason = t.reason;
        return r != 0 ? r : ret->error;
}
