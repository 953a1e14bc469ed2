#include "common/mail/address-extension.h"

static bool is_whole(const ExtensionRules *rules, Str local) {
        return str_equal_nocase(local, STR("postmaster")) ||
               str_equal_nocase(local, STR("mailer-daemon")) ||
               str_equal_nocase(local, rules->double_bounce_sender);
}

/* owner-list and list-request belong to a mailing list, and are aliases of their own. */
static bool is_list_role(const ExtensionRules *rules, Str local) {
        static const Str request = { "-request", 8 };

        if (!rules->owner_request_special || !str_contains(rules->delimiters, '-'))
                return false;
        return str_has_prefix_nocase(local, STR("owner-")) ||
               (local.len > request.len &&
                str_equal_nocase(str_skip(local, local.len - request.len), request));
}

bool address_extension_split(const ExtensionRules *rules, Str local, AddressExtension *ret) {
        size_t at = 0;

        while (at < local.len && !str_contains(rules->delimiters, local.data[at]))
                at++;
        if (at == 0 || at == local.len || is_whole(rules, local) || is_list_role(rules, local))
                return false;
        *ret = (AddressExtension){
                .user = str_first(local, at),
                .extension = str_skip(local, at + 1),
                .delimiter = local.data[at],
        };
        return true;
}
