#include "tools/postalias/postalias.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "tools/postalias/build.h"
#include "tools/postalias/query.h"

#define PROGRAM "postalias"
#define USAGE                                                        \
        "usage: postalias [-c dir] [-v] [-w] [-r] [type:]file ...\n" \
        "       postalias [-c dir] [-v] -q key|- [type:]file ...\n"  \
        "       postalias [-c dir] [-v] -s [type:]file ...\n"

typedef struct Options {
        BuildOptions build;
        const char *key;
        bool is_listing;
} Options;

static int complain(int status, const char *option, const char *text) {
        (void)fprintf(stderr, PROGRAM ": fatal: %s%s\n", option, text);
        return status;
}

static int usage(void) {
        (void)fputs(USAGE, stderr);
        return EX_USAGE;
}

static int show(const char *text) {
        return fputs(text, stdout) >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EX_IOERR;
}

/* What changes an index and not its source would be undone by the next edit of the source. */
static int refuse(int option) {
        switch (option) {
        case 'd':
                return complain(EX_UNAVAILABLE, "-d",
                                ": no single entry is removed from an index; take it out of the "
                                "source, and build the index");
        case 'i':
                return complain(EX_UNAVAILABLE, "-i",
                                ": no single entry is added to an index; add it to the source, and "
                                "build the index");
        case 'f':
                return complain(EX_UNAVAILABLE, "-f",
                                ": names are the same in upper and lower case");
        default:
                return usage();
        }
}

/* -1: go on; else an exit status. */
static int parse_options(int argc, char **argv, Options *ret) {
        static const struct option long_options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, 'V' },
                { 0 },
        };
        int option;

        while ((option = getopt_long(argc, argv, "c:d:fiq:rsvw", long_options, NULL)) != -1)
                switch (option) {
                case 'c': /* another directory would be another instance of the mail system */
                        if (strcmp(optarg, "/etc/unitpost") != 0)
                                return complain(EX_UNAVAILABLE, "-c",
                                                " with another directory than /etc/unitpost is "
                                                "not supported yet");
                        break;
                case 'q':
                        ret->key = optarg;
                        break;
                case 'r':
                        ret->build.last_counts = true;
                        /* fall through */
                case 'w':
                        ret->build.is_quiet = true;
                        break;
                case 's':
                        ret->is_listing = true;
                        break;
                case 'v':
                        ret->build.verbose = true;
                        break;
                case 'h':
                        return show(USAGE);
                case 'V':
                        return show(PROGRAM " (unitpost) " UNITPOST_VERSION "\n");
                default:
                        return refuse(option);
                }
        if (optind == argc || (ret->key && ret->is_listing))
                return usage();
        return -1;
}

/* Append ENTRY with an absolute path and, for a TABLE, its type. 0, or an exit status. */
static int complete_entry(const char *entry, bool is_table, Buf *ret) {
        const char *colon = entry[0] == '/' ? NULL : strchr(entry, ':');
        Str path = str_from_cstr(colon ? colon + 1 : entry);
        Str type = colon ? str_from(entry, (size_t)(colon - entry)) : STR("tdb");
        char directory[PATH_MAX];

        if (is_table || colon) {
                (void)buf_append_str(ret, type);
                (void)buf_append_char(ret, ':');
        }
        if (!str_has_prefix(path, STR("/")) && table_type_is_indexed(type) && !str_is_empty(path)) {
                if (!getcwd(directory, sizeof(directory)))
                        return complain(EX_OSERR, "current directory: ", strerror(errno));
                (void)buf_append_cstr(ret, strcmp(directory, "/") == 0 ? "" : directory);
                (void)buf_append_char(ret, '/');
                while (str_has_prefix(path, STR("./")))
                        path = str_skip(path, 2);
        }
        (void)buf_append_str(ret, path);
        return buf_cstr(ret) ? EXIT_SUCCESS : complain(EX_USAGE, entry, ": path too long");
}

static int build_entry(const Options *options, const char *entry) {
        _cleanup_(buf_deinit) Buf complete = BUF_INIT(2 * PATH_MAX);
        int status = complete_entry(entry, false, &complete);
        Str path;

        if (status == EXIT_SUCCESS)
                status = build_split_entry(&options->build, buf_str(&complete), &path);
        /* The path is at the end, so the NUL is behind it. */
        return status == EXIT_SUCCESS ? build_index(&options->build, path.data) : status;
}

static int build_all(const Options *options, char **entries) {
        int result = EXIT_SUCCESS;

        for (; *entries; entries++) {
                int status = build_entry(options, *entries);

                if (status != EXIT_SUCCESS)
                        result = status;
        }
        return result;
}

static int query_all(const Options *options, char **entries, size_t n) {
        const QueryOptions query = { .program = PROGRAM, .key = options->key };
        const char **specs = calloc(n, sizeof(*specs));
        Buf *complete = calloc(n, sizeof(*complete));
        int status = specs && complete ? EXIT_SUCCESS : EX_OSERR;

        for (size_t i = 0; i < n && status == EXIT_SUCCESS; i++) {
                complete[i] = BUF_INIT(2 * PATH_MAX);
                status = complete_entry(entries[i], true, &complete[i]);
                specs[i] = complete[i].data;
        }
        if (status == EXIT_SUCCESS)
                status = options->key ? query_lookup(&query, specs, n)
                                      : query_list(&query, specs, n);
        for (size_t i = 0; i < n && complete; i++)
                buf_deinit(&complete[i]);
        free(complete);
        free(specs);
        return status;
}

int postalias_main(int argc, char **argv) {
        Options options = { .build = { .program = PROGRAM } };
        int r = parse_options(argc, argv, &options);

        /* "postalias -s ... | head": a write error, not a death. */
        (void)signal(SIGPIPE, SIG_IGN);
        if (r >= 0)
                return r;
        if (options.key || options.is_listing)
                return query_all(&options, argv + optind, (size_t)(argc - optind));
        return build_all(&options, argv + optind);
}
