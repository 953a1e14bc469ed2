/*
 * Rules are an array. An "if" knows where the array goes on behind its "endif", so that "endif" is
 * none of them. A malformed line makes the whole source none: to leave a rule out, or what an "if"
 * keeps together, would let others answer in its place.
 */

#include "common/mail/table-rules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "common/mail/table-file.h"
#include "common/mail/table-index.h"

typedef struct Rule {
        void *pattern;
        uint64_t line;
        size_t answer_offset; /* of an if: the rule behind its endif */
        size_t answer_len;
        bool is_if;
        bool is_negated;
} Rule;

struct TableRules {
        const RulePatternType *type;
        Rule *rules;
        size_t n;
        size_t n_allocated;
        Buf answers;
};

typedef struct Parser {
        TableRules *rules;
        Buf *error;
        uint64_t line;
        size_t open[TABLE_RULES_DEPTH_MAX]; /* the ifs that have no endif yet */
        size_t n_open;
} Parser;

static int fail(Parser *parser, const char *reason) {
        (void)buf_printf(parser->error, "line %" PRIu64 ": %s", parser->line, reason);
        return TABLE_E_SYNTAX;
}

static int append_rule(TableRules *rules, Rule **ret) {
        if (rules->n == rules->n_allocated) {
                size_t n = rules->n_allocated > 0 ? rules->n_allocated * 2 : 16;
                Rule *grown = reallocarray(rules->rules, n, sizeof(Rule));

                if (!grown)
                        return -ENOMEM;
                rules->rules = grown;
                rules->n_allocated = n;
        }
        *ret = &rules->rules[rules->n++];
        **ret = (Rule){ 0 };
        return 0;
}

/* Take WORD off, letters of any case, where it is not the start of a longer one. */
static bool take_word(Str *line, Str word) {
        Str rest = str_skip(*line, word.len);

        if (!str_has_prefix_nocase(*line, word) ||
            (!str_is_empty(rest) && (ascii_is_alpha(rest.data[0]) || ascii_is_digit(rest.data[0]))))
                return false;
        *line = str_trim(rest);
        return true;
}

static bool take_negations(Str *line) {
        bool is_negated = false;

        while (str_has_prefix(*line, STR("!"))) {
                is_negated = !is_negated;
                *line = str_trim(str_skip(*line, 1));
        }
        return is_negated;
}

static int check_answer(Parser *parser, const Rule *rule, Str answer) {
        const RulePatternType *type = parser->rules->type;
        const char *reason = NULL;

        if (str_is_empty(answer))
                return fail(parser, "no value");
        if (answer.len > TABLE_VALUE_MAX)
                return fail(parser, "value too long");
        if (type->check_answer)
                reason = type->check_answer(rule->pattern, rule->is_negated, answer);
        return reason ? fail(parser, reason) : 0;
}

static int set_answer(Parser *parser, Rule *rule, Str answer) {
        int r = check_answer(parser, rule, answer);

        if (r != 0)
                return r;
        rule->answer_offset = parser->rules->answers.len;
        rule->answer_len = answer.len;
        return buf_append_str(&parser->rules->answers, answer) == 0 ? 0 : -ENOMEM;
}

static int open_if(Parser *parser, Rule *rule, Str rest) {
        if (!str_is_empty(rest) && !parser->rules->type->ignores_rest)
                return fail(parser, "text behind the pattern of an if");
        if (parser->n_open == TABLE_RULES_DEPTH_MAX)
                return fail(parser, "ifs within ifs, too many levels");
        rule->is_if = true;
        parser->open[parser->n_open++] = parser->rules->n - 1;
        return 0;
}

static int close_if(Parser *parser, Str rest) {
        if (!str_is_empty(rest) && !parser->rules->type->ignores_rest)
                return fail(parser, "text behind an endif");
        if (parser->n_open == 0)
                return fail(parser, "an endif that closes no if");
        parser->rules->rules[parser->open[--parser->n_open]].answer_offset = parser->rules->n;
        return 0;
}

