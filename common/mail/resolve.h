#pragma once

/*
 * Where a recipient goes: address class, transport and next hop (Postfix's trivial-rewrite,
 * "resolve"). Address classes so far: local, virtual alias, and everything else.
 *
 * Asks tables where the lists of domains name some; in a loop the answer may come later, and the
 * address is resolved again then (table-answers.h).
 */

#include "common/mail/local-domain.h"
#include "common/mail/rewrite.h"

/* The parameters that decide, expanded; borrowed. */
typedef struct ResolveRules {
        LocalDomains local;
        const MatchList *virtual_alias_domains; /* MATCH_NAMES */
        RewriteRules rewrite;                   /* of local context */
        Str myhostname;                         /* of an address that has no domain */
        Str empty_address;                      /* who gets mail for nobody at a domain of ours */
        Str local_transport;                    /* "transport:nexthop" */
        Str default_transport;                  /* likewise */
        bool null_domain;                       /* resolve_null_domain: "user@" is local */
        bool numeric_domain;                    /* resolve_numeric_domain: "user@1.2.3.4" is sane */
        bool dequoted;   /* resolve_dequoted_address: operators in quotes count */
        bool name_table; /* show_user_unknown_table_name */
} ResolveRules;

typedef enum AddressClass {
        ADDRESS_CLASS_LOCAL,
        ADDRESS_CLASS_VIRTUAL_ALIAS, /* each address in it is an alias; what is none is unknown */
        ADDRESS_CLASS_DEFAULT,
} AddressClass;

/* Slices into the rules, the address, and the TEXT of resolve_recipient(). */
typedef struct ResolveRoute {
        AddressClass class;
        Str recipient; /* the address, without what of it was a route by way of a domain of ours */
        Str transport; /* name of a service in /run/unitpost */
        Str nexthop;   /* the transport's, or the recipient's domain where that is empty */
} ResolveRoute;

enum {
        RESOLVE_E_TABLE = 1,
        RESOLVE_E_WAIT = 2, /* an answer is on its way to ANSWERS */
};

/*
 * Find ADDRESS's route: domains of ours are stripped from its end ("user%other@ours",
 * "other!user@ours") until the domain is a remote one, or none is left. An address whose domain can
 * be none goes to the transport "error". TEXT (emptied first, at least two addresses long) holds
 * what slices point into; with RESOLVE_E_TABLE, which list could not be asked and why. 0,
 * RESOLVE_E_TABLE, RESOLVE_E_WAIT, -ENOMEM.
 */
int resolve_recipient(const ResolveRules *rules, Str address, TableAnswers *answers, Buf *text,
                      ResolveRoute *ret);
