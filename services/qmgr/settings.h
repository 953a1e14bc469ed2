#pragma once

/* qmgr's parameters, read once per (re)load into plain values; texts are owned copies. */

#include "common/mail/resolve.h"
#include "common/role/config.h"
#include "services/qmgr/schedule.h"
#include "services/qmgr/transport.h"

typedef struct Settings {
        ScheduleLimits schedule;
        ResolveRules rules; /* slices into the texts below */
        char *mydestination;
        char *local_transport;
        char *default_transport;
        unsigned active_max;     /* messages in active/ */
        unsigned recipients_max; /* in memory */
        usec_t retry_usec;       /* transport_retry_time */
} Settings;

#define SETTINGS_NULL ((Settings){ 0 })

/* 0 or -ENOMEM; SETTINGS must be deinitialised in any case. */
int settings_init(Settings *settings, const Config *config);
void settings_deinit(Settings *settings);

/* What NAME_destination_... parameters say. */
TransportLimits settings_transport_limits(const Config *config, const char *name);
