/* sendmail: see sendmail.h and sendmail(1). */

#include "tools/sendmail/sendmail.h"

int main(int argc, char **argv) {
        return sendmail_main(argc, argv);
}
