/* "COMMAND\nSHELL": no byte is lost or made up when a command is cut into words. */

#include <stdint.h>
#include <stdlib.h>

#include "common/role/command-line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t total_len(const char *const *argv) {
        size_t len = 0;

        for (; *argv; argv++)
                len += strlen(*argv);
        return len;
}

static size_t n_not_blank(Str s) {
        size_t n = 0;

        for (size_t i = 0; i < s.len; i++)
                n += s.data[i] != ' ' && s.data[i] != '\t';
        return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        Str command = str_from((const char *)data, size);
        size_t n = str_find_last(command, '\n');
        Str shell = str_skip(command, n + 1);
        Str bourne = STR("/bin/sh-c");
        CommandLine line;

        command = str_first(command, n);
        if (command_line_parse(command, shell, &line) != 0)
                return 0;
        if (line.argv_fallback) {
                if (total_len(line.argv) != n_not_blank(command) ||
                    total_len(line.argv_fallback) != bourne.len + command.len)
                        abort();
        } else if (total_len(line.argv) !=
                   command.len + (n_not_blank(shell) > 0 ? n_not_blank(shell) : bourne.len))
                abort();
        command_line_deinit(&line);
        return 0;
}
