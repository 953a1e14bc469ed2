#pragma once

/*
 * What the parameters say of addresses, as the rules of common/mail: rewriting, extensions, local
 * domains, and where recipients go. Made once at a start or reload.
 *
 * In a loop no table is waited for: one that can block is an error at lookup, which defers.
 */

#include "common/mail/address-lookup.h"
#include "common/mail/resolve.h"
#include "common/role/role.h"

typedef struct AddressRules {
        ResolveRules resolve; /* its .rewrite: local context; its .local: local domains */
        RewriteRules remote;  /* remote context: all in remote_header_rewrite_domain */
        bool rewrites_remote; /* it is set: header addresses of remote mail are rewritten */
        ExtensionRules extension;
        Str myorigin;
        struct AddressRulesOwned *owned;
} AddressRules;

#define ADDRESS_RULES_NULL ((AddressRules){ 0 })

/*
 * Fill RULES, which lives on its own memory: env->config may go. 0, or negative errno after a fatal
 * line that names the parameter. To be deinitialised in any case.
 */
int address_rules_init(AddressRules *rules, const RoleEnv *env);
void address_rules_deinit(AddressRules *rules);

/* How addresses are looked up; points into RULES. */
AddressLookupRules address_rules_lookup(const AddressRules *rules);
