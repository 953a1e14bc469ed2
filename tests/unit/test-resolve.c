/*
 * common/mail/resolve: address class, transport and next hop. The table is what trivial-rewrite of
 * Debian 13's Postfix 3.10 answers to request=resolve over its private/rewrite socket, with the
 * settings of set_up(); quotes are those of an envelope, which it does not use there. Left out: a
 * literal without its "]", which it completes.
 */

#include "common/base/macro.h"
#include "common/mail/resolve.h"
#include "tests/unit/temp-tree.h"
#include "tests/unit/unit.h"

typedef struct Row {
        const char *address;
        AddressClass class;
        const char *transport, *nexthop;
        const char *recipient; /* NULL: the address */
} Row;

static const Row postfix_rows[] = {
        { "user@mx.host.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", "user@mx.host.example" },
        { "user@MX.Host.Example.", ADDRESS_CLASS_LOCAL, "local", "mx.host.example",
          "user@MX.Host.Example" },
        { "user@mx.host.example..", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax",
          NULL },
        { "user@local.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@sub.local.example", ADDRESS_CLASS_DEFAULT, "smtp", "sub.local.example", NULL },
        { "user@elsewhere.example", ADDRESS_CLASS_DEFAULT, "smtp", "elsewhere.example", NULL },
        { "user@elsewhere.example.", ADDRESS_CLASS_DEFAULT, "smtp", "elsewhere.example",
          "user@elsewhere.example" },
        { "user@", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "@mx.host.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example",
          "MAILER-DAEMON@mx.host.example" },
        { "@", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", "MAILER-DAEMON@" },
        { "@elsewhere.example", ADDRESS_CLASS_DEFAULT, "smtp", "elsewhere.example", NULL },
        { "user%elsewhere.example@local.example", ADDRESS_CLASS_DEFAULT, "smtp",
          "elsewhere.example", "user@elsewhere.example" },
        { "user%elsewhere.example%local.example@local.example", ADDRESS_CLASS_DEFAULT, "smtp",
          "elsewhere.example", "user@elsewhere.example" },
        { "elsewhere.example!user@local.example", ADDRESS_CLASS_DEFAULT, "smtp",
          "elsewhere.example", "user@elsewhere.example" },
        { "user@elsewhere.example@local.example", ADDRESS_CLASS_DEFAULT, "smtp",
          "elsewhere.example", "user@elsewhere.example" },
        { "user%x@elsewhere.example", ADDRESS_CLASS_DEFAULT, "smtp", "elsewhere.example", NULL },
        { "x!user@elsewhere.example", ADDRESS_CLASS_DEFAULT, "smtp", "elsewhere.example", NULL },
        { "user%local.example@mx.host.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example",
          "user@local.example" },
        { "user%mx.host.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example",
          "user@mx.host.example" },
        { "user@[127.0.0.1]", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@[::1]", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@[IPv6:::1]", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@[ipv6:::1]", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@[127.0.0.2]", ADDRESS_CLASS_DEFAULT, "smtp", "[127.0.0.2]", NULL },
        { "user@[192.0.2.1]", ADDRESS_CLASS_DEFAULT, "smtp", "[192.0.2.1]", NULL },
        { "user@[nonsense]", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@[IPv6:2001:db8::1]", ADDRESS_CLASS_DEFAULT, "smtp", "[IPv6:2001:db8::1]", NULL },
        { "user@1.2.3.4", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@123", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@127.0.0.1", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@-bad.example", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@a..b", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@under_score.example", ADDRESS_CLASS_DEFAULT, "smtp", "under_score.example", NULL },
        { "user@va.example", ADDRESS_CLASS_VIRTUAL_ALIAS, "error",
          "5.1.1 User unknown in virtual alias table", NULL },
        { "known@va.example", ADDRESS_CLASS_VIRTUAL_ALIAS, "error",
          "5.1.1 User unknown in virtual alias table", NULL },
        { "user@sub.va.example", ADDRESS_CLASS_DEFAULT, "smtp", "sub.va.example", NULL },
        { "user@dot.example", ADDRESS_CLASS_DEFAULT, "smtp", "dot.example", NULL },
        { "user@x.dot.example", ADDRESS_CLASS_DEFAULT, "smtp", "x.dot.example", NULL },
        { "user@va2.example", ADDRESS_CLASS_VIRTUAL_ALIAS, "error",
          "5.1.1 User unknown in virtual alias table", NULL },
        { "MAILER-DAEMON@mx.host.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@localhost", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@xn--bcher-kva.example", ADDRESS_CLASS_DEFAULT, "smtp", "xn--bcher-kva.example",
          NULL },
        { "user@bücher.example", ADDRESS_CLASS_DEFAULT, "smtp", "bücher.example", NULL },
        { "user@a:b", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@a/b", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user%@local.example", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax",
          "user@" },
        { "%x@local.example", ADDRESS_CLASS_DEFAULT, "smtp", "x", "\"\"@x" },
        { "@local.example@local.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example",
          "MAILER-DAEMON@local.example" },
        { "!x@local.example", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", "x@" },
        { "user@.", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "user@.local.example", ADDRESS_CLASS_DEFAULT, "error", "5.1.3 bad address syntax", NULL },
        { "a%b%c@local.example", ADDRESS_CLASS_DEFAULT, "smtp", "c", "a%b@c" },
        { "a!b!c@local.example", ADDRESS_CLASS_DEFAULT, "smtp", "a", "b!c@a" },
        { "user+ext@local.example", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@proxy.example", ADDRESS_CLASS_DEFAULT, "smtp", "proxy.example", NULL },
        { "user@[192.0.2.99]", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
        { "user@file.example", ADDRESS_CLASS_VIRTUAL_ALIAS, "error",
          "5.1.1 User unknown in virtual alias table", NULL },
};

static TempTree tree;
static MatchList *mydestination, *aliases;
static ResolveRules rules;

static MatchList *make_list(const char *text) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
        MatchList *list = NULL;

        ck_assert_int_eq(match_list_new(str_from_cstr(text), MATCH_NAMES, NULL, &list, &error), 0);
        return list;
}

static void set_up(void) {
        char text[512];

        temp_tree_make(&tree);
        temp_tree_write_text(&tree, "domains", "# domains\nfile.example\n");
        (void)snprintf(text, sizeof(text),
                       "inline:{va.example=x, {known@va.example=u}}, .dot.example va2.example, "
                       "%s/domains",
                       tree.root);
        mydestination = make_list("mx.host.example, localhost.host.example, localhost, "
                                  "local.example");
        aliases = make_list(text);
        rules = (ResolveRules){
                .local = {
                        .mydestination = mydestination,
                        .inet_interfaces = STR("loopback-only"),
                        .proxy_interfaces = STR("192.0.2.99"),
                },
                .virtual_alias_domains = aliases,
                .rewrite = {
                        .origin = STR("orig.example"),
                        .swap_bangpath = true,
                        .allow_percent_hack = true,
                },
                .myhostname = STR("mx.host.example"),
                .empty_address = STR("MAILER-DAEMON"),
                .local_transport = STR("local:mx.host.example"),
                .default_transport = STR("smtp"),
                .dequoted = true,
                .name_table = true,
        };
}

static void tear_down(void) {
        mydestination = match_list_free(mydestination);
        aliases = match_list_free(aliases);
        temp_tree_remove(&tree);
}

static void assert_route(const Row *row) {
        const char *recipient = row->recipient ? row->recipient : row->address;
        _cleanup_(buf_deinit) Buf text = BUF_INIT(4096);
        ResolveRoute route;

        ck_assert_int_eq(
                resolve_recipient(&rules, str_from_cstr(row->address), NULL, &text, &route), 0);
        ck_assert_msg(route.class == row->class &&
                              str_equal(route.transport, str_from_cstr(row->transport)) &&
                              str_equal(route.nexthop, str_from_cstr(row->nexthop)) &&
                              str_equal(route.recipient, str_from_cstr(recipient)),
                      "%s: class %d, %.*s:%.*s, %.*s", row->address, route.class,
                      STR_FMT(route.transport), STR_FMT(route.nexthop), STR_FMT(route.recipient));
}

START_TEST(routes_are_postfix_s) {
        for (size_t i = 0; i < ARRAY_LEN(postfix_rows); i++)
                assert_route(&postfix_rows[i]);
}
END_TEST

START_TEST(operators_in_quotes_at_a_domain_of_ours_are_routes) {
        static const Row rows[] = {
                { "\"user@far.example\"@localhost", ADDRESS_CLASS_DEFAULT, "smtp", "far.example",
                  "user@far.example" },
                { "\"user%far.example\"@localhost", ADDRESS_CLASS_DEFAULT, "smtp", "far.example",
                  "user@far.example" },
                { "\"far.example!user\"@localhost", ADDRESS_CLASS_DEFAULT, "smtp", "far.example",
                  "user@far.example" },
                { "\"a b@far.example\"@localhost", ADDRESS_CLASS_DEFAULT, "smtp", "far.example",
                  "\"a b\"@far.example" },
                { "\"user@local.example\"@localhost", ADDRESS_CLASS_LOCAL, "local",
                  "mx.host.example", "user@local.example" },
                { "\"\"@localhost", ADDRESS_CLASS_LOCAL, "local", "mx.host.example",
                  "MAILER-DAEMON@localhost" },
                { "\"a b\"@localhost", ADDRESS_CLASS_LOCAL, "local", "mx.host.example", NULL },
                { "\"x\\\"@y\"@localhost", ADDRESS_CLASS_DEFAULT, "smtp", "y", "\"x\\\"\"@y" },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
                assert_route(&rows[i]);
        rules.dequoted = false;
        assert_route(&(Row){ "\"user@far.example\"@localhost", ADDRESS_CLASS_LOCAL, "local",
                             "mx.host.example", NULL });
}
END_TEST

START_TEST(settings_make_more_addresses_sane) {
        rules.null_domain = true;
        rules.numeric_domain = true;
        assert_route(&(Row){ "user@", ADDRESS_CLASS_LOCAL, "local", "mx.host.example",
                             "user@mx.host.example" });
        assert_route(&(Row){ "user@1.2.3.4", ADDRESS_CLASS_DEFAULT, "smtp", "1.2.3.4", NULL });
        rules.name_table = false;
        assert_route(&(Row){ "user@va2.example", ADDRESS_CLASS_VIRTUAL_ALIAS, "error",
                             "5.1.1 User unknown", NULL });
        rules.local_transport = STR("local");
        assert_route(&(Row){ "user@localhost", ADDRESS_CLASS_LOCAL, "local", "localhost", NULL });
        rules.local_transport = STR("local:");
        assert_route(&(Row){ "user@localhost", ADDRESS_CLASS_LOCAL, "local", "localhost", NULL });
}
END_TEST

START_TEST(a_list_that_cannot_be_asked_is_no_answer) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(4096);
        _cleanup_(match_list_freep) MatchList *broken =
                make_list("first.example, texthash:/nonexistent/table");
        ResolveRoute route;

        rules.virtual_alias_domains = broken;
        ck_assert_int_eq(resolve_recipient(&rules, STR("u@first.example"), NULL, &text, &route), 0);
        ck_assert_int_eq(resolve_recipient(&rules, STR("u@x.example"), NULL, &text, &route),
                         RESOLVE_E_TABLE);
        ck_assert(str_has_prefix(buf_str(&text), STR("texthash:/nonexistent/table: ")));
        ck_assert_int_eq(
                resolve_recipient(&rules, STR("u%x.example@localhost"), NULL, &text, &route),
                RESOLVE_E_TABLE);
        ck_assert(str_has_prefix(buf_str(&text), STR("texthash:/nonexistent/table: ")));
        ck_assert_int_eq(resolve_recipient(&rules, STR("u@localhost"), NULL, &text, &route), 0);
        rules.local.mydestination = broken;
        ck_assert_int_eq(resolve_recipient(&rules, STR("u@localhost"), NULL, &text, &route),
                         RESOLVE_E_TABLE);
        ck_assert_int_eq(resolve_recipient(&rules, STR("u%a@localhost"), NULL, &text, &route),
                         RESOLVE_E_TABLE);
}
END_TEST

int main(void) {
        Suite *suite = suite_create("resolve");
        TCase *tcase = tcase_create("resolve");

        tcase_add_checked_fixture(tcase, set_up, tear_down);
        tcase_add_test(tcase, routes_are_postfix_s);
        tcase_add_test(tcase, operators_in_quotes_at_a_domain_of_ours_are_routes);
        tcase_add_test(tcase, settings_make_more_addresses_sane);
        tcase_add_test(tcase, a_list_that_cannot_be_asked_is_no_answer);
        suite_add_tcase(suite, tcase);
        return unit_run(suite);
}