static int parse_pattern(Parser *parser, Str *line, Rule *rule) {
        _cleanup_(buf_deinit) Buf reason = BUF_INIT(200);
        int r;

        rule->line = parser->line;
        rule->is_negated = take_negations(line);
        if (str_is_empty(*line))
                return fail(parser, "no pattern");
        r = parser->rules->type->parse(line, &rule->pattern, &reason);
        if (r == TABLE_E_SYNTAX)
                (void)fail(parser, buf_cstr(&reason) ? buf_cstr(&reason) : "malformed");
        *line = str_trim(*line);
        return r;
}

static int parse_line(Parser *parser, Str line) {
        bool is_if;
        Rule *rule;
        int r;

        if (take_word(&line, STR("endif")))
                return close_if(parser, line);
        if (parser->rules->n == TABLE_RULES_MAX)
                return fail(parser, "too many rules");
        is_if = take_word(&line, STR("if"));
        r = append_rule(parser->rules, &rule);
        if (r == 0)
                r = parse_pattern(parser, &line, rule);
        if (r != 0)
                return r;
        return is_if ? open_if(parser, rule, line) : set_answer(parser, rule, line);
}

static int parse_lines(Parser *parser, TableSource *source) {
        Str line;
        int r = 0;

        while (r == 0) {
                r = table_source_next_line(source, &line, &parser->line);
                if (r == TABLE_INDEX_E_SYNTAX)
                        return fail(parser, table_source_reason(source));
                if (r == 0)
                        r = parse_line(parser, str_trim(line));
        }
        if (r != TABLE_SOURCE_E_END)
                return r;
        if (parser->n_open == 0)
                return 0;
        parser->line = parser->rules->rules[parser->open[parser->n_open - 1]].line;
        return fail(parser, "an if that has no endif");
}

int table_rules_new(Str text, const RulePatternType *type, TableRules **ret, Buf *error) {
        _cleanup_(table_source_freep) TableSource *source = NULL;
        _cleanup_(table_rules_freep) TableRules *rules = calloc(1, sizeof(*rules));
        Parser parser = { .rules = rules, .error = error };
        int r;

        if (!rules)
                return -ENOMEM;
        rules->type = type;
        rules->answers = BUF_INIT(TABLE_SOURCE_MAX_BYTES);
        r = table_source_new(text, TABLE_SYNTAX_MAP, &source);
        if (r == 0)
                r = parse_lines(&parser, source);
        if (r == 0)
                *ret = TAKE_PTR(rules);
        return r;
}

TableRules *table_rules_free(TableRules *rules) {
        if (!rules)
                return NULL;
        for (size_t i = 0; i < rules->n; i++)
                if (rules->rules[i].pattern)
                        rules->type->free(rules->rules[i].pattern);
        free(rules->rules);
        buf_deinit(&rules->answers);
        free(rules);
        return NULL;
}

static RuleAnswer answer_of(const TableRules *rules, const Rule *rule) {
        return (RuleAnswer){
                .text = rule->is_if ? STR_NULL
                                    : str_from(rules->answers.data + rule->answer_offset,
                                               rule->answer_len),
                .is_negated = rule->is_negated,
                .line = rule->line,
        };
}

TableResult table_rules_find(const TableRules *rules, void *query, RuleAnswer *ret) {
        size_t i = 0;

        while (i < rules->n) {
                const Rule *rule = &rules->rules[i];
                RuleMatch match = rules->type->match(rule->pattern, query);
                bool fits = match == (rule->is_negated ? RULE_DIFFERS : RULE_MATCHES);

                if (match == RULE_FAILS || (fits && !rule->is_if)) {
                        *ret = answer_of(rules, rule);
                        return match == RULE_FAILS ? TABLE_ERROR : TABLE_FOUND;
                }
                i = rule->is_if && !fits ? rule->answer_offset : i + 1;
        }
        return TABLE_NOT_FOUND;
}
