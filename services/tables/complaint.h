#pragma once

/* What was complained about already: one line for each change of a source, not for each mail. */

#include <stdbool.h>

#include "common/mail/table-stamp.h"

#define COMPLAINTS_MAX 64 /* sources remembered; beyond it the oldest is forgotten */

typedef struct Complaint {
        char *path;
        TableStamp stamp;
} Complaint;

/* Zeroed is empty. */
typedef struct Complaints {
        Complaint entries[COMPLAINTS_MAX];
        unsigned next;
} Complaints;

/*
 * Is PATH in this state news? It is remembered then. Out of memory it is news each time.
 */
bool complaint_is_news(Complaints *complaints, const char *path, const TableStamp *stamp);
void complaints_deinit(Complaints *complaints);
