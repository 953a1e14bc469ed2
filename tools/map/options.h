#pragma once

/* The command lines of postmap(1) and postalias(1). */

#include "tools/map/build.h"
#include "tools/map/query.h"

/* What tells the two apart. */
typedef struct MapCommand {
        const char *program;
        const char *usage;
        const char *options; /* for getopt(3): those of Postfix */
        TableSyntax syntax;
        const char *separator; /* between key and value of what is printed */
} MapCommand;

typedef enum MapTask {
        MAP_BUILD,
        MAP_ADD,    /* -i */
        MAP_DELETE, /* -d */
        MAP_QUERY,  /* -q */
        MAP_LIST,   /* -s */
} MapTask;

typedef struct MapOptions {
        MapTask task;
        BuildOptions build;
        QueryOptions query;
        const char *key;     /* of -d or -q */
        char *const *tables; /* n_tables of them */
        size_t n_tables;
} MapOptions;

/* -1: RET says what to do; else an exit status, and what is wrong (or was asked for) is printed. */
int map_options_parse(const MapCommand *command, int argc, char **argv, MapOptions *ret);
