/* postqueue and mailq: see postqueue.h. */

#include "tools/postqueue/postqueue.h"

int main(int argc, char **argv) {
        return postqueue_main(argc, argv);
}
