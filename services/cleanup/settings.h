#pragma once

/* cleanup's parameters and tables as a worker has them: opened once, at its start. */

#include "common/mail/queue.h"
#include "common/role/role-address.h"
#include "services/cleanup/alias.h"

typedef struct Settings {
        const Config *config; /* of the worker */
        Queue *queue;
        AddressRules addresses;
        AddressLookupRules lookup;
        AliasRules aliases;
        TableList *virtual_alias_maps;
        TableList *sender_bcc_maps;
        TableList *recipient_bcc_maps;
        bool keep_original; /* enable_original_recipient */
        bool obsolete_from; /* header_from_format */
} Settings;

/*
 * All but the queue, for a worker of ENV. 0, or negative errno after a fatal line that names what
 * is wrong with which parameter.
 */
int settings_new(const RoleEnv *env, Settings **ret);
Settings *settings_free(Settings *settings);
DEFINE_CLEANUP(Settings, settings_free)
