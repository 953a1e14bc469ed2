/*
 * common/mail/address-lookup: which keys an address is looked up by, in which order (what Postfix's
 * virtual(5) calls the table search order), and what results become.
 */

#include "common/base/macro.h"
#include "common/mail/address-lookup.h"
#include "common/mail/address.h"
#include "tests/unit/unit.h"

static const ExtensionRules extension = { .delimiters = STR("+"),
                                          .double_bounce_sender = STR("double-bounce") };
static const RewriteRules rewrite = { .origin = STR("o.example"), .swap_bangpath = true };
static LocalDomains local = { .inet_interfaces = STR("all") };
static MatchList *mydestination;

static AddressLookupRules rules(void) {
        return (AddressLookupRules){ .extension = &extension,
                                     .local = &local,
                                     .rewrite = &rewrite,
                                     .myorigin = STR("o.example") };
}

static void set_up(void) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);

        ck_assert_int_eq(
                match_list_new(STR("l.example"), MATCH_NAMES, NULL, &mydestination, &error), 0);
        local.mydestination = mydestination;
}

static void tear_down(void) {
        mydestination = match_list_free(mydestination);
}

static TableList *make_tables(const char *specs) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
        TableList *list = NULL;

        ck_assert_msg(table_list_new(str_from_cstr(specs), NULL, &list, &error) == 0, "%s: %.*s",
                      specs, STR_FMT(buf_str(&error)));
        return list;
}

/* Keys in the order of the search: a table of those from I on must answer by the I-th. */
static void assert_order(const char *address, const char *const *keys) {
        for (size_t first = 0; keys[first]; first++) {
                _cleanup_(table_list_freep) TableList *tables = NULL;
                _cleanup_(buf_deinit) Buf text = BUF_INIT(1000), value = BUF_INIT(1000);
                _cleanup_(address_match_deinit) AddressMatch match = ADDRESS_MATCH_NULL;
                AddressLookupRules with = rules();

                (void)buf_append_cstr(&text, "inline:{");
                for (size_t i = first; keys[i]; i++)
                        (void)buf_printf(&text, " {%s=%zu}", keys[i], i);
                (void)buf_append_cstr(&text, " {@=none} {other@l.example=none}}");
                tables = make_tables(buf_cstr(&text));
                ck_assert_int_eq(
                        address_lookup(&with, tables, str_from_cstr(address), &value, &match),
                        TABLE_FOUND);
                ck_assert_msg(value.len == 1 && value.data[0] == (char)('0' + first),
                              "%s: not by %s", address, keys[first]);
                ck_assert_int_eq(str_equal(match.extension, STR("+Ext")),
                                 !strstr(keys[first], "ext") && keys[first][0] != '@' &&
                                         strstr(address, "Ext"));
        }
}

START_TEST(keys_are_tried_in_postfix_s_order) {
        static const char *const far[] = { "user+ext@x.example", "user@x.example", "@x.example",
                                           NULL };
        static const char *const here[] = { "user+ext@l.example", "user@l.example",
                                            "user+ext",           "user",
                                            "@l.example",         NULL };
        static const char *const origin[] = { "user@o.example", "user", "@o.example", NULL };
        static const char *const literal[] = { "user@[127.0.0.1]", "user", "@[127.0.0.1]", NULL };
        static const char *const quoted[] = { "\"a b+ext\"@l.example",
                                              "a b+ext@l.example",
                                              "\"a b\"@l.example",
                                              "a b@l.example",
                                              "\"a b+ext\"",
                                              "a b+ext",
                                              "\"a b\"",
                                              "a b",
                                              "@l.example",
                                              NULL };
        static const char *const bare[] = { "user+ext", "user", NULL };

        assert_order("User+Ext@x.example", far);
        assert_order("user+Ext@L.example", here);
        assert_order("user@o.example", origin);
        assert_order("user@[127.0.0.1]", literal);
        assert_order("\"a b+Ext\"@l.example", quoted);
        assert_order("user+Ext", bare);
}
END_TEST

START_TEST(what_is_in_no_table_is_not_found_and_errors_are_errors) {
        static const struct {
                const char *specs, *address;
                TableResult want;
        } rows[] = {
                { "", "user@x.example", TABLE_NOT_FOUND },
                { "inline:{user=1}", "user@x.example", TABLE_NOT_FOUND },
                { "inline:{user=1}", "", TABLE_NOT_FOUND },
                { "inline:{x.example=1}", "user@x.example", TABLE_NOT_FOUND },
                { "inline:{{@x.example=1}}", "user@y.x.example", TABLE_NOT_FOUND },
                { "texthash:/nonexistent/t", "user@x.example", TABLE_ERROR },
                { "inline:{a=1} texthash:/nonexistent/t", "user@x.example", TABLE_ERROR },
                { "inline:{user@x.example=1} texthash:/nonexistent/t", "user@x.example",
                  TABLE_FOUND },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                _cleanup_(table_list_freep) TableList *tables = make_tables(rows[i].specs);
                _cleanup_(buf_deinit) Buf value = BUF_INIT(1000), text = BUF_INIT(1000);
                _cleanup_(address_match_deinit) AddressMatch match = ADDRESS_MATCH_NULL;
                AddressLookupRules with = rules();

                ck_assert_msg(address_lookup(&with, tables, str_from_cstr(rows[i].address), &value,
                                             &match) == rows[i].want,
                              "row %zu", i);
                if (rows[i].want != TABLE_ERROR)
                        continue;
                address_lookup_describe(&text, "x_maps", STR("u@x"), &match, buf_str(&value));
                ck_assert(str_has_prefix(
                        buf_str(&text),
                        STR("x_maps map lookup problem for u@x: texthash:/nonexistent/t: ")));
        }
}
END_TEST

