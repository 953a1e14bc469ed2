#pragma once

/*
 * postqueue, and mailq: show the queue, and ask for an early attempt. Runs with the rights of its
 * user; showq decides what that user may see and do.
 *
 * Exit status (sysexits.h): 0; 64 usage; 69 the service is not there, or the option is not yet;
 * 74 output cannot be written; 75 try again; 76 showq talks nonsense; 77 not allowed.
 */

/* All of the program; returns its exit status. */
int postqueue_main(int argc, char **argv);
