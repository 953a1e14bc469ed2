/*
 * One inotify descriptor per process. The handler reads what it says away and counts; what exactly
 * changed, whoever looks finds out.
 */

#include "common/role/role-watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define WATCHED                                                                            \
        (IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MODIFY | \
         IN_MOVE | IN_MOVE_SELF | IN_ONLYDIR)

#define READS_MAX 64

static _Atomic uint32_t generation;
static bool is_disabled;
static int watch_fd = -1;
static pid_t watch_pid; /* a child of fork() has the descriptor, and no signals */

static void on_change(int number) {
        char events[4096];
        int saved = errno;

        /* Bounded: somebody may write faster than this reads. What is left signals again with the
         * next event, and says nothing that is not counted here. */
        for (int i = 0; i < READS_MAX && read(watch_fd, events, sizeof(events)) > 0; i++)
                ;
        atomic_fetch_add(&generation, 1);
        errno = saved;
}

/* The handler first: what the signal does without one is to kill. */
static bool open_watch(void) {
        struct sigaction action = { .sa_handler = on_change, .sa_flags = SA_RESTART };
        int fd;

        if (watch_pid == getpid())
                return watch_fd >= 0;
        watch_pid = getpid();
        fd_closep(&watch_fd);
        watch_fd = -1;
        fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (fd < 0)
                return false;
        watch_fd = fd;
        if (sigaction(SIGIO, &action, NULL) == 0 && fcntl(fd, F_SETOWN, watch_pid) == 0 &&
            fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0)
                return true;
        (void)close(fd);
        watch_fd = -1;
        return false;
}

/* The directory that PATH is in. PATH is absolute, and is changed. */
static bool watch_parent(char *path) {
        char *slash = strrchr(path, '/');

        if (!slash)
                return false;
        slash[slash == path] = '\0';
        return inotify_add_watch(watch_fd, path, WATCHED) >= 0;
}

/*
 * The directory that has the name, and that which has the file, where the name is a link or behind
 * one. A name that leads nowhere cannot be watched where it would lead to.
 */
static bool add_path(void *context, Str path) {
        char name[PATH_MAX];
        char real[PATH_MAX];
        struct stat st;

        if (is_disabled || path.len >= sizeof(name) || !open_watch())
                return false;
        memcpy(name, path.data, path.len);
        name[path.len] = '\0';
        if (!realpath(name, real))
                return lstat(name, &st) < 0 && errno == ENOENT && watch_parent(name);
        return watch_parent(real) && watch_parent(name);
}

void role_watch_disable(void) {
        is_disabled = true;
}

const TableWatch role_watch = { .generation = &generation, .add = add_path };
