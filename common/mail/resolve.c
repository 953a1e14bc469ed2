#include "common/mail/resolve.h"

#include "common/mail/address.h"

static bool list_has_domain(Str list, Str domain) {
        Str word;

        while (str_next_word(&list, &word))
                if (str_equal_nocase(word, domain))
                        return true;
        return false;
}

void resolve_recipient(const ResolveRules *rules, Str address, ResolveRoute *ret) {
        Str local, domain, route;
        size_t colon;
        bool is_local;

        is_local = !address_split(address, &local, &domain) ||
                   list_has_domain(rules->mydestination, domain);
        route = is_local ? rules->local_transport : rules->default_transport;
        colon = str_find(route, ':');
        *ret = (ResolveRoute){
                .transport = str_first(route, colon),
                .nexthop = colon < route.len ? str_skip(route, colon + 1) : STR_NULL,
        };
        if (str_is_empty(ret->nexthop))
                ret->nexthop = domain;
}
