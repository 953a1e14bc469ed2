#pragma once

/*
 * What stands behind an alias, in a .forward or in an :include: file: a list of destinations
 * (aliases(5) of Postfix and sendmail). Pure: text in, destinations out; nothing is looked up.
 *
 *   user, user@domain, Name <user@domain>    an address (RFC 5322 3.4, comments and groups too)
 *   \user                                    an address; the backslash means nothing, as in Postfix
 *   |command, |"command", "|command"         unquoted it ends at white space or a comma
 *   /file, "/file"                           likewise
 *   ~/file                                   a file in the user's home
 *   :include:/file, ":include:/file"         more of the same in a file
 *
 * separated by commas, white space and line ends. In a file a line that begins with '#' is a
 * comment, and one that begins with white space continues the line before it.
 */

#include "common/base/buf.h"
#include "common/base/str.h"

#define DESTINATION_MAX_BYTES ((size_t)16 * 1024) /* of one: a command may be a small script */

typedef enum DestinationKind {
        DESTINATION_ADDRESS,
        DESTINATION_COMMAND, /* TEXT is the command without "|" */
        DESTINATION_FILE,    /* TEXT is the path, with a '/' in front */
        DESTINATION_HOME,    /* TEXT is what is behind "~": "/" and a path below the home */
        DESTINATION_INCLUDE, /* TEXT is the path */
} DestinationKind;

typedef struct DestinationList {
        Str rest;      /* lines not begun yet */
        Str line;      /* what is left of the logical line in hand */
        bool is_lines; /* REST is a file: lines and comments mean something */
} DestinationList;

/* Walk an alias's value, or the content of a file. TEXT must outlive the walk. */
DestinationList destination_list_of_value(Str text);
DestinationList destination_list_of_file(Str text);

enum {
        DESTINATION_E_END = 1,
        DESTINATION_E_SYNTAX =
                2, /* this one made no sense; TEXT (the start of it) is for the log */
};

/*
 * The next destination: its text, without quotes, is put into RET (emptied first; at most RET->max
 * bytes). An address is in the form of an envelope. 0, DESTINATION_E_*, -ENOMEM. After
 * DESTINATION_E_SYNTAX the walk goes on behind it. Linear time.
 */
int destination_next(DestinationList *list, Buf *ret, DestinationKind *ret_kind);
