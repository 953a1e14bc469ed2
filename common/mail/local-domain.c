#include "common/mail/local-domain.h"

#include "common/mail/inet-list.h"

TableResult local_domains_find(const LocalDomains *domains, Str domain, TableAnswers *answers,
                               Buf *error) {
        InetAddress address;
        TableResult result;

        if (str_has_suffix(domain, STR(".")))
                domain = str_first(domain, domain.len - 1);
        if (str_is_empty(domain) || str_has_suffix(domain, STR(".")))
                return TABLE_NOT_FOUND;
        result = match_list_find(domains->mydestination, domain, answers, error);
        if (result != TABLE_NOT_FOUND || !inet_literal_parse(domain, &address))
                return result;
        return inet_list_has(domains->inet_interfaces, &address) ||
                               inet_list_has(domains->proxy_interfaces, &address)
                       ? TABLE_FOUND
                       : TABLE_NOT_FOUND;
}
