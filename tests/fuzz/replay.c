/*
 * Runs a fuzz target's LLVMFuzzerTestOneInput() over every file of the directories named on the
 * command line: the corpus as a plain test, without libFuzzer. An empty corpus is a failure.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_directory(const char *path) {
        struct dirent *entry;
        int n = 0;
        DIR *dir = opendir(path);

        if (!dir)
                return -1;
        while ((entry = readdir(dir))) {
                Buf content = BUF_INIT(64 * 1024 * 1024);

                if (entry->d_name[0] == '.')
                        continue;
                if (file_read(dirfd(dir), entry->d_name, &content) != 0)
                        abort();
                (void)LLVMFuzzerTestOneInput((const uint8_t *)content.data, content.len);
                buf_deinit(&content);
                n++;
        }
        (void)closedir(dir);
        return n;
}

int main(int argc, char **argv) {
        for (int i = 1; i < argc; i++) {
                int n = replay_directory(argv[i]);

                if (n <= 0) {
                        (void)fprintf(stderr, "%s: no corpus\n", argv[i]);
                        return EXIT_FAILURE;
                }
                (void)printf("%s: %d inputs\n", argv[i], n);
        }
        return EXIT_SUCCESS;
}
