#pragma once

/*
 * postconf: shows what main.cf and the other layers say, where it was said, and edits main.cf.
 *
 * Exit status (sysexits.h): 0; 1 the configuration cannot be read or edited; 64 usage; 69 not to
 * be had; 71, 74 memory is out, output cannot be written.
 */

/* All of the program; returns its exit status. */
int postconf_main(int argc, char **argv);
