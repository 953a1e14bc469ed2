/*
 * The expander. One Expansion goes down the recursion and carries its limits: depth bounds the
 * stack, steps bound the time, the output buffer bounds the memory. A loop is found by depth; the
 * error names the parameter at which it was found.
 */

#include "common/role/config-expand.h"

#include <errno.h>

#include "common/mail/domain-ascii.h"
#include "common/role/config-compare.h"

typedef struct Expansion {
        ConfigExpandLookup lookup;
        void *context;
        bool is_literal;   /* values are not expanded in their turn */
        bool is_undefined; /* a value was asked for that is not there */
        unsigned depth;
        unsigned n_steps;
        Buf *error;
} Expansion;

typedef struct Comparison {
        Str left;
        Str right;
        ConfigOperator operation;
} Comparison;

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

/* Split "{a} OPERATOR {b}" off *REST. */
static int split_comparison(Expansion *expansion, Str *rest, Comparison *ret) {
        Str whole = *rest;
        int r = split_operand(expansion, rest, &ret->left);

        if (r == 0 && config_compare_split_operator(rest, &ret->operation) != 0)
                r = fail(expansion, "no comparison operator in", *rest);
        if (r != 0)
                return r;
        *rest = skip_space(*rest);
        if (str_is_empty(*rest) || rest->data[0] != '{')
                return fail(expansion, "no {text} to compare with in", whole);
        return split_operand(expansion, rest, &ret->right);
}

static int evaluate_comparison(Expansion *expansion, const Comparison *comparison, bool *ret) {
        _cleanup_(buf_deinit) Buf left = BUF_INIT(CONFIG_EXPAND_OPERAND_MAX_BYTES);
        _cleanup_(buf_deinit) Buf right = BUF_INIT(CONFIG_EXPAND_OPERAND_MAX_BYTES);
        int r = expand(expansion, comparison->left, comparison->left, &left);

        if (r == 0)
                r = expand(expansion, comparison->right, comparison->right, &right);
        if (r != 0)
                return r;
        r = config_compare(comparison->operation, buf_str(&left), buf_str(&right), ret);
        if (r == CONFIG_COMPARE_E_LEVEL)
                return fail(expansion, "not a compatibility level in", comparison->left);
        return r == 0 ? 0 : fail(expansion, "number too large in", comparison->left);
}

/* "{a} == {b}" and what follows it. */
static int expand_comparison(Expansion *expansion, Str rest, Buf *ret) {
        Comparison comparison = { 0 };
        bool is_true = false;
        int r = split_comparison(expansion, &rest, &comparison);

        if (r == 0)
                r = evaluate_comparison(expansion, &comparison, &is_true);
        if (r != 0)
                return r;
        if (str_is_empty(rest))
                return append(expansion, ret, is_true ? STR("true") : STR_NULL);
        if (rest.data[0] != '?' && rest.data[0] != ':')
                return fail(expansion, "unexpected text", rest);
        return expand_choice(expansion, is_true, rest, ret);
}

static int append_ascii_domain(Expansion *expansion, Str name, Buf *ret) {
        _cleanup_(buf_deinit) Buf form = BUF_INIT(CONFIG_EXPAND_OPERAND_MAX_BYTES);
        int r = domain_to_ascii(name, &form);

        if (r == DOMAIN_ASCII_E_MISSING)
                return fail(expansion, "libidn2 is not installed, which is needed for", name);
        if (r > 0)
                return fail(expansion, "no domain name", name);
        return r < 0 ? r : append(expansion, ret, buf_str(&form));
}

/* "{text}" behind the name of a function: there is one. */
static int expand_function(Expansion *expansion, Str name, Str rest, Buf *ret) {
        _cleanup_(buf_deinit) Buf argument = BUF_INIT(CONFIG_EXPAND_OPERAND_MAX_BYTES);
        Str text;
        int r;

        if (!str_equal(name, STR("domain_to_ascii")))
                return fail(expansion, "no function of the name", name);
        r = split_operand(expansion, &rest, &text);
        if (r == 0 && !str_is_empty(rest))
                r = fail(expansion, "unexpected text", rest);
        if (r == 0)
                r = expand(expansion, text, name, &argument);
        return r == 0 ? append_ascii_domain(expansion, buf_str(&argument), ret) : r;
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
        if (rest.data[0] == '{')
                return expand_function(expansion, name, rest, ret);
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

/* Does an argument follow the name, so that it is none of a parameter? */
static bool is_function(Str behind_name) {
        return str_has_prefix(skip_space(behind_name), STR("{"));
}

bool config_expand_next_name(Str *rest, Str *ret_name) {
        bool is_group;

        while (!str_is_empty(*rest)) {
                *rest = str_skip(*rest, str_find(*rest, '$'));
                *rest = str_skip(*rest, 1);
                if (!str_is_empty(*rest) && rest->data[0] == '$') {
                        *rest = str_skip(*rest, 1);
                        continue;
                }
                is_group = !str_is_empty(*rest) && (rest->data[0] == '{' || rest->data[0] == '(');
                if (is_group)
                        *rest = skip_space(str_skip(*rest, 1));
                *ret_name = name_at_start(*rest);
                *rest = str_skip(*rest, ret_name->len);
                if (!str_is_empty(*ret_name) && !(is_group && is_function(*rest)))
                        return true;
        }
        return false;
}
