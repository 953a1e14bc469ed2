/*
 * Sources of postmap(1) and aliases(5) syntax as a table: what each line means, and which lines
 * are refused, with their number.
 */

#include <stdio.h>
#include <stdlib.h>

#include "common/mail/table-index.h"
#include "common/mail/table.h"
#include "tests/unit/unit.h"

typedef struct Case {
        TableSyntax syntax;
        Str text;
        const char *expected; /* "key=value@line|...", "!reason@line|" for an error */
} Case;

/* clang-format off */
#define MAP(text, expected) \
        { TABLE_SYNTAX_MAP, { text, sizeof(text) - 1 }, expected }
#define ALIASES(text, expected) \
        { TABLE_SYNTAX_ALIASES, { text, sizeof(text) - 1 }, expected }
/* clang-format on */

static const Case cases[] = {
        MAP("", ""),
        MAP("# comment\n\n   \n  # another\n", ""),
        MAP("key value\n", "key=value@1|"),
        MAP("key\t \tvalue and more \r\nKEY2 V2", "key=value and more@1|key2=V2@2|"),
        MAP("key a\n b\n# comment\n\n\tc\nx y", "key=a b\tc@1|x=y@6|"),
        MAP("key # no comment\n", "key=# no comment@1|"),
        MAP("\"two words\" value\n", "\"two words\"=value@1|"),
        MAP("\"John Doe\"@Example.org value\n", "\"john doe\"@example.org=value@1|"),
        MAP("\"a\\\"b\\\\c\" \"v\"\n", "\"a\\\"b\\\\c\"=\"v\"@1|"),
        MAP("a\\ b value\n", "a\\ b=value@1|"),
        MAP("key\nx y\n", "!no value@1|x=y@2|"),
        MAP("x y\n\nkey   \n", "x=y@1|!no value@3|"),
        MAP("\"open value\n", "!no closing quote@1|"),
        MAP("\"\" value\n", "\"\"=value@1|"),
        ALIASES("\"\": value\n", "!no key@1|"),
        MAP("k\xe4 v\nk \xe4\n\xc3\xa4 \xe2\x82\xac\n",
            "!not UTF-8 text@1|!not UTF-8 text@2|\xc3\xa4=\xe2\x82\xac@3|"),
        MAP("  key value\n", "!white space at its start, and no line before it@1|"),
        MAP("k\0y value\n", "!a NUL byte@1|"),
        MAP("key va\0lue\n", "!a NUL byte@1|"),
        ALIASES("root: joe\n", "root=joe@1|"),
        ALIASES("Root:joe, |\"/bin/x: y\"\n", "root=joe, |\"/bin/x: y\"@1|"),
        ALIASES("root: joe,\n  ann\n# comment\n\tbob\nx: y\n", "root=joe,  ann\tbob@1|x=y@5|"),
        ALIASES("root: joe, \r\n ann\r\n", "root=joe,  ann@1|"),
        ALIASES("list : :include:/etc/list\n", "list=:include:/etc/list@1|"),
        ALIASES("\"two words\": x\n", "two words=x@1|"),
        ALIASES("\"with:colon\" : x\n", "with:colon=x@1|"),
        ALIASES("owner-list: x\n", "owner-list=x@1|"),
        ALIASES("root joe\n", "!no ':' after the name@1|"),
        ALIASES("two words: x\n", "!white space in a name that is not quoted@1|"),
        ALIASES(": x\n", "!no key@1|"),
        ALIASES("root:\n", "!no value@1|"),
        ALIASES("a: b\n\"open: x\n", "a=b@1|!no closing quote@2|"),
        ALIASES("ro\0ot: x\n", "!a NUL byte@1|"),
};

START_TEST(each_line_means_what_the_manual_says) {
        const Case *c = &cases[_i];
        Buf found = BUF_INIT(4096);
        TableSource *source;
        uint64_t line = 0;
        Str value;
        Str key;
        int r;

        ck_assert_int_eq(table_source_new(c->text, c->syntax, &source), 0);
        while ((r = table_source_next(source, &key, &value, &line)) != TABLE_SOURCE_E_END) {
                if (r == 0)
                        (void)buf_printf(&found, "%.*s=%.*s@%d|", STR_FMT(key), STR_FMT(value),
                                         (int)line);
                else
                        (void)buf_printf(&found, "!%s@%d|", table_source_reason(source), (int)line);
        }
        ck_assert_str_eq(buf_cstr(&found), c->expected);
        table_source_free(source);
        buf_deinit(&found);
}
END_TEST

START_TEST(rules_say_otherwise) {
        Str text = STR("Key V\nk\xe4Y \xe4\n");
        TableSource *source;
        uint64_t line;
        Str value;
        Str key;

        ck_assert_int_eq(table_source_new(text, TABLE_SYNTAX_MAP, &source), 0);
        table_source_set_rules(source, TABLE_RULE_KEEP_CASE | TABLE_RULE_ANY_BYTES);
        ck_assert_int_eq(table_source_next(source, &key, &value, &line), 0);
        ck_assert(str_equal(key, STR("Key")));
        ck_assert_int_eq(table_source_next(source, &key, &value, &line), 0);
        ck_assert(str_equal(key, STR("k\xe4Y")) && str_equal(value, STR("\xe4")));
        table_source_free(source);
}
END_TEST

typedef struct LengthCase {
        size_t key_len;
        size_t value_len;
        const char *reason; /* NULL: taken */
} LengthCase;

static const LengthCase length_cases[] = {
        { TABLE_KEY_MAX, TABLE_VALUE_MAX, NULL },    { TABLE_KEY_MAX + 1, 1, "key too long" },
        { 1024 * 1024, 1, "key too long" },          { 1, TABLE_VALUE_MAX + 1, "value too long" },
        { 1, TABLE_VALUE_MAX * 4, "line too long" },
};

START_TEST(keys_and_values_have_their_greatest_length) {
        const LengthCase *c = &length_cases[_i];
        size_t len = c->key_len + 1 + c->value_len;
        char *text = malloc(len);
        TableSource *source;
        uint64_t line;
        Str value;
        Str key;
        int r;

        ck_assert_ptr_nonnull(text);
        memset(text, 'x', len);
        text[c->key_len] = ' ';
        ck_assert_int_eq(table_source_new(str_from(text, len), TABLE_SYNTAX_MAP, &source), 0);
        r = table_source_next(source, &key, &value, &line);
        if (c->reason) {
                ck_assert_int_eq(r, TABLE_INDEX_E_SYNTAX);
                ck_assert_str_eq(table_source_reason(source), c->reason);
        } else {
                ck_assert_int_eq(r, 0);
                ck_assert_uint_eq(key.len, c->key_len);
                ck_assert_uint_eq(value.len, c->value_len);
        }
        table_source_free(source);
        free(text);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("table-source");
        TCase *tcase = tcase_create("lines");

        tcase_add_loop_test(tcase, each_line_means_what_the_manual_says, 0, ARRAY_LEN(cases));
        tcase_add_test(tcase, rules_say_otherwise);
        tcase_add_loop_test(tcase, keys_and_values_have_their_greatest_length, 0,
                            ARRAY_LEN(length_cases));
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
