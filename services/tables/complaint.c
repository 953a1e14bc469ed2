#include "services/tables/complaint.h"

#include <stdlib.h>
#include <string.h>

bool complaint_is_news(Complaints *complaints, const char *path, const TableStamp *stamp) {
        Complaint *entry;

        for (unsigned i = 0; i < COMPLAINTS_MAX; i++) {
                entry = &complaints->entries[i];
                if (entry->path && strcmp(entry->path, path) == 0) {
                        bool is_news = !table_stamp_equal(&entry->stamp, stamp);

                        entry->stamp = *stamp;
                        return is_news;
                }
        }
        entry = &complaints->entries[complaints->next];
        complaints->next = (complaints->next + 1) % COMPLAINTS_MAX;
        free(entry->path);
        *entry = (Complaint){ .path = strdup(path), .stamp = *stamp };
        return true;
}

void complaints_deinit(Complaints *complaints) {
        for (unsigned i = 0; i < COMPLAINTS_MAX; i++)
                free(complaints->entries[i].path);
        *complaints = (Complaints){ 0 };
}
