/* unitpost-notify(8): the command line, notify_run(). No role: nobody asks it anything. */

#include <stdio.h>
#include <sysexits.h>

#include "services/notify/notify.h"
#include "services/notify/state.h"

int main(int argc, char **argv) {
        if (argc < 2 || argc - 1 > STATE_MAILBOXES_MAX) {
                (void)fprintf(stderr,
                              "usage: notify MAILBOX... (at most %d; a Maildir ends in '/')\n",
                              STATE_MAILBOXES_MAX);
                return EX_USAGE;
        }
        return notify_run(argv + 1, (size_t)(argc - 1));
}
