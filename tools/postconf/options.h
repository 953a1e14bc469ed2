#pragma once

/* The command line of postconf(1). */

#include <stdbool.h>
#include <stddef.h>

typedef enum PostconfMode {
        POSTCONF_SHOW,
        POSTCONF_EDIT,    /* -e, or any name=value */
        POSTCONF_COMMENT, /* -# */
        POSTCONF_REMOVE,  /* -X */
        POSTCONF_TABLE_TYPES,
        POSTCONF_LOCKS,
        POSTCONF_SERVICES,           /* -M */
        POSTCONF_SERVICE_FIELDS,     /* -F */
        POSTCONF_SERVICE_PARAMETERS, /* -P */
} PostconfMode;

enum {
        POSTCONF_CLASS_BUILTIN = 1,
        POSTCONF_CLASS_SERVICE = 2,
        POSTCONF_CLASS_USER = 4,
        POSTCONF_CLASS_ALL = 7
};

typedef struct PostconfOptions {
        PostconfMode mode;
        bool is_default;        /* -d */
        bool is_set_only;       /* -n */
        bool expand;            /* -x */
        bool fold;              /* -f */
        bool json;              /* -j */
        bool origin;            /* --origin */
        bool hide_name;         /* -h */
        bool hide_value;        /* -H */
        bool is_quiet;          /* -q */
        unsigned classes;       /* -C */
        const char *directory;  /* -c, or MAIL_CONFIG in the environment; NULL: the system's */
        const char **overrides; /* -o; NULL at the end; owned */
        char **words;           /* names or name=value; NULL at the end; of argv */
} PostconfOptions;

/*
 * Parse; -1: go on; else an exit status, and what there was to say is said. Deinit in both cases.
 */
int postconf_options_parse(int argc, char **argv, PostconfOptions *ret);
void postconf_options_deinit(PostconfOptions *options);

/* What to do in the place of an edit of master.cf. */
#define POSTCONF_SERVICES_ARE_UNITS                                                             \
        "services are units of systemd: \"systemctl edit unitpost-NAME.service\" changes one, " \
        "\"systemctl disable --now unitpost-NAME.socket\" takes one out"

/* Print "postconf: fatal: TEXT" and return STATUS; or "postconf: warning: TEXT". */
int postconf_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void postconf_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
