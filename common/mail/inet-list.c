#include "common/mail/inet-list.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/base/macro.h"

bool inet_address_parse(Str text, InetAddress *ret) {
        char copy[INET6_ADDRSTRLEN];

        *ret = (InetAddress){ .is_v6 = str_contains(text, ':') };
        if (text.len >= sizeof(copy) || str_contains(text, '\0'))
                return false;
        if (text.len > 0)
                memcpy(copy, text.data, text.len);
        copy[text.len] = '\0';
        return inet_pton(ret->is_v6 ? AF_INET6 : AF_INET, copy, ret->bytes) == 1;
}

static bool unbracket(Str text, Str *ret) {
        if (!str_has_prefix(text, STR("[")) || !str_has_suffix(text, STR("]")) || text.len < 2)
                return false;
        *ret = str_first(str_skip(text, 1), text.len - 2);
        return true;
}

bool inet_literal_parse(Str domain, InetAddress *ret) {
        static const Str v6_tag = { "IPv6:", 5 };
        bool tagged;
        Str text;

        if (!unbracket(domain, &text))
                return false;
        tagged = str_has_prefix_nocase(text, v6_tag);
        return inet_address_parse(tagged ? str_skip(text, v6_tag.len) : text, ret) &&
               ret->is_v6 == tagged;
}

static bool is_loopback(const InetAddress *address) {
        static const InetAddress loopback[] = {
                { .bytes = { 127, 0, 0, 1 } },
                { .is_v6 = true, .bytes = { [15] = 1 } },
        };

        for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
                if (address->is_v6 == loopback[i].is_v6 &&
                    memcmp(address->bytes, loopback[i].bytes, sizeof(address->bytes)) == 0)
                        return true;
        return false;
}

static bool entry_is(Str entry, const InetAddress *address) {
        InetAddress listed;

        if (str_equal_nocase(entry, STR("all")) || str_equal_nocase(entry, STR("loopback-only")) ||
            str_equal_nocase(entry, STR("localhost")))
                return is_loopback(address);
        (void)unbracket(entry, &entry);
        return inet_address_parse(entry, &listed) && listed.is_v6 == address->is_v6 &&
               memcmp(listed.bytes, address->bytes, sizeof(listed.bytes)) == 0;
}

bool inet_list_has(Str list, const InetAddress *address) {
        Str entry;

        while (str_next_word(&list, &entry))
                if (entry_is(entry, address))
                        return true;
        return false;
}
