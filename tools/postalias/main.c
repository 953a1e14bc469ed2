/* postalias(1) and newaliases(1): one program that looks at its name. */

#include <string.h>

#include "tools/postalias/newaliases.h"
#include "tools/postalias/postalias.h"

int main(int argc, char **argv) {
        const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
        const char *name = argc > 0 ? (slash ? slash + 1 : argv[0]) : "";

        return strcmp(name, "newaliases") == 0 ? newaliases_main(argc, argv)
                                               : postalias_main(argc, argv);
}
