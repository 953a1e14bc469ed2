#pragma once

/* postalias(1): build the index of alias files, look up in them, list them. */

/* The program: an exit status. */
int postalias_main(int argc, char **argv);
