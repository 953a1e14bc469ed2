/* The file of a state, and where it is. What it says is in state.c. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/base/durable-file.h"
#include "common/base/file.h"
#include "services/notify/state.h"

#define FILE_NAME "notify"

/* Each variable, and the directory below it; where none is usable there is no state. */
static const struct {
        const char *variable;
        const char *below;
} places[] = {
        { "STATE_DIRECTORY", "" },
        { "XDG_STATE_HOME", "/unitpost" },
        { "HOME", "/.local/state/unitpost" },
};

/* Make what is missing of a path; what cannot be made shows when it is opened. */
static void make_directories(char *path) {
        for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = '\0';
                (void)mkdir(path, 0700);
                *slash = '/';
        }
        (void)mkdir(path, 0700);
}

int state_directory_open(void) {
        for (size_t i = 0; i < ARRAY_LEN(places); i++) {
                _cleanup_(buf_deinit) Buf path = BUF_INIT(PATH_MAX);
                const char *value = getenv(places[i].variable);
                int fd;

                if (!value || value[0] != '/')
                        continue;
                (void)buf_printf(&path, "%s%s", value, places[i].below);
                if (!buf_cstr(&path))
                        return -ENAMETOOLONG;
                make_directories(path.data);
                fd = open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                return fd < 0 ? -errno : fd;
        }
        return -ENOENT;
}

int state_load(int directory_fd, Buf *buf, State *ret) {
        int r = file_read(directory_fd, FILE_NAME, buf);

        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return r;
        r = r == 0 ? state_parse(buf_str(buf), ret) : STATE_E_SYNTAX;
        return r < 0 ? r : 0;
}

static int replace_file(int directory_fd, Str text) {
        _cleanup_(durable_file_freep) DurableFile *file = NULL;
        int r = durable_file_new(directory_fd, 0600, &file);

        if (r == 0)
                r = file_write_all(durable_file_fd(file), text.data, text.len);
        if (r == 0)
                r = durable_file_replace(file, FILE_NAME);
        return r == 0 ? durable_file_commit(file) : r;
}

int state_save(int directory_fd, const State *state, Buf *old) {
        _cleanup_(buf_deinit) Buf text = BUF_INIT(STATE_MAX_BYTES);
        int r;

        r = state_format(state, &text);
        if (r < 0 || str_equal(buf_str(&text), buf_str(old)))
                return r;
        r = replace_file(directory_fd, buf_str(&text));
        if (r < 0)
                return r;
        buf_deinit(old);
        *old = text;
        text = BUF_NULL;
        return 0;
}
