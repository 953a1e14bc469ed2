/* postmap(1): sources of the form "key value". */

#include "tools/map/command.h"

static const MapCommand command = {
        .program = "postmap",
        .usage = "usage: postmap [-bfFhimnNoprsuUvw] [-c dir] [-d key] [-q key] [type:]file ...\n",
        .options = "bc:d:fFhimnNopq:rsuUvw",
        .syntax = TABLE_SYNTAX_MAP,
        .separator = "\t",
};

int main(int argc, char **argv) {
        return map_command_main(&command, argc, argv);
}
