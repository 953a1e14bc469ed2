#include "common/role/ipc-address.h"

#include <errno.h>
#include <stdio.h>

#include "common/base/str.h"

static const char *socket_directory = IPC_SOCKET_DIRECTORY;

void ipc_address_set_directory(const char *directory) {
        socket_directory = directory ? directory : IPC_SOCKET_DIRECTORY;
}

static bool name_part_is_valid(Str part) {
        for (size_t i = 0; i < part.len; i++)
                if (!ascii_is_alpha(part.data[i]) && !ascii_is_digit(part.data[i]) &&
                    part.data[i] != '-' && part.data[i] != '_')
                        return false;
        return part.len > 0;
}

int ipc_address_fill(const char *service, struct sockaddr_un *ret) {
        Str name = str_from_cstr(service);
        size_t slash = str_find(name, '/');
        int n;

        if (!name_part_is_valid(str_first(name, slash)))
                return -EINVAL;
        if (slash < name.len && !name_part_is_valid(str_skip(name, slash + 1)))
                return -EINVAL;
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        n = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s", socket_directory, service);
        return n > 0 && (size_t)n < sizeof(ret->sun_path) ? 0 : -EINVAL;
}
