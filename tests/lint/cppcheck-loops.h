#pragma once

/* The loops of uthash and utlist in a form that cppcheck can follow. Included by nothing else. */

#define HASH_ITER(hh, head, at, next)   for (at = head, next = at; at; at = next)
#define DL_FOREACH(head, at)            for (at = head; at; at = at->next)
#define DL_FOREACH_SAFE(head, at, next) for (at = head, next = at; at; at = next)
