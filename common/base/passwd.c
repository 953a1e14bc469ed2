#include "common/base/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/macro.h"

/* An entry is some hundred bytes; directories may hold monsters. */
#define ENTRY_START ((size_t)1024)
#define ENTRY_MAX   ((size_t)1024 * 1024)

static int ask_with(const char *name, uid_t uid, struct passwd *ret, char *memory, size_t size) {
        struct passwd *found = NULL;
        int error;

        do
                error = name ? getpwnam_r(name, ret, memory, size, &found)
                             : getpwuid_r(uid, ret, memory, size, &found);
        while (error == EINTR);
        if (found)
                return 0;
        return error == 0 || error == ENOENT || error == ESRCH ? PASSWD_E_UNKNOWN : -error;
}

static int ask(const char *name, uid_t uid, struct passwd *ret, char **ret_memory) {
        char *memory _cleanup_(freep) = NULL;
        int r = -ERANGE;

        for (size_t size = ENTRY_START; r == -ERANGE && size <= ENTRY_MAX; size *= 4) {
                free(memory);
                memory = malloc(size);
                if (!memory)
                        return -ENOMEM;
                r = ask_with(name, uid, ret, memory, size);
        }
        if (r == 0)
                *ret_memory = TAKE_PTR(memory);
        return r;
}

/* Can /etc/passwd be read? 0 also where there is none, or none for us: the others know then. */
static int check_file(void) {
        int fd _cleanup_(fd_closep) = open("/etc/passwd", O_RDONLY | O_CLOEXEC | O_NOCTTY);
        char byte;

        if (fd < 0)
                return errno == ENOENT || errno == EACCES || errno == EPERM ? 0 : -errno;
        return read(fd, &byte, sizeof(byte)) < 0 ? -errno : 0;
}

int passwd_find(const char *name, uid_t uid, struct passwd *ret, char **ret_memory) {
        int r = ask(name, uid, ret, ret_memory);

        if (r != PASSWD_E_UNKNOWN)
                return r;
        r = check_file();
        return r < 0 ? r : ask(name, uid, ret, ret_memory);
}
