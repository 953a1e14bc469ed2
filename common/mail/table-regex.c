/*
 * pcre: and regexp:, /path or { {rule}, ... }: regular expressions between delimiters, with flags
 * behind them, and answers with parts of the key in them. Both run on PCRE2: regexp: is translated
 * (regex-posix.h).
 *
 * The key is searched as it is, whatever case. An expression that takes too long is an error that
 * names its line: that nobody knows whether it matches is no "no".
 */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/regex-posix.h"
#include "common/base/regex.h"
#include "common/mail/table-content.h"
#include "common/mail/table-rules.h"
#include "common/mail/table-template.h"

/* One letter behind an expression, which turns an option of it over. */
typedef struct Flag {
        char letter;
        unsigned flag;
} Flag;

typedef struct Content {
        TableRules *rules;
        RegexMatcher *matcher;
} Content;

/* ---- the pattern ---- */

static int syntax(Buf *error, const char *reason) {
        (void)buf_append_clipped(error, str_from_cstr(reason));
        return TABLE_E_SYNTAX;
}

/* Take "/expression/" off; a delimiter behind a backslash belongs to the expression. */
static const char *take_expression(Str *rest, Str *ret) {
        char delimiter = rest->data[0];
        size_t n = 1;

        if (ascii_is_alpha(delimiter) || ascii_is_digit(delimiter))
                return "not of the form /expression/ value";
        while (n < rest->len && rest->data[n] != delimiter)
                n += rest->data[n] == '\\' ? 2 : 1;
        if (n >= rest->len)
                return "no second delimiter behind the expression";
        *ret = str_first(str_skip(*rest, 1), n - 1);
        *rest = str_skip(*rest, n + 1);
        return NULL;
}

static const char *take_flags(Str *rest, const Flag *known, unsigned *ret) {
        for (; !str_is_empty(*rest) && !ascii_is_space(rest->data[0]); *rest = str_skip(*rest, 1)) {
                const Flag *flag = known;

                while (flag->letter != '\0' && flag->letter != rest->data[0])
                        flag++;
                if (flag->letter == '\0')
                        return "a flag that is none behind the expression";
                *ret ^= flag->flag;
        }
        return NULL;
}

static int make(Str expression, unsigned flags, void **ret, Buf *error) {
        Regex *regex;
        int r = regex_new(expression, flags, &regex, error);

        if (r == 0)
                *ret = regex;
        return r == REGEX_E_SYNTAX ? TABLE_E_SYNTAX : r;
}

static int pcre_parse(Str *rest, void **ret, Buf *error) {
        /* X is of an older PCRE and does nothing. */
        static const Flag known[] = {
                { 'i', REGEX_CASELESS },
                { 'm', REGEX_MULTILINE },
                { 's', REGEX_DOTALL },
                { 'x', REGEX_EXTENDED },
                { 'A', REGEX_ANCHORED },
                { 'E', REGEX_DOLLAR_ENDONLY },
                { 'U', REGEX_UNGREEDY },
                { 'X', 0 },
                { 0 },
        };
        unsigned flags = REGEX_CASELESS | REGEX_DOTALL;
        Str expression = STR_NULL;
        const char *reason = take_expression(rest, &expression);

        if (!reason)
                reason = take_flags(rest, known, &flags);
        return reason ? syntax(error, reason) : make(expression, flags, ret, error);
}

static int regexp_parse(Str *rest, void **ret, Buf *error) {
        static const Flag known[] = {
                { 'i', REGEX_CASELESS }, { 'm', REGEX_MULTILINE }, { 'x', REGEX_EXTENDED }, { 0 }
        };
        _cleanup_(buf_deinit) Buf text = BUF_INIT(REGEX_PATTERN_MAX);
        unsigned flags = REGEX_CASELESS | REGEX_EXTENDED;
        unsigned posix_flags = 0;
        Str expression = STR_NULL;
        const char *reason = take_expression(rest, &expression);
        int r = 0;

        if (!reason)
                reason = take_flags(rest, known, &flags);
        if (!(flags & REGEX_EXTENDED))
                posix_flags |= REGEX_POSIX_BASIC;
        if (flags & REGEX_MULTILINE)
                posix_flags |= REGEX_POSIX_NEWLINE;
        if (!reason)
                r = regex_from_posix(expression, posix_flags, &text, &reason);
        if (reason || r < 0)
                return reason ? syntax(error, reason) : r;
        flags &= REGEX_CASELESS | REGEX_MULTILINE;
        if (!(flags & REGEX_MULTILINE))
                flags |= REGEX_DOTALL | REGEX_DOLLAR_ENDONLY;
        return make(buf_str(&text), flags, ret, error);
}

