/* common/mail/match-list, inet-list, domain-name: lists of names and addresses. */

#include "common/base/macro.h"
#include "common/mail/domain-name.h"
#include "common/mail/inet-list.h"
#include "common/mail/match-list.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

static void assert_result(MatchStyle style, const char *text, const char *name, TableResult want) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
        _cleanup_(match_list_freep) MatchList *list = NULL;
        TableResult got;

        ck_assert_msg(match_list_new(str_from_cstr(text), style, NULL, &list, &error) == 0,
                      "%s: %.*s", text, STR_FMT(buf_str(&error)));
        got = match_list_find(list, str_from_cstr(name), NULL, &error);
        ck_assert_msg(got == want, "%s in \"%s\" (style %d): %d, %.*s", name, text, style, got,
                      STR_FMT(buf_str(&error)));
        ck_assert_int_eq(error.len > 0, want == TABLE_ERROR);
}

START_TEST(the_first_entry_that_fits_decides) {
        static const struct {
                const char *text, *name;
                bool want;
        } rows[] = {
                { "", "a", false },
                { "a b, c", "b", true },
                { "a b, c", "B", true },
                { "A.Example", "a.example", true },
                { "a", "ab", false },
                { "!a a", "a", false },
                { "a !a", "a", true },
                { "!!a", "a", true },
                { "inline:{a=1, b=2} c", "b", true },
                { "inline:{a=1, b=2} c", "c", true },
                { "inline:{a=1, b=2} c", "d", false },
                { "!inline:{a=1} static:x", "a", false },
                { "!inline:{a=1} static:x", "b", true },
                { ".example", "a.example", false },
                { "example", "a.example", false },
                { "inline:{.example=1}", "a.example", false },
                { "[::1] x", "[::1]", true },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_result(MATCH_NAMES, rows[i].text, rows[i].name,
                              rows[i].want ? TABLE_FOUND : TABLE_NOT_FOUND);
}
END_TEST

START_TEST(domains_have_subdomains_in_two_styles) {
        static const struct {
                const char *text, *name;
                bool dotted, parent; /* what MATCH_DOMAINS and MATCH_PARENT_DOMAINS say */
        } rows[] = {
                { "example", "example", true, true },
                { "pcre:{{/^\\.?example$/ x}}", "example", true, true },
                { "pcre:{{/^\\.?example$/ x}}", "a.example", false, false },
                { "example", "a.example", false, true },
                { "example", "a.b.EXAMPLE", false, true },
                { "example", "aexample", false, false },
                { ".example", "a.example", true, false },
                { ".example", "a.b.example", true, false },
                { ".example", "example", false, false },
                { "!a.example .example", "a.example", false, false },
                { "inline:{example=1}", "a.b.example", false, true },
                { "inline:{.example=1}", "a.b.example", true, false },
                { "inline:{.example=1}", "example", false, false },
                { "inline:{.b.example=1}", "a.b.example", true, false },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                assert_result(MATCH_DOMAINS, rows[i].text, rows[i].name,
                              rows[i].dotted ? TABLE_FOUND : TABLE_NOT_FOUND);
                assert_result(MATCH_PARENT_DOMAINS, rows[i].text, rows[i].name,
                              rows[i].parent ? TABLE_FOUND : TABLE_NOT_FOUND);
        }
}
END_TEST

START_TEST(a_file_stands_for_its_lines) {
        TempTree tree;
        char text[600];

        temp_tree_make(&tree);
        temp_tree_write_text(&tree, "names", "# a\nb, !c\n  d\n#e\ninline:{f=1}");
        (void)snprintf(text, sizeof(text), "%s/names", tree.root);
        assert_result(MATCH_NAMES, text, "a", TABLE_NOT_FOUND);
        assert_result(MATCH_NAMES, text, "b", TABLE_FOUND);
        assert_result(MATCH_NAMES, text, "c", TABLE_NOT_FOUND);
        assert_result(MATCH_NAMES, text, "d", TABLE_FOUND);
        assert_result(MATCH_NAMES, text, "e", TABLE_NOT_FOUND);
        assert_result(MATCH_NAMES, text, "f", TABLE_FOUND);
        (void)snprintf(text, sizeof(text), "!%s/names a b c", tree.root);
        assert_result(MATCH_NAMES, text, "a", TABLE_FOUND);
        assert_result(MATCH_NAMES, text, "b", TABLE_NOT_FOUND);
        assert_result(MATCH_NAMES, text, "c", TABLE_FOUND);
        temp_tree_remove(&tree);
}
END_TEST

START_TEST(what_cannot_be_asked_is_an_error_where_it_is_come_to) {
        static const char *const broken[] = { "/nonexistent/file", "texthash:/nonexistent/file",
                                              "/" };
        char text[100];

        for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
                (void)snprintf(text, sizeof(text), "a %s b", broken[i]);
                assert_result(MATCH_NAMES, text, "a", TABLE_FOUND);
                assert_result(MATCH_NAMES, text, "b", TABLE_ERROR);
                assert_result(MATCH_NAMES, text, "c", TABLE_ERROR);
        }
}
END_TEST

