#include "common/base/durable-file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/file.h"

enum {
        HIDDEN_NAME_SIZE = 1 + 16 + 4 + 1, /* ".0123456789ABCDEF.tmp" */
        N_HIDDEN_TRIES = 16                /* 64 random bits: the second is never needed */
};

struct DurableFile {
        int dir_fd;                    /* not ours */
        int fd;                        /* the file, read-write */
        char hidden[HIDDEN_NAME_SIZE]; /* a name nobody is to see, "" when there is none */
        char *name;                    /* linked and not yet committed */
        bool replaced;                 /* the name stays, whatever happens now */
};

static int hidden_name_make(char *ret_name) {
        uint64_t random;

        if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
                return -EIO;
        (void)snprintf(ret_name, HIDDEN_NAME_SIZE, ".%016" PRIX64 ".tmp", random);
        return 0;
}

static void hidden_name_drop(DurableFile *file) {
        if (file->hidden[0] != '\0')
                (void)unlinkat(file->dir_fd, file->hidden, 0);
        file->hidden[0] = '\0';
}

static int open_hidden(DurableFile *file, mode_t mode) {
        for (int i = 0; i < N_HIDDEN_TRIES; i++) {
                int r = hidden_name_make(file->hidden);

                if (r < 0)
                        return r;
                file->fd = openat(file->dir_fd, file->hidden,
                                  O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
                if (file->fd >= 0)
                        return 0;
                r = -errno;
                file->hidden[0] = '\0';
                if (r != -EEXIST)
                        return r;
        }
        return -EEXIST;
}

int durable_file_new(int dir_fd, mode_t mode, DurableFile **ret) {
        _cleanup_(durable_file_freep) DurableFile *file = NULL;
        int r;

        file = calloc(1, sizeof(*file));
        if (!file)
                return -ENOMEM;
        file->dir_fd = dir_fd;
        file->fd = file_open_nameless(dir_fd, ".", O_RDWR, mode);
        if (file->fd < 0) {
                r = file->fd == -EOPNOTSUPP ? open_hidden(file, mode) : file->fd;
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(file);
        return 0;
}

static void name_drop(DurableFile *file) {
        if (file->name && !file->replaced)
                (void)unlinkat(file->dir_fd, file->name, 0);
        free(file->name);
        file->name = NULL;
}

DurableFile *durable_file_free(DurableFile *file) {
        if (!file)
                return NULL;
        name_drop(file);
        hidden_name_drop(file);
        fd_closep(&file->fd);
        free(file);
        return NULL;
}

int durable_file_fd(const DurableFile *file) {
        return file->fd;
}

/* Make NAME a link to the file. A name that is taken gives -EEXIST. */
static int link_as(const DurableFile *file, const char *name) {
        if (file->hidden[0] != '\0')
                return linkat(file->dir_fd, file->hidden, file->dir_fd, name, 0) < 0 ? -errno : 0;
        return file_link_nameless(file->fd, file->dir_fd, name);
}

int durable_file_link(DurableFile *file, const char *name) {
        _cleanup_(freep) char *copy = NULL;
        int r;

        assert(!file->name);
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        r = link_as(file, name);
        if (r == -EEXIST)
                return DURABLE_FILE_E_EXISTS;
        if (r < 0)
                return r;
        file->name = TAKE_PTR(copy);
        hidden_name_drop(file);
        return 0;
}

/* Give a nameless file a hidden name, so that rename(2) has something to move. */
static int hidden_name_link(DurableFile *file) {
        char name[HIDDEN_NAME_SIZE];
        int r;

        for (int i = 0; i < N_HIDDEN_TRIES; i++) {
                r = hidden_name_make(name);
                if (r == 0)
                        r = link_as(file, name);
                if (r == 0)
                        memcpy(file->hidden, name, sizeof(name));
                if (r != -EEXIST)
                        return r;
        }
        return -EEXIST;
}

int durable_file_replace(DurableFile *file, const char *name) {
        _cleanup_(freep) char *copy = NULL;
        int r;

        assert(!file->name);
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        if (fsync(file->fd) < 0)
                return -errno;
        if (file->hidden[0] == '\0') {
                r = hidden_name_link(file);
                if (r < 0)
                        return r;
        }
        if (renameat(file->dir_fd, file->hidden, file->dir_fd, name) < 0)
                return -errno;
        file->hidden[0] = '\0';
        file->replaced = true;
        file->name = TAKE_PTR(copy);
        return 0;
}

int durable_file_commit(DurableFile *file) {
        int r = 0;

        assert(file->name);
        /* A replaced file was synced before its rename. */
        if ((!file->replaced && fsync(file->fd) < 0) || fsync(file->dir_fd) < 0)
                r = -errno;
        if (r == 0)
                file->replaced = true; /* the name is good, free() leaves it alone */
        name_drop(file);
        return r;
}
