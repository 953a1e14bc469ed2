#pragma once

/* What main.cf says to local, taken out of the configuration once in each worker. */

#include "common/mail/table-list.h"
#include "common/role/role-address.h"
#include "common/role/role.h"
#include "services/local/user.h"

/* How an expansion came about; also the words of allow_mail_to_commands and _files. */
enum {
        SETTINGS_BY_ALIAS = 1 << 0,
        SETTINGS_BY_FORWARD = 1 << 1,
        SETTINGS_BY_INCLUDE = 1 << 2,
};

typedef struct Settings {
        const Config *config; /* of the worker; outlives this */
        const char *service;  /* the transport's name: recipients of it are ours */

        unsigned commands_allowed; /* SETTINGS_BY_* */
        unsigned files_allowed;
        bool extend_aliases; /* propagate_unmatched_extensions: alias, forward, include */
        bool extend_forwards;
        bool extend_includes;
        bool is_delivered_frozen; /* frozen_delivered_to */
        bool show_original;       /* enable_original_recipient: X-Original-To */

        /* The tables; empty lists where there are none. */
        TableList *aliases;
        TableList *mailbox_commands;
        TableList *mailbox_transports;
        TableList *fallback_transports;

        LocalUser nobody; /* default_privs */
        AddressRules addresses;
} Settings;

/*
 * Read them. 0; negative errno after a fatal line: a word that is none of a list's, an unknown
 * type of table, a default_privs that does not exist or is root.
 */
int settings_init(Settings *settings, const RoleEnv *env);
void settings_deinit(Settings *settings);

/* The text of a parameter as a slice; empty when it is not set. */
Str settings_text(const Settings *settings, ConfigParam param);
