#include "common/mail/resolve.h"

#include <errno.h>

#include "common/mail/address.h"
#include "common/mail/domain-name.h"
#include "common/mail/envelope.h"
#include "common/mail/inet-list.h"

#define BAD_ADDRESS   STR("5.1.3 bad address syntax")
#define UNKNOWN       STR("5.1.1 User unknown")
#define UNKNOWN_ALIAS STR("5.1.1 User unknown in virtual alias table")

/* An address that is being stripped of our domains. */
typedef struct Stripping {
        const ResolveRules *rules;
        TableAnswers *answers;
        Buf address;  /* what is left */
        Buf stripped; /* the domain that was taken off last */
        Buf next;
        bool has_stripped;
        bool is_local;
} Stripping;

static bool has(Str text, char operator) {
        return address_find_first(text, operator) < text.len;
}

static bool has_operator(const ResolveRules *rules, Str text) {
        return has(text, '@') || (rules->rewrite.swap_bangpath && has(text, '!')) ||
               (rules->rewrite.allow_percent_hack && has(text, '%'));
}

static Str strip_end(const ResolveRules *rules, Str text) {
        size_t n = text.len;

        if (n >= 2 && text.data[n - 1] == '.' && text.data[n - 2] != '.' && text.data[n - 2] != '@')
                text = str_first(text, n - 1);
        if (rules->null_domain && str_has_suffix(text, STR("@")))
                text = str_first(text, text.len - 1);
        return text;
}

/* Is TEXT one quoted string and nothing else? */
static bool is_quoted(Str text) {
        size_t i = 1;

        if (text.len < 2 || text.data[0] != '"')
                return false;
        while (i < text.len && text.data[i] != '"')
                i += text.data[i] == '\\' ? 2 : 1;
        return i + 1 == text.len;
}

/*
 * "user@other" in quotes, at a domain of ours: whoever hands that on unquoted would relay, so it is
 * taken for the route that it looks like. Appends user@other; false when it is none.
 */
static bool crack_quotes(const ResolveRules *rules, Str quoted, Buf *ret) {
        _cleanup_(buf_deinit) Buf raw = BUF_INIT(quoted.len);
        Str text, user, domain;
        size_t at;

        if (!rules->dequoted || !is_quoted(quoted) || address_unquote_local(quoted, &raw) != 0)
                return false;
        text = buf_str(&raw);
        at = str_find_last(text, '@');
        if (at == text.len && rules->rewrite.allow_percent_hack)
                at = str_find_last(text, '%');
        user = str_first(text, at);
        domain = str_skip(text, at + 1);
        if (at == text.len && rules->rewrite.swap_bangpath) {
                at = str_find(text, '!');
                user = str_skip(text, at + 1);
                domain = str_first(text, at);
        }
        if (at == text.len)
                return false;
        (void)address_quote_local(user, ret);
        (void)buf_append_char(ret, '@');
        return buf_append_str(ret, domain) == 0;
}

/* Take a domain of ours off the end of *TEXT. TABLE_NOT_FOUND: it has a remote one. */
static TableResult strip_domain(Stripping *stripping, Str *text, Buf *error) {
        size_t at = address_find_last(*text, '@');
        Str domain = str_skip(*text, at + 1);
        TableResult result = TABLE_FOUND;

        if (at == text->len)
                return TABLE_FOUND;
        if (!str_is_empty(domain))
                result = local_domains_find(&stripping->rules->local, domain, stripping->answers,
                                            error);
        if (result != TABLE_FOUND)
                return result;
        buf_reset(&stripping->stripped);
        (void)buf_append_str(&stripping->stripped, domain);
        stripping->has_stripped = true;
        *text = str_first(*text, at);
        return TABLE_FOUND;
}

/* Nothing but a local part is left: it is at the domain that was stripped last. */
static void finish_local(Stripping *stripping, Str text) {
        const ResolveRules *rules = stripping->rules;

        if (str_is_empty(text) || str_equal(text, STR("\"\"")))
                text = rules->empty_address;
        (void)buf_append_str(&stripping->next, text);
        (void)buf_append_char(&stripping->next, '@');
        (void)buf_append_str(&stripping->next, stripping->has_stripped
                                                       ? buf_str(&stripping->stripped)
                                                       : rules->myhostname);
        stripping->is_local = true;
}

/*
 * One step: TEXT is what is left. True: stripping->next is the result, else it is what is to be
 * looked at next.
 */
static bool strip_step(Stripping *stripping, Buf *error, TableResult *ret_result) {
        const ResolveRules *rules = stripping->rules;
        Str text = strip_end(rules, buf_str(&stripping->address));

        *ret_result = strip_domain(stripping, &text, error);
        if (*ret_result == TABLE_ERROR || *ret_result == TABLE_WAIT)
                return true;
        if (*ret_result == TABLE_NOT_FOUND) {
                (void)buf_append_str(&stripping->next, text);
                return true;
        }
        if (has_operator(rules, text)) {
                (void)rewrite_address(&rules->rewrite, text, &stripping->next);
                return false;
        }
        if (crack_quotes(rules, text, &stripping->next))
                return false;
        buf_reset(&stripping->next);
        finish_local(stripping, text);
        return true;
}

