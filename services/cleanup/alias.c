#include "services/cleanup/alias.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base/key-set.h"
#include "common/base/macro.h"
#include "common/mail/address.h"
#include "common/mail/envelope.h"

#define SHOWN_BYTES 300

/* The addresses so far, in order; those before "at" are done with. */
typedef struct Expansion {
        const AliasRules *rules;
        Str recipient;
        char **addresses;
        size_t n, n_allocated;
        size_t at;
        KeySet selves; /* addresses that expanded to themselves */
        Buf *reason;
} Expansion;

static int complain(Expansion *expansion, int code, const char *what, Str subject) {
        (void)buf_append_cstr(expansion->reason, what);
        (void)buf_append_clipped(expansion->reason, str_first(subject, SHOWN_BYTES));
        return code;
}

/* ADDRESS takes the place of the one at "at" when it is the first result, else joins the end. */
static int put_result(Expansion *expansion, Str address, bool is_first) {
        char *copy;

        if (!is_first && expansion->n == expansion->rules->expansion_max)
                return complain(expansion, ALIAS_E_LIMIT,
                                "unreasonable virtual_alias_maps map expansion size for ",
                                expansion->recipient);
        if (expansion->n == expansion->n_allocated) {
                size_t n = size_max(8, 2 * expansion->n_allocated);
                char **addresses = reallocarray(expansion->addresses, n, sizeof(*addresses));

                if (!addresses)
                        return -ENOMEM;
                expansion->addresses = addresses;
                expansion->n_allocated = n;
        }
        copy = str_dup(address);
        if (!copy)
                return -ENOMEM;
        if (is_first) {
                free(expansion->addresses[expansion->at]);
                expansion->addresses[expansion->at] = copy;
        } else {
                expansion->addresses[expansion->n++] = copy;
        }
        return 0;
}

/* The results of one lookup of KEY. */
static int take_value(Expansion *expansion, Str key, Str value, const AddressMatch *match) {
        const AliasRules *rules = expansion->rules;
        _cleanup_(buf_deinit) Buf address = BUF_INIT(ENVELOPE_ADDRESS_MAX);
        size_t n = 0;
        int r;

        while ((r = address_value_next(&rules->lookup, key, match, rules->propagate, &value,
                                       &address)) == 0) {
                if (address.len > rules->address_max)
                        return complain(expansion, ALIAS_E_LIMIT,
                                        "unreasonable virtual_alias_maps map result ",
                                        buf_str(&address));
                r = put_result(expansion, buf_str(&address), n++ == 0);
                if (r != 0)
                        return r;
                if (str_equal_nocase(buf_str(&address), key))
                        (void)key_set_seen(&expansion->selves, key);
        }
        if (r < 0)
                return r;
        if (r == ADDRESS_E_SYNTAX || n == 0)
                return complain(expansion, ALIAS_E_TABLE,
                                "virtual_alias_maps map has no list of addresses for ", key);
        return 0;
}

/* Look KEY, which is the address at "at" or the recipient itself, up once. */
static int expand_once(Expansion *expansion, Str key) {
        const AliasRules *rules = expansion->rules;
        _cleanup_(buf_deinit) Buf value = BUF_INIT(TABLE_VALUE_MAX);
        _cleanup_(address_match_deinit) AddressMatch match = ADDRESS_MATCH_NULL;

        switch (address_lookup(&rules->lookup, rules->maps, key, &value, &match)) {
        case TABLE_NOT_FOUND:
                return ALIAS_E_NONE;
        case TABLE_FOUND:
                return take_value(expansion, key, buf_str(&value), &match);
        case TABLE_ERROR:
        case TABLE_WAIT:
                break;
        }
        address_lookup_describe(expansion->reason, "virtual_alias_maps", key, &match,
                                buf_str(&value));
        return ALIAS_E_TABLE;
}

/* Follow the address at "at" to where it is no alias any more. */
static int follow(Expansion *expansion) {
        for (size_t n = 0;; n++) {
                _cleanup_(freep) char *copy = NULL;
                Str key = str_from_cstr(expansion->addresses[expansion->at]);
                int r;

                if (key_set_has(&expansion->selves, key))
                        return 0;
                if (n >= expansion->rules->recursion_max)
                        return complain(expansion, ALIAS_E_LIMIT,
                                        "unreasonable virtual_alias_maps map nesting for ",
                                        expansion->recipient);
                copy = str_dup(key); /* its place is taken by the first result */
                if (!copy)
                        return -ENOMEM;
                r = expand_once(expansion, str_from(copy, key.len));
                if (r != 0)
                        return r == ALIAS_E_NONE ? 0 : r;
        }
}

static int expand_all(Expansion *expansion, Buf *ret) {
        int r = 0;

        for (; r == 0 && expansion->at < expansion->n; expansion->at++)
                r = follow(expansion);
        for (size_t i = 0; r == 0 && i < expansion->n; i++) {
                (void)buf_append_cstr(ret, expansion->addresses[i]);
                (void)buf_append_char(ret, '\n');
        }
        return r == 0 && ret->error ? -ENOMEM : r;
}

int alias_expand(const AliasRules *rules, Str address, Buf *ret, Buf *reason) {
        Expansion expansion = { .rules = rules, .recipient = address, .reason = reason };
        int r;

        if (table_list_n(rules->maps) == 0)
                return ALIAS_E_NONE;
        key_set_init(&expansion.selves, rules->expansion_max, ENVELOPE_ADDRESS_MAX);
        r = put_result(&expansion, address, false);
        if (r == 0)
                r = expand_all(&expansion, ret);
        for (size_t i = 0; i < expansion.n; i++)
                free(expansion.addresses[i]);
        free(expansion.addresses);
        key_set_deinit(&expansion.selves);
        return r;
}
