#include "common/role/command-cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "common/base/file.h"
#include "common/role/command-kill.h"

#define PROC_FILE_MAX ((size_t)1024 * 1024)
#define MAKE_ATTEMPTS 100

/* ---- where ---- */

/* The path in a line of /proc/self/cgroup, "NUMBER:CONTROLLERS:PATH"; data NULL: another one. */
static Str path_of_line(Str line, bool is_unified) {
        Str number, controllers;

        if (!str_next_part(&line, ':', &number) || !str_next_part(&line, ':', &controllers))
                return STR_NULL;
        if (is_unified)
                return str_equal(number, STR("0")) && str_is_empty(controllers) ? line : STR_NULL;
        return str_equal(controllers, STR("name=systemd")) ? line : STR_NULL;
}

static Str own_path(Str self, bool is_unified) {
        Str line, path;

        while (str_next_part(&self, '\n', &line)) {
                path = path_of_line(line, is_unified);
                if (path.data)
                        return path;
        }
        return STR_NULL;
}

static bool has_option(Str options, Str wanted) {
        Str option;

        while (str_next_part(&options, ',', &option))
                if (str_equal(option, wanted))
                        return true;
        return false;
}

/* A line of mountinfo, see proc(5): root and mount point when it is the hierarchy that we want. */
static bool parse_mount(Str line, bool is_unified, Str *ret_root, Str *ret_point) {
        Str word, type, source;
        size_t n = 0;

        while (str_next_part(&line, ' ', &word) && !str_equal(word, STR("-"))) {
                if (n == 3)
                        *ret_root = word;
                if (n == 4)
                        *ret_point = word;
                n++;
        }
        if (n < 6 || !str_next_part(&line, ' ', &type) || !str_next_part(&line, ' ', &source))
                return false;
        if (is_unified)
                return str_equal(type, STR("cgroup2"));
        return str_equal(type, STR("cgroup")) && has_option(line, STR("name=systemd"));
}

static bool is_octal(char c) {
        return c >= '0' && c <= '7';
}

/* mountinfo writes blanks and backslashes as \040 and so on. */
static int append_unescaped(Buf *ret, Str text) {
        while (!str_is_empty(text)) {
                const char *c = text.data;

                if (text.len >= 4 && c[0] == '\\' && is_octal(c[1]) && is_octal(c[2]) &&
                    is_octal(c[3])) {
                        (void)buf_append_char(
                                ret, (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 | (c[3] - '0')));
                        text = str_skip(text, 4);
                } else {
                        (void)buf_append_char(ret, c[0]);
                        text = str_skip(text, 1);
                }
        }
        return ret->error;
}

/* PATH as it is seen below a mount of ROOT; data NULL when it is not. */
static Str below(Str path, Str root) {
        if (str_equal(root, STR("/")))
                return path;
        if (!str_has_prefix(path, root))
                return STR_NULL;
        path = str_skip(path, root.len);
        return str_is_empty(path) || path.data[0] == '/' ? path : STR_NULL;
}

int command_cgroup_path(Str self, Str mountinfo, bool is_unified, Buf *ret) {
        Str path = own_path(self, is_unified);
        Str found_point = STR_NULL;
        Str found_path = STR_NULL;
        Str line, root, point, seen;

        if (str_is_empty(path) || str_equal(path, STR("/")) || str_has_prefix(path, STR("/..")))
                return COMMAND_CGROUP_E_NONE;
        /* The last one: it may hide the others. */
        while (str_next_part(&mountinfo, '\n', &line)) {
                if (!parse_mount(line, is_unified, &root, &point))
                        continue;
                seen = below(path, root);
                if (seen.data) {
                        found_point = point;
                        found_path = seen;
                }
        }
        if (!found_point.data)
                return COMMAND_CGROUP_E_NONE;
        (void)append_unescaped(ret, found_point);
        return buf_append_str(ret, found_path);
}

/* The directory as a descriptor, when a cgroup can be made in it; -1. */
static int open_usable(const char *path) {
        CommandCgroup probe = COMMAND_CGROUP_NULL;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return -1;
        if (command_cgroup_make(fd, &probe) == 0 && command_cgroup_remove(&probe) == 0)
                return fd;
        command_cgroup_close(&probe);
        (void)close(fd);
        return -1;
}

int command_cgroup_find(void) {
        _cleanup_(buf_deinit) Buf self = BUF_INIT(PROC_FILE_MAX);
        _cleanup_(buf_deinit) Buf mounts = BUF_INIT(PROC_FILE_MAX);
        int fd = -1;

        if (file_read(AT_FDCWD, "/proc/self/cgroup", &self) != 0 ||
            file_read(AT_FDCWD, "/proc/self/mountinfo", &mounts) != 0)
                return -1;
        for (int is_unified = 1; fd < 0 && is_unified >= 0; is_unified--) {
                _cleanup_(buf_deinit) Buf path = BUF_INIT(PATH_MAX);

                if (command_cgroup_path(buf_str(&self), buf_str(&mounts), is_unified, &path) == 0 &&
                    buf_cstr(&path))
                        fd = open_usable(buf_cstr(&path));
        }
        return fd;
}

