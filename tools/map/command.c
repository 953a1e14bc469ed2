/* The tasks of postmap and postalias, for each table of the command line. */

#include "tools/map/command.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "tools/map/edit.h"

/* Keys or entries on standard input. */
#define INPUT_MAX_BYTES TABLE_SOURCE_MAX_BYTES

static int complain(const MapOptions *options, int status, const char *what, const char *text) {
        (void)fprintf(stderr, "%s: fatal: %s%s\n", options->build.program, what, text);
        return status;
}

/* Append ENTRY with an absolute path and, for a TABLE, its type. 0, or an exit status. */
static int complete_entry(const MapOptions *options, const char *entry, bool is_table, Buf *ret) {
        const char *colon = entry[0] == '/' ? NULL : strchr(entry, ':');
        Str path = str_from_cstr(colon ? colon + 1 : entry);
        Str type = colon ? str_from(entry, (size_t)(colon - entry)) : STR("tdb");
        bool has_path = table_type_has_source(type) && !str_has_prefix(path, STR("{"));
        char directory[PATH_MAX];

        if (is_table || colon) {
                (void)buf_append_str(ret, type);
                (void)buf_append_char(ret, ':');
        }
        if (!str_has_prefix(path, STR("/")) && has_path && !str_is_empty(path)) {
                if (!getcwd(directory, sizeof(directory)))
                        return complain(options, EX_OSERR, "current directory: ", strerror(errno));
                (void)buf_append_cstr(ret, strcmp(directory, "/") == 0 ? "" : directory);
                (void)buf_append_char(ret, '/');
                while (str_has_prefix(path, STR("./")))
                        path = str_skip(path, 2);
        }
        (void)buf_append_str(ret, path);
        return buf_cstr(ret) ? EXIT_SUCCESS : complain(options, EX_USAGE, entry, ": path too long");
}

/* Call WORK with the source of each table. The last exit status that is none of success. */
typedef int (*Work)(const MapOptions *options, const char *path, void *userdata);

static int for_each_source(const MapOptions *options, Work work, void *userdata) {
        int result = EXIT_SUCCESS;

        for (size_t i = 0; i < options->n_tables; i++) {
                _cleanup_(buf_deinit) Buf complete = BUF_INIT(2 * PATH_MAX);
                int status = complete_entry(options, options->tables[i], false, &complete);
                Str path;

                if (status == EXIT_SUCCESS)
                        status = build_split_entry(&options->build, buf_str(&complete), &path);
                if (status == EXIT_SUCCESS) /* the path is at the end, so the NUL is behind it */
                        status = work(options, path.data, userdata);
                if (status != EXIT_SUCCESS)
                        result = status;
        }
        return result;
}

static int build_one(const MapOptions *options, const char *path, void *userdata) {
        return build_index(&options->build, path);
}

static int add_one(const MapOptions *options, const char *path, void *userdata) {
        const Buf *input = userdata;

        return edit_add(&options->build, path, buf_str(input));
}

typedef struct Deletion {
        Buf input;
        uint64_t n;
} Deletion;

static int delete_one(const MapOptions *options, const char *path, void *userdata) {
        Deletion *deletion = userdata;

        return edit_delete(&options->build, path, buf_str(&deletion->input), &deletion->n);
}

/* All of standard input. An exit status. */
static int read_input(const MapOptions *options, Buf *ret) {
        ssize_t n;
        char *room;

        do {
                if (buf_reserve(ret, (size_t)64 * 1024, &room) != 0)
                        return complain(options, EX_DATAERR, "standard input: ",
                                        strerror(ret->error < 0 ? ENOMEM : EFBIG));
                n = read(STDIN_FILENO, room, (size_t)64 * 1024);
                if (n < 0 && errno != EINTR)
                        return complain(options, EX_IOERR, "standard input: ", strerror(errno));
                buf_commit(ret, n > 0 ? (size_t)n : 0);
        } while (n != 0);
        return EXIT_SUCCESS;
}

static int add_all(const MapOptions *options) {
        _cleanup_(buf_deinit) Buf input = BUF_INIT(INPUT_MAX_BYTES);
        int status = read_input(options, &input);

        return status == EXIT_SUCCESS ? for_each_source(options, add_one, &input) : status;
}

static int delete_all(const MapOptions *options) {
        Deletion deletion = { .input = BUF_INIT(INPUT_MAX_BYTES) };
        int status = EXIT_SUCCESS;

        if (strcmp(options->key, "-") == 0)
                status = read_input(options, &deletion.input);
        else if (buf_append_cstr(&deletion.input, options->key) != 0)
                status = complain(options, EX_OSERR, "", strerror(ENOMEM));
        if (status == EXIT_SUCCESS)
                status = for_each_source(options, delete_one, &deletion);
        buf_deinit(&deletion.input);
        return status == EXIT_SUCCESS && deletion.n == 0 ? EXIT_FAILURE : status;
}

static int query_all(const MapOptions *options) {
        size_t n = options->n_tables;
        const char **specs = calloc(n, sizeof(*specs));
        Buf *complete = calloc(n, sizeof(*complete));
        int status = specs && complete ? EXIT_SUCCESS : EX_OSERR;

        for (size_t i = 0; i < n && status == EXIT_SUCCESS; i++) {
                complete[i] = BUF_INIT(2 * PATH_MAX);
                status = complete_entry(options, options->tables[i], true, &complete[i]);
                specs[i] = complete[i].data;
        }
        if (status == EXIT_SUCCESS)
                status = options->task == MAP_QUERY ? query_lookup(&options->query, specs, n)
                                                    : query_list(&options->query, specs, n);
        for (size_t i = 0; i < n && complete; i++)
                buf_deinit(&complete[i]);
        free(complete);
        free(specs);
        return status;
}

int map_command_main(const MapCommand *command, int argc, char **argv) {
        MapOptions options;
        int status = map_options_parse(command, argc, argv, &options);

        if (status >= 0)
                return status;
        /* "postmap -s ... | head": a write error, not a death. */
        (void)signal(SIGPIPE, SIG_IGN);
        switch (options.task) {
        case MAP_BUILD:
                return for_each_source(&options, build_one, NULL);
        case MAP_ADD:
                return add_all(&options);
        case MAP_DELETE:
                return delete_all(&options);
        case MAP_QUERY:
        case MAP_LIST:
                break;
        }
        return query_all(&options);
}
