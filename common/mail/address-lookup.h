#pragma once

/*
 * Addresses in tables: which keys stand for an address, in which order (what postmap(1) calls
 * "table search order"), and what becomes of a result that is a list of addresses again. For
 * aliases, automatic copies, canonical forms, relocated users, transports.
 */

#include "common/mail/address-extension.h"
#include "common/mail/local-domain.h"
#include "common/mail/rewrite.h"
#include "common/mail/table-list.h"

/* The parameters that decide; borrowed. */
typedef struct AddressLookupRules {
        const ExtensionRules *extension;
        const LocalDomains *local;
        const RewriteRules *rewrite; /* of results */
        Str myorigin;                /* a domain of ours, too */
} AddressLookupRules;

/* What an address was found as. */
typedef struct AddressMatch {
        Str extension; /* what the key did not have of the address, with its delimiter: a slice of
                        * memory of the match; empty when the key had all of it, or was @domain */
        Buf memory;
        const Table *table;    /* that knew the key, or failed; owned by the list */
        TableAnswers *answers; /* set by who asks: see table-answers.h; NULL: wait */
} AddressMatch;

#define ADDRESS_MATCH_NULL ((AddressMatch){ .memory = BUF_INIT(4096) })

/* Free the memory of one that is ADDRESS_MATCH_NULL or was filled. */
void address_match_deinit(AddressMatch *match);

/*
 * Look ADDRESS up: user+ext@domain, user@domain; when the domain is one of ours user+ext, user;
 * then @domain. Tables of patterns are asked for the first of these only. Where a user needs quotes
 * the key has them, and if nothing is found is tried without. The value, or the text of an error,
 * is appended to VALUE. With no tables nothing is done at all.
 */
TableResult address_lookup(const AddressLookupRules *rules, TableList *tables, Str address,
                           Buf *value, AddressMatch *match);

/* For the log, when it was TABLE_ERROR: "NAME map lookup problem for ADDRESS: TABLE: WHY". */
void address_lookup_describe(Buf *text, const char *name, Str address, const AddressMatch *match,
                             Str why);

/*
 * The next address of VALUE, the list that ADDRESS was found to stand for: appended to RET (emptied
 * first) in canonical form, and with the extension of MATCH when PROPAGATE says so. "@other" stands
 * for ADDRESS's user at the domain other. *REST starts as VALUE. 0, ADDRESS_E_END,
 * ADDRESS_E_SYNTAX (an element that is no address), -ENOMEM.
 */
int address_value_next(const AddressLookupRules *rules, Str address, const AddressMatch *match,
                       bool propagate, Str *rest, Buf *ret);