START_TEST(a_list_of_local_domains_that_fails_is_an_error) {
        _cleanup_(table_list_freep) TableList *tables = make_tables("inline:{{@x.example=1}}");
        _cleanup_(buf_deinit) Buf value = BUF_INIT(1000), error = BUF_INIT(1000);
        _cleanup_(address_match_deinit) AddressMatch match = ADDRESS_MATCH_NULL;
        _cleanup_(match_list_freep) MatchList *broken = NULL;
        AddressLookupRules with = rules();

        ck_assert_int_eq(match_list_new(STR("/nonexistent/x"), MATCH_NAMES, NULL, &broken, &error),
                         0);
        local.mydestination = broken;
        ck_assert_int_eq(address_lookup(&with, tables, STR("u@x.example"), &value, &match),
                         TABLE_ERROR);
}
END_TEST

/* VALUE's addresses with a space between, "!" for an error at the end. */
static void assert_value(const char *address, const char *unmatched, const char *text,
                         const char *want) {
        _cleanup_(buf_deinit) Buf got = BUF_INIT(1000), one = BUF_INIT(2048);
        AddressMatch match = { .extension = str_from_cstr(unmatched) };
        AddressLookupRules with = rules();
        Str rest = str_from_cstr(text);
        int r;

        while ((r = address_value_next(&with, str_from_cstr(address), &match, true, &rest, &one)) ==
               0) {
                (void)buf_append_cstr(&got, got.len > 0 ? " " : "");
                (void)buf_append_str(&got, buf_str(&one));
        }
        if (r != ADDRESS_E_END)
                (void)buf_append_char(&got, '!');
        ck_assert_msg(str_equal(buf_str(&got), str_from_cstr(want)), "%s of %s: %.*s, not %s", text,
                      address, STR_FMT(buf_str(&got)), want);
}

START_TEST(results_are_lists_of_addresses_made_canonical) {
        assert_value("u@x", "", "a@b, c d@e", "a@b c@o.example d@e");
        assert_value("u@x", "", "h!user", "user@h");
        assert_value("u+e@x", "+e", "a@b, c", "a+e@b c+e@o.example");
        assert_value("u+e@x", "+e", "\"a b\"@b", "\"a b+e\"@b");
        assert_value("u+e@x", "+e", "@other", "u+e@other");
        assert_value("u+e@x", "", " @other", "u+e@other");
        assert_value("\"a b\"@x", "", "@other", "\"a b\"@other");
        assert_value("u@x", "", "Friends: f1, \"F 2\" <f2@x>;", "f1@o.example f2@x");
        assert_value("u@x", "", "", "");
        assert_value("u@x", "", "<>", "!");
        assert_value("u@x", "", "a@b, <", "a@b!");
        assert_value("u@x", "", "@other other", "!");
        assert_value("u@x", "", "@", "u@");
}
END_TEST

START_TEST(extensions_are_propagated_on_demand) {
        _cleanup_(buf_deinit) Buf one = BUF_INIT(2048);
        AddressMatch match = { .extension = STR("+e") };
        AddressLookupRules with = rules();
        Str rest = STR("a@b"), other = STR("@b");

        ck_assert_int_eq(address_value_next(&with, STR("u+e@x"), &match, false, &rest, &one), 0);
        ck_assert(str_equal(buf_str(&one), STR("a@b")));
        ck_assert_int_eq(address_value_next(&with, STR("u+e@x"), &match, false, &other, &one), 0);
        ck_assert(str_equal(buf_str(&one), STR("u@b")));
}
END_TEST

int main(void) {
        Suite *suite = suite_create("address-lookup");
        TCase *tcase = tcase_create("address-lookup");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, keys_are_tried_in_postfix_s_order);
        tcase_add_test(tcase, what_is_in_no_table_is_not_found_and_errors_are_errors);
        tcase_add_test(tcase, a_list_of_local_domains_that_fails_is_an_error);
        tcase_add_test(tcase, results_are_lists_of_addresses_made_canonical);
        tcase_add_test(tcase, extensions_are_propagated_on_demand);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
