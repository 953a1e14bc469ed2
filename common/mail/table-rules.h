#pragma once

/*
 * Sources of rules, for cidr:, regexp: and pcre: : in order, the first that fits answers.
 *
 *   PATTERN ANSWER
 *   !PATTERN ANSWER     when it does not match
 *   if PATTERN          the rules to its endif count only when it matches
 *   if !PATTERN
 *   endif
 *
 * What a pattern is, a struct of functions says.
 */

#include "common/base/buf.h"
#include "common/base/macro.h"
#include "common/mail/table.h"

/* Rules of one source, and how deep its ifs may nest. */
#define TABLE_RULES_MAX       (1024 * 1024)
#define TABLE_RULES_DEPTH_MAX 32

typedef enum RuleMatch {
        RULE_MATCHES,
        RULE_DIFFERS,
        RULE_FOREIGN, /* of another kind: does not match, and "!" does not either */
        RULE_FAILS,   /* nobody knows */
} RuleMatch;

typedef struct RulePatternType {
        bool ignores_rest; /* text behind "if PATTERN" and "endif" */
        /*
         * Make the pattern at the start of *REST, and take it off. 0; TABLE_E_SYNTAX with a text in
         * ERROR; -ENOMEM.
         */
        int (*parse)(Str *rest, void **ret, Buf *error);
        /* Is ANSWER one that a rule with PATTERN can have? NULL or a static text. May be NULL. */
        const char *(*check_answer)(const void *pattern, bool is_negated, Str answer);
        RuleMatch (*match)(void *pattern, void *query);
        void (*free)(void *pattern);
} RulePatternType;

typedef struct TableRules TableRules;

/* Make them of TEXT. 0; TABLE_E_SYNTAX with a text in ERROR that says which line; -ENOMEM. */
int table_rules_new(Str text, const RulePatternType *type, TableRules **ret, Buf *error);
TableRules *table_rules_free(TableRules *rules);
DEFINE_CLEANUP(TableRules, table_rules_free)

/* Of the rule that answered, or failed. */
typedef struct RuleAnswer {
        Str text; /* as long as the rules */
        bool is_negated;
        uint64_t line;
} RuleAnswer;

/* Ask: QUERY is for match() of the type. RET is set but for TABLE_NOT_FOUND. */
TableResult table_rules_find(const TableRules *rules, void *query, RuleAnswer *ret);
