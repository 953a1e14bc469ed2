#pragma once

/* qmgr's parameters, read once per (re)load into plain values. */

#include "common/role/role-address.h"
#include "services/qmgr/schedule.h"
#include "services/qmgr/transport.h"

typedef struct Settings {
        ScheduleLimits schedule;
        AddressRules addresses;
        unsigned active_max;     /* messages in active/ */
        unsigned recipients_max; /* in memory */
        usec_t retry_usec;       /* transport_retry_time */
} Settings;

#define SETTINGS_NULL ((Settings){ 0 })

/* 0, or negative errno after a line in the log; SETTINGS must be deinitialised in any case. */
int settings_init(Settings *settings, const RoleEnv *env);
void settings_deinit(Settings *settings);

/* What NAME_destination_... parameters say. */
TransportLimits settings_transport_limits(const Config *config, const char *name);