static const char *regex_check_answer(const void *regex, bool is_negated, Str answer) {
        const char *reason = table_template_check(answer, regex_n_groups(regex));

        if (!reason && is_negated && table_template_has_groups(answer))
                reason = "a group in the value of an expression that must not match";
        return reason;
}

static RuleMatch match(void *regex, void *query) {
        switch (regex_match(regex, query)) {
        case 0:
                return RULE_MATCHES;
        case REGEX_E_NONE:
                return RULE_DIFFERS;
        case REGEX_E_FOREIGN:
                return RULE_FOREIGN;
        default:
                return RULE_FAILS;
        }
}

static void pattern_free(void *regex) {
        (void)regex_free(regex);
}

static const RulePatternType pcre_pattern = {
        .ignores_rest = true,
        .parse = pcre_parse,
        .check_answer = regex_check_answer,
        .match = match,
        .free = pattern_free,
};

static const RulePatternType regexp_pattern = {
        .ignores_rest = true,
        .parse = regexp_parse,
        .check_answer = regex_check_answer,
        .match = match,
        .free = pattern_free,
};

/* ---- the source ---- */

static void content_free(void *data) {
        Content *content = data;

        (void)table_rules_free(content->rules);
        (void)regex_matcher_free(content->matcher);
        free(content);
}

static int content_parse(Str text, const RulePatternType *type, void **ret, Buf *error) {
        Content *content = calloc(1, sizeof(*content));
        int r = content ? regex_matcher_new(&content->matcher) : -ENOMEM;

        if (r == 0)
                r = table_rules_new(text, type, &content->rules, error);
        if (r == 0)
                *ret = content;
        else if (content)
                content_free(content);
        return r;
}

static int pcre_content_parse(Str text, void **ret, Buf *error) {
        return content_parse(text, &pcre_pattern, ret, error);
}

static int regexp_content_parse(Str text, void **ret, Buf *error) {
        return content_parse(text, &regexp_pattern, ret, error);
}

static int pcre_open(Table *table, Str name, const char **ret_reason) {
        static const TableContentType type = {
                .may_be_inline = true,
                .parse = pcre_content_parse,
                .free = content_free,
        };

        return table_content_open(table, name, &type, ret_reason);
}

static int regexp_open(Table *table, Str name, const char **ret_reason) {
        static const TableContentType type = {
                .may_be_inline = true,
                .parse = regexp_content_parse,
                .free = content_free,
        };

        return table_content_open(table, name, &type, ret_reason);
}

/* ---- the lookup ---- */

/* The answer, in memory of its own: the reply may ask this table again. False with a reason. */
static bool expand(const Table *table, const Content *content, const RuleAnswer *answer, Buf *ret,
                   const char **ret_reason) {
        int r;

        if (table->context.is_trusted && table_template_has_groups(answer->text)) {
                *ret_reason = "a part of the key in a value that may name a command";
                return false;
        }
        r = table_template_expand(answer->text, content->matcher, ret);
        *ret_reason = r == BUF_E_FULL ? "the value is too long"
                      : r != 0        ? "out of memory"
                                      : "the value is empty";
        return r == 0 && ret->len > 0;
}

static void reply_rule_error(const Table *table, const RuleAnswer *answer, const char *reason,
                             TableReply reply, void *userdata) {
        table_reply_error(reply, userdata, "%.*s: line %" PRIu64 ": %s", TABLE_SPEC_SHOWN,
                          table->spec, answer->line, reason);
}

static int regex_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        Content *content = table_content_get(table);
        const char *reason = NULL;
        RuleAnswer answer;
        TableResult result;

        if (!content) {
                table_content_reply_error(table, reply, userdata);
                return 0;
        }
        if (key.len > REGEX_SUBJECT_MAX) {
                table_reply_error(reply, userdata, "%.*s: the key is too long", TABLE_SPEC_SHOWN,
                                  table->spec);
                return 0;
        }
        regex_matcher_start(content->matcher, key);
        result = table_rules_find(content->rules, content->matcher, &answer);
        if (result == TABLE_ERROR)
                reason = regex_matcher_error(content->matcher);
        else if (result == TABLE_FOUND && !expand(table, content, &answer, &value, &reason))
                result = TABLE_ERROR;
        if (result == TABLE_ERROR)
                reply_rule_error(table, &answer, reason, reply, userdata);
        else
                reply(userdata, result, buf_str(&value));
        return 0;
}

const TableType table_type_pcre = {
        .name = "pcre",
        .has_source = true,
        .any_key = true,
        .is_pattern = true,
        .open = pcre_open,
        .lookup = regex_lookup,
        .close = table_content_close,
};

const TableType table_type_regexp = {
        .name = "regexp",
        .has_source = true,
        .any_key = true,
        .is_pattern = true,
        .open = regexp_open,
        .lookup = regex_lookup,
        .close = table_content_close,
};
