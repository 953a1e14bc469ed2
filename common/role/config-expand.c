/*
 * The expander. One Expansion goes down the recursion and carries its limits: depth bounds the
 * stack, steps bound the time, the output buffer bounds the memory. A loop is found by depth; the
 * error names the parameter at which it was found.
 */

#include "common/role/config-expand.h"

#include <errno.h>

typedef struct Expansion {
        ConfigExpandLookup lookup;
        void *context;
        bool is_literal;   /* values are not expanded in their turn */
        bool is_undefined; /* a value was asked for that is not there */
        unsigned depth;
        unsigned n_steps;
        Buf *error;
} Expansion;

static int expand(Expansion *expansion, Str text, Str name, Buf *ret);

static bool is_name_char(char c) {
        return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';
}

static Str name_at_start(Str text) {
        size_t n = 0;

        while (n < text.len && is_name_char(text.data[n]))
                n++;
        return str_first(text, n);
}

static Str skip_space(Str s) {
        while (!str_is_empty(s) && ascii_is_space(s.data[0]))
                s = str_skip(s, 1);
        return s;
}

static int fail(Expansion *expansion, const char *reason, Str where) {
        (void)buf_printf(expansion->error, "%s \"%.*s%s\"", reason, STR_FMT(str_first(where, 80)),
                         where.len > 80 ? "..." : "");
        return CONFIG_EXPAND_E_INVALID;
}

static int append(Expansion *expansion, Buf *ret, Str text) {
        int r = buf_append_str(ret, text);

        return r == BUF_E_FULL ? fail(expansion, "value too long at", text) : r;
}

static Str lookup(Expansion *expansion, Str name) {
        return expansion->lookup(expansion->context, name);
}

static int expand_value(Expansion *expansion, Str name, Buf *ret) {
        Str value = lookup(expansion, name);

        if (!value.data)
                expansion->is_undefined = true;
        return expansion->is_literal ? append(expansion, ret, value)
                                     : expand(expansion, value, name, ret);
}

/* Split "(...)" or "{...}", kinds nested in themselves, off *REST; *RET is what is inside. */
static int split_group(Expansion *expansion, Str *rest, Str *ret) {
        char open = rest->data[0];
        char close = open == '(' ? ')' : '}';
        size_t level = 0;

        for (size_t i = 0; i < rest->len; i++) {
                if (rest->data[i] == open)
                        level++;
                else if (rest->data[i] == close && --level == 0) {
                        *ret = str_first(str_skip(*rest, 1), i - 1);
                        *rest = str_skip(*rest, i + 1);
                        return 0;
                }
        }
        return fail(expansion, "no closing bracket in", *rest);
}

/* A text behind '?' or ':': "{text}", and then *REST is behind it, or all that is left. */
static int split_operand(Expansion *expansion, Str *rest, Str *ret) {
        Str after = skip_space(*rest);
        int r;

        if (str_is_empty(after) || after.data[0] != '{') {
                *ret = *rest;
                *rest = str_skip(*rest, rest->len);
                return 0;
        }
        *rest = after;
        r = split_group(expansion, rest, ret);
        *rest = skip_space(*rest);
        return r;
}

/* "?text", ":text", "?{text}:{text}" in REST; the chosen text is expanded. NAME: for errors. */
static int expand_choice(Expansion *expansion, bool is_true, Str rest, Buf *ret) {
        Str name = rest;
        bool wanted = rest.data[0] == '?';
        Str chosen = STR_NULL;
        Str text;
        int r;

        rest = str_skip(rest, 1);
        r = split_operand(expansion, &rest, &text);
        if (r != 0)
                return r;
        if (wanted == is_true)
                chosen = text;
        if (wanted && !str_is_empty(rest) && rest.data[0] == ':') {
                rest = str_skip(rest, 1);
                r = split_operand(expansion, &rest, &text);
                if (r != 0)
                        return r;
                if (!is_true)
                        chosen = text;
        }
        if (!str_is_empty(rest))
                return fail(expansion, "unexpected text", rest);
        return expand(expansion, chosen, name, ret);
}

/* The comparison operators, longer ones first; bits say which order of operands satisfies. */
enum {
        LESS = 1,
        EQUAL = 2,
        GREATER = 4
};

static const struct {
        Str text;
        int satisfied_by;
} operators[] = {
        { { "==", 2 }, EQUAL },        { { "!=", 2 }, LESS | GREATER },
        { { "<=", 2 }, LESS | EQUAL }, { { ">=", 2 }, GREATER | EQUAL },
        { { "<", 1 }, LESS },          { { ">", 1 }, GREATER },
};

static int split_operator(Expansion *expansion, Str *rest, int *ret_satisfied_by) {
        for (size_t i = 0; i < ARRAY_LEN(operators); i++)
                if (str_has_prefix(*rest, operators[i].text)) {
                        *ret_satisfied_by = operators[i].satisfied_by;
                        *rest = skip_space(str_skip(*rest, operators[i].text.len));
                        return 0;
                }
        return fail(expansion, "no comparison operator in", *rest);
}

static int compare(Str a, Str b) {
        uint64_t number_a;
        uint64_t number_b;
        int order;

        if (str_parse_u64(a, UINT64_MAX, &number_a) == 0 &&
            str_parse_u64(b, UINT64_MAX, &number_b) == 0)
                return number_a < number_b ? LESS : number_a > number_b ? GREATER : EQUAL;
        order = memcmp(a.len > 0 ? a.data : "", b.len > 0 ? b.data : "", size_min(a.len, b.len));
        if (order == 0)
                order = a.len < b.len ? -1 : a.len > b.len;
        return order < 0 ? LESS : order > 0 ? GREATER : EQUAL;
}

