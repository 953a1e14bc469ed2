#include "common/base/macro.h"

#include <errno.h>
#include <stdlib.h>

void fd_closep(int *fd) {
        int saved = errno;

        if (*fd >= 0)
                (void)close(*fd);
        *fd = -1;
        errno = saved;
}

void freep(void *pointer) {
        void **p = pointer;

        free(*p);
        *p = NULL;
}
