#pragma once

/*
 * $name in command_execution_directory, forward_path and luser_relay, which local expands for each
 * recipient: a value comes from a stranger (extension, domain ...), so it is taken as it is, never
 * expanded in its turn, and bytes that the filter does not name become '_'. The text around the
 * names is the admin's and stays. Syntax: common/role/config-expand.h. Pure.
 *
 * mailbox_command is not expanded: as in Postfix its shell finds these values in the environment,
 * each run through local_expand_filter().
 */

#include "common/base/buf.h"
#include "common/base/str.h"

/* Names and values; data NULL: not defined. STR("") is defined, and empty. */
typedef struct LocalExpandValues {
        Str user;                /* $user: login name */
        Str home;                /* $home */
        Str shell;               /* $shell */
        Str recipient;           /* $recipient: the whole address */
        Str local;               /* $local: the whole local part */
        Str extension;           /* $extension */
        Str domain;              /* $domain */
        Str recipient_delimiter; /* $recipient_delimiter: the one that was in the address */

        Str filter; /* every byte that values may hold; empty: any */
} LocalExpandValues;

enum {
        LOCAL_EXPAND_E_INVALID = 1,
        LOCAL_EXPAND_E_UNDEFINED = 2
};

/*
 * Append the expansion of TEXT to RET. 0; LOCAL_EXPAND_E_UNDEFINED: done, and a $name that is not
 * defined, or that nobody knows, gave nothing (to ask ${name?..} or ${name:..} does not count):
 * forward_path skips such a file; LOCAL_EXPAND_E_INVALID and a text in ERROR (bad syntax, RET
 * full); -ENOMEM.
 */
int local_expand(Str text, const LocalExpandValues *values, Buf *ret, Buf *error);

/*
 * Append VALUE with every byte that FILTER does not name as '_': what of a message goes into a
 * command's environment (command_expansion_filter). 0, BUF_E_FULL, -ENOMEM.
 */
int local_expand_filter(Str value, Str filter, Buf *ret);