/* "{a} == {b}" and what follows it. */
static int expand_comparison(Expansion *expansion, Str rest, Buf *ret) {
        _cleanup_(buf_deinit) Buf left = BUF_INIT(CONFIG_EXPAND_OPERAND_MAX_BYTES);
        _cleanup_(buf_deinit) Buf right = BUF_INIT(CONFIG_EXPAND_OPERAND_MAX_BYTES);
        Str whole = rest;
        Str text_left;
        Str text_right = STR_NULL;
        int satisfied_by = 0;
        bool is_true;
        int r;

        r = split_operand(expansion, &rest, &text_left);
        if (r == 0)
                r = split_operator(expansion, &rest, &satisfied_by);
        if (r == 0 && (str_is_empty(rest) || rest.data[0] != '{'))
                r = fail(expansion, "no {text} to compare with in", whole);
        if (r == 0)
                r = split_operand(expansion, &rest, &text_right);
        if (r == 0)
                r = expand(expansion, text_left, whole, &left);
        if (r == 0)
                r = expand(expansion, text_right, whole, &right);
        if (r != 0)
                return r;
        is_true = (compare(buf_str(&left), buf_str(&right)) & satisfied_by) != 0;
        if (str_is_empty(rest))
                return append(expansion, ret, is_true ? STR("bool:true") : STR_NULL);
        if (rest.data[0] != '?' && rest.data[0] != ':')
                return fail(expansion, "unexpected text", rest);
        return expand_choice(expansion, is_true, rest, ret);
}

/* What stands between "${" and "}". */
static int expand_group(Expansion *expansion, Str inside, Buf *ret) {
        Str rest = skip_space(inside);
        Str name = name_at_start(rest);

        if (!str_is_empty(rest) && rest.data[0] == '{')
                return expand_comparison(expansion, rest, ret);
        if (str_is_empty(name))
                return fail(expansion, "no parameter name in", inside);
        rest = skip_space(str_skip(rest, name.len));
        if (str_is_empty(rest))
                return expand_value(expansion, name, ret);
        if (rest.data[0] != '?' && rest.data[0] != ':')
                return fail(expansion, "bad expression", inside);
        return expand_choice(expansion, !str_is_empty(lookup(expansion, name)), rest, ret);
}

/* What begins with the '$' at the start of *REST; *REST is behind it then. */
static int expand_dollar(Expansion *expansion, Str *rest, Buf *ret) {
        Str after = str_skip(*rest, 1);
        Str name = name_at_start(after);
        Str inside;
        int r;

        if (!str_is_empty(after) && (after.data[0] == '{' || after.data[0] == '(')) {
                *rest = after;
                r = split_group(expansion, rest, &inside);
                return r != 0 ? r : expand_group(expansion, inside, ret);
        }
        if (!str_is_empty(after) && after.data[0] == '$') {
                *rest = str_skip(after, 1);
                return append(expansion, ret, STR("$"));
        }
        if (str_is_empty(name))
                return fail(expansion, "no parameter name behind '$' in", *rest);
        *rest = str_skip(after, name.len);
        return expand_value(expansion, name, ret);
}

/* NAME is where TEXT comes from. */
static int expand(Expansion *expansion, Str text, Str name, Buf *ret) {
        int r = 0;

        if (expansion->depth >= CONFIG_EXPAND_DEPTH_MAX)
                return fail(expansion, "loop, or more than 100 levels, at", name);
        if (++expansion->n_steps > CONFIG_EXPAND_STEPS_MAX)
                return fail(expansion, "too many expansions at", name);
        expansion->depth++;
        while (r == 0 && !str_is_empty(text)) {
                size_t n = str_find(text, '$');

                r = append(expansion, ret, str_first(text, n));
                text = str_skip(text, n);
                if (r == 0 && !str_is_empty(text))
                        r = expand_dollar(expansion, &text, ret);
        }
        expansion->depth--;
        return r;
}

int config_expand_text(Str text, ConfigExpandLookup lookup_name, void *context, Buf *ret,
                       Buf *error) {
        Expansion expansion = { .lookup = lookup_name, .context = context, .error = error };

        return expand(&expansion, text, text, ret);
}

int config_expand_literal(Str text, ConfigExpandLookup lookup_name, void *context, Buf *ret,
                          Buf *error) {
        Expansion expansion = {
                .lookup = lookup_name,
                .context = context,
                .is_literal = true,
                .error = error,
        };
        int r = expand(&expansion, text, text, ret);

        return r == 0 && expansion.is_undefined ? CONFIG_EXPAND_E_UNDEFINED : r;
}

bool config_expand_next_name(Str *rest, Str *ret_name) {
        while (!str_is_empty(*rest)) {
                *rest = str_skip(*rest, str_find(*rest, '$'));
                *rest = str_skip(*rest, 1);
                if (!str_is_empty(*rest) && rest->data[0] == '$') {
                        *rest = str_skip(*rest, 1);
                        continue;
                }
                if (!str_is_empty(*rest) && (rest->data[0] == '{' || rest->data[0] == '('))
                        *rest = skip_space(str_skip(*rest, 1));
                *ret_name = name_at_start(*rest);
                *rest = str_skip(*rest, ret_name->len);
                if (!str_is_empty(*ret_name))
                        return true;
        }
        return false;
}
