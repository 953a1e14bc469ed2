#include "common/role/role-queue.h"

#include <string.h>

#include "common/base/log.h"
#include "common/mail/log-id.h"

int role_queue_open(const RoleEnv *env, unsigned dirs, Queue **ret) {
        const char *path = config_string(env->config, PARAM_queue_directory);
        int r = queue_open(path, dirs, ret);

        if (r < 0)
                log_fatal(LOG_ID_QUEUE_ERROR, "cannot open the queue at %s: %s", path,
                          strerror(-r));
        return r;
}
