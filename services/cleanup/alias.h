#pragma once

/*
 * Virtual aliases: what a recipient stands for, aliases of aliases included. What cannot be told (a
 * table that does not answer, aliases without end) is never "no alias": the message waits.
 */

#include "common/mail/address-lookup.h"

/* The parameters that decide; borrowed. */
typedef struct AliasRules {
        AddressLookupRules lookup;
        TableList *maps;      /* virtual_alias_maps */
        bool propagate;       /* "virtual" is in propagate_unmatched_extensions */
        size_t expansion_max; /* addresses that one recipient expands to */
        size_t recursion_max; /* lookups behind one another */
        size_t address_max;   /* bytes of a result */
} AliasRules;

enum {
        ALIAS_E_NONE = 1,  /* it is no alias */
        ALIAS_E_TABLE = 2, /* a table did not answer, or what it has makes no sense */
        ALIAS_E_LIMIT = 3, /* one of the limits; often a circle */
};

/*
 * Append the addresses that ADDRESS stands for to RET, each with a LF behind it, as Postfix does:
 * each result is looked up again until there is none; an address that expands to itself among
 * others is kept as it is. 0, ALIAS_E_*; with _TABLE and _LIMIT, REASON says for the log what was
 * wrong with what; -ENOMEM.
 */
int alias_expand(const AliasRules *rules, Str address, Buf *ret, Buf *reason);
