#include "tools/postqueue/postqueue.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/mail/queue-id.h"
#include "tools/postqueue/request.h"

#define USAGE \
        "usage: postqueue -p | -j | -f | -i queue_id | -s site   (with -v: more to read; -c dir)\n"

typedef enum Mode {
        MODE_NONE,
        MODE_LIST,
        MODE_JSON,
        MODE_FLUSH,
        MODE_FLUSH_ONE,
        MODE_FLUSH_SITE,
} Mode;

static int usage(void) {
        (void)fputs(USAGE, stderr);
        return EX_USAGE;
}

static int not_yet(const char *what) {
        (void)fprintf(stderr, "postqueue: fatal: %s is not supported yet\n", what);
        return EX_UNAVAILABLE;
}

static int flush_one(const char *text) {
        QueueId id;

        if (!queue_id_parse(str_from_cstr(text), &id)) {
                (void)fprintf(stderr, "postqueue: fatal: bad queue ID\n");
                return EX_USAGE;
        }
        return request_flush("flush-one", id.text);
}

static int run(Mode mode, const char *argument) {
        switch (mode) {
        case MODE_LIST:
                return request_list(&format_text);
        case MODE_JSON:
                return request_list(&format_json);
        case MODE_FLUSH:
                return request_flush("flush", "");
        case MODE_FLUSH_ONE:
                return flush_one(argument);
        case MODE_FLUSH_SITE:
                return not_yet("-s, delivery to one site,");
        case MODE_NONE:
                break;
        }
        return usage();
}

static Mode mode_of(int option) {
        switch (option) {
        case 'p':
                return MODE_LIST;
        case 'j':
                return MODE_JSON;
        case 'f':
                return MODE_FLUSH;
        case 'i':
                return MODE_FLUSH_ONE;
        case 's':
                return MODE_FLUSH_SITE;
        default:
                return MODE_NONE;
        }
}

/* Options that sendmail's mailq has known; nothing of them changes the listing. */
static int mailq_main(int argc, char **argv) {
        int option;

        while ((option = getopt(argc, argv, "A:C:O:o:q:v")) != -1)
                if (option == '?')
                        return usage();
        return optind < argc ? usage() : run(MODE_LIST, NULL);
}

static int postqueue_options(int argc, char **argv) {
        const char *argument = NULL;
        Mode mode = MODE_NONE;
        int option;

        while ((option = getopt(argc, argv, "c:fi:jps:v")) != -1) {
                if (option == 'v')
                        continue;
                if (option == 'c') {
                        /* Another directory would be another instance of the mail system. */
                        if (strcmp(optarg, "/etc/unitpost") != 0)
                                return not_yet("-c with another directory than /etc/unitpost");
                        continue;
                }
                if (option == '?' || mode != MODE_NONE)
                        return usage();
                mode = mode_of(option);
                argument = optarg;
        }
        return optind < argc ? usage() : run(mode, argument);
}

int postqueue_main(int argc, char **argv) {
        const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
        const char *name = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";

        /* "mailq | head": a write error, not a death. */
        (void)signal(SIGPIPE, SIG_IGN);
        return strcmp(name, "mailq") == 0 ? mailq_main(argc, argv) : postqueue_options(argc, argv);
}
