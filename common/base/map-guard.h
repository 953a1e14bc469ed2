#pragma once

/*
 * Reading a mapped file that somebody may truncate meanwhile. The kernel answers a read behind the
 * new end with SIGBUS; between map_guard_enter() and map_guard_leave() the process lives on: the
 * page in question becomes one of zeroes, and leave() says that what was read is worth nothing.
 * Outside of such a section SIGBUS kills, as ever.
 *
 * For mappings that are only read. Sections do not nest.
 */

#include <stdbool.h>

/* Begin a section. The first one of a process installs the handler. */
void map_guard_enter(void);

/* End it. False: a page could not be read, and reads as zeroes until it is unmapped. */
bool map_guard_leave(void);
