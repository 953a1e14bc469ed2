/* postalias(1) and newaliases(1): one program that looks at its name. */

#include <string.h>

#include "tools/map/command.h"
#include "tools/postalias/newaliases.h"

static const MapCommand command = {
        .program = "postalias",
        .usage = "usage: postalias [-finNoprsuvw] [-c dir] [-d key] [-q key] [type:]file ...\n",
        .options = "c:d:finNopq:rsuvw",
        .syntax = TABLE_SYNTAX_ALIASES,
        .separator = ":\t",
};

int main(int argc, char **argv) {
        const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
        const char *name = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";

        return strcmp(name, "newaliases") == 0 ? newaliases_main(argc, argv)
                                               : map_command_main(&command, argc, argv);
}
