#include "common/mail/address-lookup.h"

#include <errno.h>

#include "common/mail/address.h"
#include "common/mail/envelope.h"

#define SHOWN_BYTES 300

/* An address taken apart, as keys need it. */
typedef struct Parts {
        Str local; /* as it stands: quoted where it must be */
        Str domain;
        bool qualified;
        Str raw; /* the local part without quotes */
        Str user;
        bool has_extension;
} Parts;

typedef struct Search {
        TableList *tables;
        Buf *value;
        AddressMatch *match;
        bool is_partial; /* the key is not the whole address */
        Buf key;
} Search;

void address_match_deinit(AddressMatch *match) {
        buf_deinit(&match->memory);
}

static int take_apart(const AddressLookupRules *rules, Str address, AddressMatch *match,
                      Parts *ret) {
        AddressExtension extension;

        *ret = (Parts){ 0 };
        ret->qualified = address_split(address, &ret->local, &ret->domain);
        buf_reset(&match->memory);
        match->extension = STR_NULL;
        match->table = NULL;
        if (address_unquote_local(ret->local, &match->memory) != 0)
                return -ENOMEM;
        ret->raw = buf_str(&match->memory);
        ret->has_extension = address_extension_split(rules->extension, ret->raw, &extension);
        if (ret->has_extension)
                ret->user = extension.user;
        return 0;
}

static TableResult ask(Search *search) {
        const TableQuestion question = {
                .key = buf_str(&search->key),
                .is_partial = search->is_partial,
                .answers = search->match->answers,
        };
        Table *table = NULL;
        TableResult result;

        if (search->key.error == BUF_E_FULL)
                return TABLE_NOT_FOUND; /* longer than any address: no table has it */
        if (search->key.error) {
                (void)buf_append_clipped(search->value, STR("out of memory"));
                return TABLE_ERROR;
        }
        result = table_list_ask(search->tables, &question, search->value, &table);
        if (table)
                search->match->table = table;
        return result;
}

static void append_domain(Search *search, const Parts *parts, bool with_domain) {
        if (!with_domain || !parts->qualified)
                return;
        (void)buf_append_char(&search->key, '@');
        (void)buf_append_str(&search->key, parts->domain);
}

/* USER (without quotes), at the domain or alone, in the quoted form and then in the other. */
static TableResult ask_user(Search *search, const Parts *parts, Str user, bool with_domain) {
        TableResult result;
        size_t quoted_len;

        buf_reset(&search->key);
        (void)address_quote_local(user, &search->key);
        quoted_len = search->key.len;
        append_domain(search, parts, with_domain);
        result = ask(search);
        if (result != TABLE_NOT_FOUND || quoted_len == user.len)
                return result;
        buf_reset(&search->key);
        (void)buf_append_str(&search->key, user);
        append_domain(search, parts, with_domain);
        return ask(search);
}

/* The whole user, then without extension. */
static TableResult ask_both(Search *search, const Parts *parts, bool with_domain) {
        TableResult result = ask_user(search, parts, parts->raw, with_domain);

        search->is_partial = true;
        if (result != TABLE_NOT_FOUND || !parts->has_extension)
                return result;
        result = ask_user(search, parts, parts->user, with_domain);
        if (result == TABLE_FOUND)
                search->match->extension = str_skip(parts->raw, parts->user.len);
        return result;
}

static TableResult find_local(const AddressLookupRules *rules, Search *search, Str domain) {
        if (str_equal_nocase(domain, rules->myorigin))
                return TABLE_FOUND;
        return local_domains_find(rules->local, domain, search->match->answers, search->value);
}

static TableResult search_keys(const AddressLookupRules *rules, Search *search,
                               const Parts *parts) {
        TableResult result = ask_both(search, parts, true);

        if (result != TABLE_NOT_FOUND || !parts->qualified)
                return result;
        result = find_local(rules, search, parts->domain);
        if (result == TABLE_FOUND)
                result = ask_both(search, parts, false);
        if (result != TABLE_NOT_FOUND)
                return result;
        buf_reset(&search->key);
        append_domain(search, parts, true);
        return ask(search);
}

