#pragma once

/*
 * A directory of files for one test, made and removed whole. Fails the test where it cannot.
 */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "common/base/file.h"

typedef struct TempTree {
        char root[32];
} TempTree;

static inline void temp_tree_make(TempTree *tree) {
        (void)snprintf(tree->root, sizeof(tree->root), "/tmp/unitpost-test-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(tree->root));
}

static inline int temp_tree_remove_one(const char *path, const struct stat *st, int type,
                                       struct FTW *ftw) {
        return remove(path);
}

static inline void temp_tree_remove(TempTree *tree) {
        ck_assert_int_eq(nftw(tree->root, temp_tree_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* The path of NAME in the tree, in RET. */
static inline const char *temp_tree_path(const TempTree *tree, const char *name, char *ret,
                                         size_t size) {
        ck_assert_int_lt(snprintf(ret, size, "%s/%s", tree->root, name), (int)size);
        return ret;
}

/* Write NAME with the directories above it. */
static inline void temp_tree_write(const TempTree *tree, const char *name, Str content) {
        char path[512];
        int fd;

        (void)temp_tree_path(tree, name, path, sizeof(path));
        for (char *slash = path + strlen(tree->root) + 1; (slash = strchr(slash, '/')); slash++) {
                *slash = '\0';
                ck_assert(mkdir(path, 0755) == 0 || errno == EEXIST);
                *slash = '/';
        }
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(file_write_all(fd, content.data, content.len), 0);
        ck_assert_int_eq(close(fd), 0);
}

static inline void temp_tree_write_text(const TempTree *tree, const char *name, const char *text) {
        temp_tree_write(tree, name, str_from_cstr(text));
}

/* The same, as if it had last changed SECONDS ago. */
static inline void temp_tree_write_aged(const TempTree *tree, const char *name, const char *text,
                                        int seconds) {
        struct timespec then[2];
        char path[512];

        temp_tree_write_text(tree, name, text);
        ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &then[0]), 0);
        then[0].tv_sec -= seconds;
        then[1] = then[0];
        ck_assert_int_eq(
                utimensat(AT_FDCWD, temp_tree_path(tree, name, path, sizeof(path)), then, 0), 0);
}
