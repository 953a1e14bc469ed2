/*
 * Any bytes as an address: made canonical it is sane and the same again when it is rewritten once
 * more, its extension is part of it, and it has a route, which is local only at a domain of ours.
 */

#include <stdint.h>
#include <stdlib.h>

#include "common/mail/address-extension.h"
#include "common/mail/address.h"
#include "common/mail/envelope.h"
#include "common/mail/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static MatchList *list_of(const char *text) {
        _cleanup_(buf_deinit) Buf error = BUF_INIT(1000);
        MatchList *list = NULL;

        if (match_list_new(str_from_cstr(text), MATCH_NAMES, NULL, &list, &error) != 0)
                abort();
        return list;
}

static void check_extension(Str address) {
        static const ExtensionRules rules = { .delimiters = STR("+-"),
                                              .double_bounce_sender = STR("double-bounce"),
                                              .owner_request_special = true };
        AddressExtension split;

        if (!address_extension_split(&rules, address, &split))
                return;
        if (split.user.len == 0 || split.user.len + 1 + split.extension.len != address.len ||
            address.data[split.user.len] != split.delimiter)
                abort();
}

static void check_rewrite(const RewriteRules *rules, Str address) {
        _cleanup_(buf_deinit) Buf once = BUF_INIT(2 * ENVELOPE_ADDRESS_MAX);
        _cleanup_(buf_deinit) Buf twice = BUF_INIT(2 * ENVELOPE_ADDRESS_MAX);

        if (!address_is_sane(address) || rewrite_address(rules, address, &once) != 0 ||
            once.len == 0 || once.len > ENVELOPE_ADDRESS_MAX)
                return;
        if (!address_is_sane(buf_str(&once)) ||
            rewrite_address(rules, buf_str(&once), &twice) != 0 ||
            !str_equal(buf_str(&once), buf_str(&twice)))
                abort();
}

static void check_route(const ResolveRules *rules, Str address) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(3 * ENVELOPE_ADDRESS_MAX);
        ResolveRoute route;
        Str local, domain;
        int r = resolve_recipient(rules, address, NULL, &text, &route);

        if (r != 0 || str_is_empty(route.transport) || str_is_empty(route.nexthop))
                abort();
        (void)address_split(route.recipient, &local, &domain);
        if (route.class == ADDRESS_CLASS_LOCAL &&
            local_domains_find(&rules->local, domain, NULL, &text) != TABLE_FOUND)
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(match_list_freep) MatchList *mydestination = list_of("l, o.example, h.example");
        _cleanup_(match_list_freep) MatchList *aliases = list_of("v !w inline:{x=1}");
        Str input = str_from((const char *)data, size_min(size, ENVELOPE_ADDRESS_MAX));
        ResolveRules rules = {
                .local = { .mydestination = mydestination, .inet_interfaces = STR("all") },
                .virtual_alias_domains = aliases,
                .rewrite = { .origin = STR("o.example"),
                             .swap_bangpath = true,
                             .allow_percent_hack = true },
                .myhostname = STR("h.example"),
                .empty_address = STR("MAILER-DAEMON"),
                .local_transport = STR("local:h.example"),
                .default_transport = STR("smtp"),
                .dequoted = size % 2 == 0,
                .null_domain = size % 3 == 0,
        };

        check_extension(input);
        check_rewrite(&rules.rewrite, input);
        if (address_is_sane(input))
                check_route(&rules, input);
        return 0;
}
