/*
 * cidr:/path, cidr:{ {rule}, ... }: addresses by network. The key is an address; what is none is
 * not found. A rule of one family says nothing about the other, with "!" neither.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "common/mail/table-content.h"
#include "common/mail/table-rules.h"

typedef struct Network {
        int family;
        unsigned n_bits;
        unsigned char bytes[sizeof(struct in6_addr)];
} Network;

static bool parse_address(Str text, Network *ret) {
        char address[INET6_ADDRSTRLEN];

        if (text.len >= sizeof(address) || str_contains(text, '\0'))
                return false;
        memcpy(address, text.len > 0 ? text.data : "", text.len);
        address[text.len] = '\0';
        ret->family = str_contains(text, ':') ? AF_INET6 : AF_INET;
        ret->n_bits = ret->family == AF_INET ? 32 : 128;
        return inet_pton(ret->family, address, ret->bytes) == 1;
}

/* Of byte I of an address, the bits that belong to a network of N_BITS. */
static unsigned char mask_of(size_t i, unsigned n_bits) {
        if (n_bits >= 8 * (i + 1))
                return 0xff;
        return n_bits <= 8 * i ? 0 : (unsigned char)(0xff << (8 * (i + 1) - n_bits));
}

static bool contains(const Network *network, const Network *address) {
        for (size_t i = 0; i < sizeof(network->bytes) && network->n_bits > 8 * i; i++)
                if ((network->bytes[i] ^ address->bytes[i]) & mask_of(i, network->n_bits))
                        return false;
        return true;
}

static bool has_host_bits(const Network *network) {
        size_t n = network->family == AF_INET ? 4 : 16;

        for (size_t i = network->n_bits / 8; i < n; i++)
                if (network->bytes[i] & (unsigned char)~mask_of(i, network->n_bits))
                        return true;
        return false;
}

/* "[address]/bits" and "[address/bits]" are "address/bits". */
static bool split(Str word, Str *ret_address, Str *ret_bits, bool *ret_has_bits) {
        Str behind = STR_NULL;
        size_t n;

        if (str_has_prefix(word, STR("["))) {
                n = str_find(word, ']');
                if (n == word.len)
                        return false;
                behind = str_skip(word, n + 1);
                word = str_first(str_skip(word, 1), n - 1);
        }
        n = str_find(word, '/');
        *ret_has_bits = n < word.len || !str_is_empty(behind);
        *ret_address = str_first(word, n);
        *ret_bits = n < word.len ? str_skip(word, n + 1) : str_skip(behind, 1);
        return str_is_empty(behind) || (n == word.len && behind.data[0] == '/');
}

static const char *parse_network(Str word, Network *ret) {
        uint64_t n_bits;
        bool has_bits;
        Str address;
        Str bits;

        if (!split(word, &address, &bits, &has_bits) || !parse_address(address, ret))
                return "not an address, or address/bits";
        if (!has_bits)
                return NULL;
        if (str_parse_u64(bits, ret->n_bits, &n_bits) != 0)
                return "a malformed or too large number of bits behind the '/'";
        ret->n_bits = (unsigned)n_bits;
        return has_host_bits(ret) ? "an address with bits that do not belong to the network" : NULL;
}

static int cidr_parse(Str *rest, void **ret, Buf *error) {
        Network network = { 0 };
        const char *reason;
        size_t n = 0;

        while (n < rest->len && !ascii_is_space(rest->data[n]))
                n++;
        reason = parse_network(str_first(*rest, n), &network);
        if (reason) {
                (void)buf_append_clipped(error, str_from_cstr(reason));
                return TABLE_E_SYNTAX;
        }
        *rest = str_skip(*rest, n);
        *ret = malloc(sizeof(network));
        if (!*ret)
                return -ENOMEM;
        memcpy(*ret, &network, sizeof(network));
        return 0;
}

static RuleMatch cidr_match(void *pattern, void *query) {
        const Network *network = pattern;
        const Network *address = query;

        if (network->family != address->family)
                return RULE_FOREIGN;
        return contains(network, address) ? RULE_MATCHES : RULE_DIFFERS;
}

static const RulePatternType pattern_type = {
        .parse = cidr_parse,
        .match = cidr_match,
        .free = free,
};

static int content_parse(Str text, void **ret, Buf *error) {
        TableRules *rules;
        int r = table_rules_new(text, &pattern_type, &rules, error);

        if (r == 0)
                *ret = rules;
        return r;
}

static void content_free(void *rules) {
        (void)table_rules_free(rules);
}

static const TableContentType content_type = {
        .may_be_inline = true,
        .parse = content_parse,
        .free = content_free,
};

static int cidr_open(Table *table, Str name, const char **ret_reason) {
        return table_content_open(table, name, &content_type, ret_reason);
}

static int cidr_lookup(Table *table, Str key, TableReply reply, void *userdata) {
        const TableRules *rules = table_content_get(table);
        _cleanup_(buf_deinit) Buf copy = BUF_INIT(TABLE_VALUE_MAX);
        Network address = { 0 };
        RuleAnswer answer;

        if (!rules)
                table_content_reply_error(table, reply, userdata);
        else if (!parse_address(key, &address) ||
                 table_rules_find(rules, &address, &answer) != TABLE_FOUND)
                reply(userdata, TABLE_NOT_FOUND, STR_NULL);
        /* The reply may ask this table again, and that may read the source anew. */
        else if (buf_append_str(&copy, answer.text) == 0)
                reply(userdata, TABLE_FOUND, buf_str(&copy));
        else
                table_reply_error(reply, userdata, "%s: out of memory", table->spec);
        return 0;
}

const TableType table_type_cidr = {
        .name = "cidr",
        .has_source = true,
        .is_pattern = true,
        .open = cidr_open,
        .lookup = cidr_lookup,
        .close = table_content_close,
};
