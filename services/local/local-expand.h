#pragma once

/*
 * $name in command_execution_directory, forward_path and luser_relay, which local expands for each
 * recipient: a value comes from a stranger (extension, domain ...), so it is taken as it is, never
 * expanded in its turn, and bytes that FILTER does not name become '_'. The text around the names
 * is the admin's and stays. Syntax: common/role/config-expand.h. Pure.
 */

#include "common/base/buf.h"
#include "common/base/str.h"

/* Names and values; data NULL: not defined (no extension, no delimiter in the address). */
typedef struct LocalExpandNames {
        Str user;                /* $user: login name */
        Str home;                /* $home */
        Str shell;               /* $shell */
        Str recipient;           /* $recipient: the whole address */
        Str local;               /* $local: the whole local part */
        Str extension;           /* $extension */
        Str domain;              /* $domain */
        Str recipient_delimiter; /* $recipient_delimiter: the one that was in the address */
} LocalExpandNames;

enum {
        LOCAL_EXPAND_E_INVALID = 1
};

/*
 * Append the expansion of TEXT to RET. *RET_UNDEFINED: "$name" or "${name}" was asked for and is
 * not defined or empty (a conditional ${name?..} does not count): forward_path skips such a name.
 * FILTER empty: everything is let through. 0; LOCAL_EXPAND_E_INVALID and a text in ERROR (bad
 * syntax, unknown name, RET full); -ENOMEM.
 */
int local_expand(Str text, const LocalExpandNames *names, Str filter, Buf *ret, bool *ret_undefined,
                 Buf *error);

/*
 * Append VALUE with all bytes that FILTER does not name as '_': what of a message goes into a
 * command's environment (command_expansion_filter). 0, BUF_E_FULL, -ENOMEM.
 */
int local_expand_filter(Str value, Str filter, Buf *ret);