START_TEST(nonsense_is_refused_when_the_list_is_made) {
        static const char *const rows[] = { "a ! b", "nosuchtype:x", "inline:{a",
                                            "inline:{a=", "unix:nothing" };
        TempTree tree;
        char text[100];

        for (size_t i = 0; i <= ARRAY_LEN(rows); i++) {
                _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
                MatchList *list = NULL;

                temp_tree_make(&tree);
                (void)snprintf(text, sizeof(text), "%s/circle", tree.root);
                temp_tree_write_text(&tree, "circle", text);
                ck_assert_int_eq(match_list_new(str_from_cstr(i < ARRAY_LEN(rows) ? rows[i] : text),
                                                MATCH_NAMES, NULL, &list, &error),
                                 MATCH_LIST_E_SYNTAX);
                ck_assert_uint_gt(error.len, 0);
                temp_tree_remove(&tree);
        }
}
END_TEST

START_TEST(addresses_and_literals_rfc5321_4_1_3) {
        static const char *const literals[] = { "[127.0.0.1]", "[IPv6:::1]", "[ipv6:2001:db8::1]" };
        static const char *const others[] = { "127.0.0.1",   "[::1]",         "[IPv6:127.0.0.1]",
                                              "[127.0.0]",   "[127.0.0.1",    "[]",
                                              "[IPv6:::1",   "[127.0.0.1] ",  "[IPv6:]",
                                              "[1.2.3.4.5]", "[127.0.0.256]", "[" };
        InetAddress address;

        for (size_t i = 0; i < ARRAY_LEN(literals); i++)
                ck_assert_msg(inet_literal_parse(str_from_cstr(literals[i]), &address), "%s",
                              literals[i]);
        for (size_t i = 0; i < ARRAY_LEN(others); i++)
                ck_assert_msg(!inet_literal_parse(str_from_cstr(others[i]), &address), "%s",
                              others[i]);
        ck_assert(!inet_address_parse(str_from("127.0.0.1\0x", 11), &address));
}
END_TEST

START_TEST(own_addresses_are_words_of_a_list) {
        static const struct {
                const char *list, *address;
                bool want;
        } rows[] = {
                { "all", "127.0.0.1", true },
                { "loopback-only", "::1", true },
                { "$x, localhost", "127.0.0.1", true },
                { "all", "127.0.0.2", false },
                { "all", "192.0.2.1", false },
                { "192.0.2.7, 192.0.2.1", "192.0.2.1", true },
                { "[2001:db8::1]", "2001:db8:0::1", true },
                { "2001:db8::1", "2001:db8::1", true },
                { "2001:db8::1", "2001:db8::2", false },
                { "mx.example", "192.0.2.1", false },
                { "::7f00:1", "127.0.0.1", false },
                { "", "127.0.0.1", false },
        };
        InetAddress address;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                ck_assert(inet_address_parse(str_from_cstr(rows[i].address), &address));
                ck_assert_msg(inet_list_has(str_from_cstr(rows[i].list), &address) == rows[i].want,
                              "%s in %s", rows[i].address, rows[i].list);
        }
}
END_TEST

START_TEST(domain_names_rfc1123_2_1) {
        ck_assert(domain_name_is_valid(STR("a.example")));
        ck_assert(domain_name_is_valid(STR("_a.b-c.0")));
        ck_assert(domain_name_is_valid(STR("b\xc3\xbc"
                                           "cher.example")));
        ck_assert(!domain_name_is_valid(STR("")));
        ck_assert(!domain_name_is_valid(STR("a..b")));
        ck_assert(!domain_name_is_valid(STR(".a")));
        ck_assert(!domain_name_is_valid(STR("a.")));
        ck_assert(!domain_name_is_valid(STR("-a.b")));
        ck_assert(!domain_name_is_valid(STR("a b")));
        ck_assert(domain_name_is_numeric(STR("1.2.3.4")));
        ck_assert(!domain_name_is_numeric(STR("1.2.3.a")));
}
END_TEST

int main(void) {
        return unit_main("match-list", the_first_entry_that_fits_decides,
                         domains_have_subdomains_in_two_styles, a_file_stands_for_its_lines,
                         what_cannot_be_asked_is_an_error_where_it_is_come_to,
                         nonsense_is_refused_when_the_list_is_made,
                         addresses_and_literals_rfc5321_4_1_3, own_addresses_are_words_of_a_list,
                         domain_names_rfc1123_2_1, NULL);
}
