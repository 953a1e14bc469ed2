#include "services/local/home.h"

#include <errno.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/macro.h"

#define HOMED_RECORDS  "/var/lib/systemd/home"
#define PATH_MAX_BYTES 4096

static bool exists(const char *directory, const char *name, const char *suffix) {
        Buf path _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX_BYTES);
        struct stat st;

        (void)buf_printf(&path, "%s%s%s", directory, name, suffix);
        return buf_cstr(&path) && stat(buf_cstr(&path), &st) == 0;
}

/* homed has what is mounted at a home beside it: is PATH, or a directory above it, one to come? */
static bool is_unlocked_later(const char *path) {
        Buf at _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX_BYTES);

        (void)buf_append_cstr(&at, path);
        while (at.len > 1 && buf_cstr(&at) && !exists(buf_cstr(&at), "", "")) {
                if (exists(buf_cstr(&at), "", ".home") || exists(buf_cstr(&at), "", ".homedir"))
                        return true;
                buf_truncate(&at, size_min(at.len, str_find_last(buf_str(&at), '/')));
        }
        return false;
}

/* Is a directory above HOME one that an automounter fills on demand? */
static bool is_automounted(const char *home) {
        Buf path _cleanup_(buf_deinit) = BUF_INIT(PATH_MAX_BYTES);
        struct statfs st;

        (void)buf_append_cstr(&path, home);
        for (;;) {
                size_t slash = str_find_last(buf_str(&path), '/');

                if (slash == 0 || slash >= path.len)
                        return false;
                buf_truncate(&path, slash);
                if (buf_cstr(&path) && statfs(buf_cstr(&path), &st) == 0)
                        return st.f_type == AUTOFS_SUPER_MAGIC;
        }
}

/* Is DIRECTORY home itself or above it, and not the root? */
static bool is_above(Str directory, Str home) {
        return directory.len > 1 && str_has_prefix(home, directory) &&
               (home.len == directory.len || home.data[directory.len] == '/');
}

static bool is_mounted(const char *directory) {
        struct mntent entry;
        char line[PATH_MAX_BYTES];
        bool found = false;
        FILE *mounts = setmntent("/proc/self/mounts", "re");

        if (!mounts)
                return true;
        while (!found && getmntent_r(mounts, &entry, line, sizeof(line)))
                found = strcmp(entry.mnt_dir, directory) == 0;
        (void)endmntent(mounts);
        return found;
}

/* Does /etc/fstab name a file system for HOME that is not mounted now? */
static bool is_unmounted(const char *home) {
        struct mntent entry;
        char line[PATH_MAX_BYTES];
        bool found = false;
        FILE *table = setmntent("/etc/fstab", "re");

        if (!table)
                return false;
        while (!found && getmntent_r(table, &entry, line, sizeof(line)))
                found = is_above(str_from_cstr(entry.mnt_dir), str_from_cstr(home)) &&
                        !is_mounted(entry.mnt_dir);
        (void)endmntent(table);
        return found;
}

bool home_path_is_away(const char *path, const char **ret_reason) {
        if (is_unlocked_later(path))
                *ret_reason = "not activated";
        else if (is_automounted(path))
                *ret_reason = "not mounted by the automounter";
        else if (is_unmounted(path))
                *ret_reason = "not mounted";
        else
                return false;
        return true;
}

HomeState home_look(const LocalUser *user, const char **ret_reason) {
        struct stat st;

        if (user->home[0] != '/')
                return HOME_NONE;
        if (stat(user->home, &st) == 0)
                return HOME_PRESENT;
        /* Permission denied on the way: it is there for others to see, and there is no .forward. */
        if (errno == EACCES || errno == EPERM || errno == ENOTDIR || errno == ENAMETOOLONG)
                return HOME_NONE;
        if (errno != ENOENT)
                *ret_reason = strerror(errno);
        else if (exists(HOMED_RECORDS "/", user->name, ".identity"))
                *ret_reason = "not activated";
        else if (!home_path_is_away(user->home, ret_reason))
                return HOME_NONE;
        return HOME_AWAY;
}