TableResult address_lookup(const AddressLookupRules *rules, TableList *tables, Str address,
                           Buf *value, AddressMatch *match) {
        Search search = {
                .tables = tables,
                .value = value,
                .match = match,
                .key = BUF_INIT(2 * ENVELOPE_ADDRESS_MAX + 3),
        };
        TableResult result;
        Parts parts;

        if (table_list_n(tables) == 0 || str_is_empty(address))
                return TABLE_NOT_FOUND;
        if (take_apart(rules, address, match, &parts) != 0) {
                (void)buf_append_clipped(value, STR("out of memory"));
                return TABLE_ERROR;
        }
        result = search_keys(rules, &search, &parts);
        buf_deinit(&search.key);
        return result;
}

void address_lookup_describe(Buf *text, const char *name, Str address, const AddressMatch *match,
                             Str why) {
        (void)buf_append_cstr(text, name);
        (void)buf_append_cstr(text, " map lookup problem for ");
        (void)buf_append_clipped(text, str_first(address, SHOWN_BYTES));
        (void)buf_append_clipped(text, STR(": "));
        if (match->table) {
                (void)buf_append_clipped(text, str_first(table_spec(match->table), SHOWN_BYTES));
                (void)buf_append_clipped(text, STR(": "));
        }
        (void)buf_append_clipped(text, why);
}

/* ---- results ---- */

/* ADDRESS's user, without what MATCH has as its extension, at what begins with "@" in *REST. */
static void append_user(Str address, const AddressMatch *match, Buf *ret) {
        _cleanup_(buf_deinit) Buf raw = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        Str local, domain;

        (void)address_split(address, &local, &domain);
        (void)address_unquote_local(local, &raw);
        buf_truncate(&raw, raw.len - size_min(raw.len, match->extension.len));
        (void)address_quote_local(buf_str(&raw), ret);
}

static void append_extended(Str address, Str extension, Buf *ret) {
        _cleanup_(buf_deinit) Buf raw = BUF_INIT(2 * ENVELOPE_ADDRESS_MAX);
        Str local, domain;
        bool qualified = address_split(address, &local, &domain);

        (void)address_unquote_local(local, &raw);
        (void)buf_append_str(&raw, extension);
        (void)address_quote_local(buf_str(&raw), ret);
        if (qualified) {
                (void)buf_append_char(ret, '@');
                (void)buf_append_str(ret, domain);
        }
        if (raw.error)
                ret->error = raw.error;
}

/* "@other" is the whole value, and no address by itself. */
static int take_next(Str address, const AddressMatch *match, Str *rest, Buf *ret) {
        *rest = str_trim(*rest);
        if (!str_has_prefix(*rest, STR("@")))
                return address_list_next(rest, ret);
        buf_reset(ret);
        append_user(address, match, ret);
        (void)buf_append_str(ret, *rest);
        *rest = STR_NULL;
        return ret->error == 0 && address_is_sane(buf_str(ret)) ? 0 : ADDRESS_E_SYNTAX;
}

int address_value_next(const AddressLookupRules *rules, Str address, const AddressMatch *match,
                       bool propagate, Str *rest, Buf *ret) {
        _cleanup_(buf_deinit) Buf next = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        _cleanup_(buf_deinit) Buf canonical = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        int r;

        buf_reset(ret);
        r = take_next(address, match, rest, &next);
        if (r != 0)
                return r;
        (void)rewrite_address(rules->rewrite, buf_str(&next), &canonical);
        if (propagate && !str_is_empty(match->extension))
                append_extended(buf_str(&canonical), match->extension, ret);
        else
                (void)buf_append_str(ret, buf_str(&canonical));
        if (canonical.error < 0 || ret->error < 0)
                return -ENOMEM;
        return canonical.error || ret->error || canonical.len == 0 ? ADDRESS_E_SYNTAX : 0;
}