/* ---- making and removing ---- */

/*
 * Lock it, then see that it is still there: between making and locking a sweep may have taken it
 * for a left-over and removed it, which is -EAGAIN.
 */
static int open_locked(CommandCgroup *cgroup) {
        cgroup->fd = openat(cgroup->base_fd, cgroup->name,
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (cgroup->fd < 0)
                return errno == ENOENT ? -EAGAIN : -errno;
        if (flock(cgroup->fd, LOCK_EX | LOCK_NB) == 0 &&
            faccessat(cgroup->fd, "cgroup.procs", F_OK, 0) == 0)
                return 0;
        command_cgroup_close(cgroup);
        return -EAGAIN;
}

int command_cgroup_make(int base_fd, CommandCgroup *ret) {
        static unsigned n_made;
        int r = -EAGAIN;

        for (int i = 0; i < MAKE_ATTEMPTS; i++) {
                *ret = (CommandCgroup){ .base_fd = base_fd, .fd = -1 };
                (void)snprintf(ret->name, sizeof(ret->name), "command-%d-%u", (int)getpid(),
                               ++n_made);
                if (mkdirat(base_fd, ret->name, 0755) < 0) {
                        if (errno != EEXIST)
                                return -errno;
                        continue; /* left by a process that had our ID before us */
                }
                r = open_locked(ret);
                if (r == 0)
                        return 0;
                if (r != -EAGAIN) { /* no descriptor, for one: the next try would go no better */
                        (void)unlinkat(base_fd, ret->name, AT_REMOVEDIR);
                        return r;
                }
        }
        return r;
}

static int write_control(const CommandCgroup *cgroup, const char *file, const char *text) {
        _cleanup_(fd_closep) int fd = openat(cgroup->fd, file, O_WRONLY | O_CLOEXEC);

        return fd < 0 ? -errno : file_write_all(fd, text, strlen(text));
}

int command_cgroup_enter(const CommandCgroup *cgroup) {
        return write_control(cgroup, "cgroup.procs", "0");
}

static int list_processes(void *userdata, CommandPids *pids) {
        const CommandCgroup *cgroup = userdata;
        _cleanup_(buf_deinit) Buf text = BUF_INIT(PROC_FILE_MAX);
        int r = file_read(cgroup->fd, "cgroup.procs", &text);
        Str rest = buf_str(&text);
        uint64_t pid;
        Str line;

        while (r == 0 && str_next_part(&rest, '\n', &line))
                /* 0 is a process that this PID namespace does not see. */
                if (str_parse_u64(line, INT32_MAX, &pid) == 0 && pid > 0)
                        r = command_pids_add(pids, (pid_t)pid);
        return r == -E2BIG ? 0 : r;
}

void command_cgroup_kill(const CommandCgroup *cgroup) {
        /* cgroup.kill: v2 of Linux 5.14 and later; no fork gets away from it. */
        if (cgroup->fd >= 0 && write_control(cgroup, "cgroup.kill", "1") < 0)
                (void)command_kill_listed(list_processes, (void *)cgroup);
}

int command_cgroup_remove(CommandCgroup *cgroup) {
        if (cgroup->fd >= 0 && unlinkat(cgroup->base_fd, cgroup->name, AT_REMOVEDIR) < 0 &&
            errno != ENOENT)
                return -errno;
        command_cgroup_close(cgroup);
        return 0;
}

void command_cgroup_close(CommandCgroup *cgroup) {
        if (cgroup->fd >= 0)
                (void)close(cgroup->fd);
        cgroup->fd = -1;
}

/* ---- left-overs ---- */

static void sweep_one(int base_fd, const char *name) {
        CommandCgroup cgroup = { .base_fd = base_fd, .fd = -1 };

        if ((size_t)snprintf(cgroup.name, sizeof(cgroup.name), "%s", name) >= sizeof(cgroup.name) ||
            open_locked(&cgroup) != 0)
                return;
        command_cgroup_kill(&cgroup);
        /* What was killed just now may need a moment: then the next sweep removes it. */
        (void)command_cgroup_remove(&cgroup);
        command_cgroup_close(&cgroup);
}

void command_cgroup_sweep(int base_fd) {
        int fd = openat(base_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *entry;

        if (!directory) {
                if (fd >= 0)
                        (void)close(fd);
                return;
        }
        while ((entry = readdir(directory)))
                if (str_has_prefix(str_from_cstr(entry->d_name), STR("command-")))
                        sweep_one(base_fd, entry->d_name);
        (void)closedir(directory);
}
