#pragma once

/* Asking showq. Each prints its own complaint to standard error and returns an exit status. */

#include "tools/postqueue/format.h"

/* Print the whole queue to standard output. */
int request_list(const Format *format);

/* VERB "flush", or "flush-one" with a queue ID. */
int request_flush(const char *verb, const char *queue_id);
