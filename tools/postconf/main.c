/* postconf: see postconf.h. */

#include "tools/postconf/postconf.h"

int main(int argc, char **argv) {
        return postconf_main(argc, argv);
}
