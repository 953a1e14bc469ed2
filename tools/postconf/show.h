#pragma once

/* The parameters, printed to standard output. */

#include "common/role/config-layer.h"
#include "tools/postconf/options.h"

/*
 * Print the parameters that OPTIONS select, of LAYERS (of defaults alone, for -d): each that is
 * named, in that order, or all of the classes, sorted. What is unknown is warned about.
 * An exit status.
 */
int show_parameters(const PostconfOptions *options, const ConfigLayers *layers);

/* -m: the types of lookup tables, one a line, sorted; -l: the ways to lock a mailbox. */
int show_table_types(void);
int show_locks(void);
