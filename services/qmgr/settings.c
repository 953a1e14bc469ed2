#include "services/qmgr/settings.h"

static ScheduleLimits schedule_limits(const Config *config) {
        return (ScheduleLimits){
                .minimal_backoff_usec = config_time_usec(config, PARAM_minimal_backoff_time),
                .maximal_backoff_usec = config_time_usec(config, PARAM_maximal_backoff_time),
                .queue_lifetime_usec = config_time_usec(config, PARAM_maximal_queue_lifetime),
                .bounce_lifetime_usec = config_time_usec(config, PARAM_bounce_queue_lifetime),
                .delay_warning_usec = config_time_usec(config, PARAM_delay_warning_time),
        };
}

int settings_init(Settings *settings, const RoleEnv *env) {
        const Config *config = env->config;

        *settings = (Settings){
                .schedule = schedule_limits(config),
                .active_max = (unsigned)config_int(config, PARAM_qmgr_message_active_limit),
                .recipients_max = (unsigned)config_int(config, PARAM_qmgr_message_recipient_limit),
                .retry_usec = config_time_usec(config, PARAM_transport_retry_time),
        };
        return address_rules_init(&settings->addresses, env);
}

void settings_deinit(Settings *settings) {
        address_rules_deinit(&settings->addresses);
        *settings = SETTINGS_NULL;
}

TransportLimits settings_transport_limits(const Config *config, const char *name) {
        return (TransportLimits){
                .destination_concurrency =
                        (unsigned)config_service_int(config, name, "destination_concurrency_limit",
                                                     PARAM_default_destination_concurrency_limit),
                .destination_recipients =
                        (unsigned)config_service_int(config, name, "destination_recipient_limit",
                                                     PARAM_default_destination_recipient_limit),
                .processes = (unsigned)config_int(config, PARAM_default_process_limit),
                .retry_usec = config_time_usec(config, PARAM_transport_retry_time),
        };
}
