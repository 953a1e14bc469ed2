/* common/mail/resolve: address class, transport and next hop. */

#include "common/base/macro.h"
#include "common/mail/resolve.h"
#include "tests/unit/unit.h"

static void assert_route(const ResolveRules *rules, const char *address, const char *transport,
                         const char *nexthop) {
        ResolveRoute route;

        resolve_recipient(rules, str_from_cstr(address), &route);
        ck_assert_msg(str_equal(route.transport, str_from_cstr(transport)) &&
                              str_equal(route.nexthop, str_from_cstr(nexthop)),
                      "%s goes to %.*s:%.*s, not %s:%s", address, STR_FMT(route.transport),
                      STR_FMT(route.nexthop), transport, nexthop);
}

START_TEST(domains_of_mydestination_are_local_all_else_takes_the_default) {
        ResolveRules rules = {
                .mydestination = STR("host.example, localhost.example,localhost"),
                .local_transport = STR("local:host.example"),
                .default_transport = STR("error:5.1.2 not: here"),
        };

        assert_route(&rules, "user", "local", "host.example");
        assert_route(&rules, "user@localhost", "local", "host.example");
        assert_route(&rules, "user@LocalHost.Example", "local", "host.example");
        assert_route(&rules, "\"a@elsewhere\"@localhost", "local", "host.example");
        assert_route(&rules, "user@example", "error", "5.1.2 not: here");
        assert_route(&rules, "user@host.example.com", "error", "5.1.2 not: here");
        assert_route(&rules, "user@", "error", "5.1.2 not: here");
}
END_TEST

START_TEST(a_transport_without_next_hop_goes_to_the_domain) {
        ResolveRules rules = { .local_transport = STR("local"), .default_transport = STR("smtp:") };

        assert_route(&rules, "user@a.example", "smtp", "a.example");
        assert_route(&rules, "user", "local", "");
}
END_TEST

int main(void) {
        return unit_main("resolve", domains_of_mydestination_are_local_all_else_takes_the_default,
                         a_transport_without_next_hop_goes_to_the_domain, NULL);
}
