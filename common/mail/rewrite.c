#include "common/mail/rewrite.h"

#include "common/mail/address.h"

typedef struct Parts {
        Str local;
        Str domain;
        bool qualified; /* there is an '@', with whatever behind it */
} Parts;

static Str strip_route(Str address) {
        size_t colon;

        if (!str_has_prefix(address, STR("@")))
                return address;
        colon = address_find_first(address, ':');
        return colon + 1 < address.len ? str_skip(address, colon + 1) : address;
}

static Parts split_at(Str address, size_t at) {
        return (Parts){
                .local = str_first(address, at),
                .domain = str_skip(address, at + 1),
                .qualified = true,
        };
}

/* The address without '@' that is ADDRESS, in the form with one. */
static Parts qualify(const RewriteRules *rules, Str address) {
        size_t at;

        at = rules->swap_bangpath ? address_find_first(address, '!') : address.len;
        if (at < address.len)
                return (Parts){
                        .local = str_skip(address, at + 1),
                        .domain = str_first(address, at),
                        .qualified = true,
                };
        at = rules->allow_percent_hack ? address_find_last(address, '%') : address.len;
        if (at < address.len)
                return split_at(address, at);
        return (Parts){
                .local = address,
                .domain = rules->origin,
                .qualified = !str_is_empty(rules->origin),
        };
}

/* Not of ".." and of a lone ".": a bounce shows the nonsense as it came. */
static Str strip_dot(Str text) {
        bool strip =
                text.len >= 2 && text.data[text.len - 1] == '.' && text.data[text.len - 2] != '.';

        return strip ? str_first(text, text.len - 1) : text;
}

static bool wants_domain(const RewriteRules *rules, Str domain) {
        return !str_is_empty(rules->domain) && !str_is_empty(domain) &&
               !str_contains(domain, '.') && !str_contains(domain, '[');
}

int rewrite_address(const RewriteRules *rules, Str address, Buf *ret) {
        Parts parts;
        size_t at;

        address = strip_route(address);
        if (str_is_empty(address) || str_equal(address, STR("@")) ||
            str_equal(address, STR("\"\"")))
                return ret->error;
        at = address_find_last(address, '@');
        parts = at < address.len ? split_at(address, at) : qualify(rules, address);
        if (!parts.qualified)
                return address_requote_local(strip_dot(parts.local), ret);
        (void)address_requote_local(parts.local, ret);
        (void)buf_append_char(ret, '@');
        (void)buf_append_str(ret, strip_dot(parts.domain));
        if (wants_domain(rules, parts.domain)) {
                (void)buf_append_char(ret, '.');
                (void)buf_append_str(ret, rules->domain);
        }
        return ret->error;
}
