#pragma once

/*
 * Address extensions: "user+folder", where '+' is one of $recipient_delimiter. Pure; works on local
 * parts without quotes (address_unquote_local()).
 */

#include <stdbool.h>

#include "common/base/str.h"

/* The parameters that decide; borrowed. */
typedef struct ExtensionRules {
        Str delimiters;             /* $recipient_delimiter: a set of characters; empty: never */
        Str double_bounce_sender;   /* $double_bounce_sender: a name that has no extension */
        bool owner_request_special; /* with '-' in the set, owner-X and X-request have none */
} ExtensionRules;

/* A local part, taken apart; slices of it. */
typedef struct AddressExtension {
        Str user;       /* never empty */
        Str extension;  /* without its delimiter; may be empty ("user+") */
        char delimiter; /* the one of the set that was used */
} AddressExtension;

/*
 * Split LOCAL at the first character of the set. False, with *RET untouched, when it has no
 * extension: no such character, or one in front (there would be no user left), or one of the names
 * that are never split (postmaster, mailer-daemon, the double bounce sender; letters compare
 * without case).
 */
bool address_extension_split(const ExtensionRules *rules, Str local, AddressExtension *ret);