static int failure(TableResult result) {
        return result == TABLE_ERROR ? RESOLVE_E_TABLE : result == TABLE_WAIT ? RESOLVE_E_WAIT : 0;
}

static int strip_all(Stripping *stripping, Str address, Buf *text) {
        TableResult result = TABLE_NOT_FOUND;
        bool done = false;

        (void)buf_append_str(&stripping->address, address);
        for (size_t n = 0; n < address.len + 100 && !done; n++) {
                buf_reset(&stripping->next);
                done = strip_step(stripping, text, &result);
                if (stripping->next.error || stripping->stripped.error)
                        return -ENOMEM;
                buf_reset(&stripping->address);
                (void)buf_append_str(&stripping->address, buf_str(&stripping->next));
        }
        if (result == TABLE_ERROR || result == TABLE_WAIT)
                return failure(result);
        return buf_append_str(text, buf_str(&stripping->address)) == 0 ? 0 : -ENOMEM;
}

static int strip_routes(const ResolveRules *rules, Str address, TableAnswers *answers, Buf *text,
                        bool *ret_is_local) {
        Stripping stripping = {
                .rules = rules,
                .answers = answers,
                .address = BUF_INIT(text->max),
                .stripped = BUF_INIT(text->max),
                .next = BUF_INIT(text->max),
        };
        int r = strip_all(&stripping, address, text);

        *ret_is_local = stripping.is_local;
        buf_deinit(&stripping.address);
        buf_deinit(&stripping.stripped);
        buf_deinit(&stripping.next);
        return r;
}

/* user@domain with nothing in the user that could be a route: the usual case, and no copy. */
static bool is_plain(Str local, Str domain) {
        static const char special[] = "@!%\"";

        for (size_t i = 0; i + 1 < sizeof(special); i++)
                if (str_contains(local, special[i]))
                        return false;
        return !str_is_empty(local) && !str_is_empty(domain) && !str_has_suffix(domain, STR("."));
}

static int find_recipient(const ResolveRules *rules, TableAnswers *answers, Buf *text,
                          Str *recipient, bool *ret_is_local) {
        Str address = *recipient;
        Str local, domain;
        TableResult result;
        int r;

        if (address_split(address, &local, &domain) && is_plain(local, domain)) {
                result = local_domains_find(&rules->local, domain, answers, text);
                *ret_is_local = result == TABLE_FOUND;
                return failure(result);
        }
        r = strip_routes(rules, address, answers, text, ret_is_local);
        *recipient = buf_str(text);
        return r;
}

static bool domain_is_sane(const ResolveRules *rules, Str domain) {
        InetAddress address;

        if (str_has_prefix(domain, STR("[")))
                return inet_literal_parse(domain, &address);
        return domain_name_is_valid(domain) &&
               (rules->numeric_domain || !domain_name_is_numeric(domain));
}

static int find_class(const ResolveRules *rules, Str domain, TableAnswers *answers, Buf *text,
                      AddressClass *ret) {
        size_t before = text->len;
        TableResult result;

        *ret = ADDRESS_CLASS_DEFAULT;
        result = match_list_find(rules->virtual_alias_domains, domain, answers, text);
        if (result == TABLE_FOUND)
                *ret = ADDRESS_CLASS_VIRTUAL_ALIAS;
        /* The reason alone, without an address that may be in front of it. */
        if (result == TABLE_ERROR)
                buf_consume(text, before);
        return failure(result);
}

static void set_transport(ResolveRoute *route, Str transport, Str domain) {
        size_t colon = str_find(transport, ':');

        route->transport = str_first(transport, colon);
        route->nexthop = str_skip(transport, colon + 1);
        if (str_is_empty(route->nexthop))
                route->nexthop = domain;
}

int resolve_recipient(const ResolveRules *rules, Str address, TableAnswers *answers, Buf *text,
                      ResolveRoute *ret) {
        Str local, domain;
        bool is_local = false;
        int r;

        buf_reset(text);
        *ret = (ResolveRoute){
                .class = ADDRESS_CLASS_DEFAULT,
                .recipient = address,
                .transport = STR("error"),
        };
        r = find_recipient(rules, answers, text, &ret->recipient, &is_local);
        if (r != 0)
                return r;
        (void)address_split(ret->recipient, &local, &domain);
        if (!domain_is_sane(rules, domain)) {
                ret->nexthop = BAD_ADDRESS;
                return 0;
        }
        if (is_local) {
                ret->class = ADDRESS_CLASS_LOCAL;
                set_transport(ret, rules->local_transport, domain);
                return 0;
        }
        r = find_class(rules, domain, answers, text, &ret->class);
        if (ret->class == ADDRESS_CLASS_VIRTUAL_ALIAS)
                ret->nexthop = rules->name_table ? UNKNOWN_ALIAS : UNKNOWN;
        else
                set_transport(ret, rules->default_transport, domain);
        return r;
}
