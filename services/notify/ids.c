#include "services/notify/ids.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void ids_deinit(Ids *ids) {
        free(ids->values);
        *ids = IDS_NULL;
}

int ids_add(Ids *ids, uint32_t id) {
        if (!ids->values) {
                ids->values = calloc(IDS_MAX, sizeof(*ids->values));
                if (!ids->values)
                        return -ENOMEM;
        }
        if (ids->n < IDS_MAX) {
                ids->values[ids->n++] = id;
                return 0;
        }
        ids->values[ids->next] = id;
        ids->next = (ids->next + 1) % IDS_MAX;
        return 0;
}

static int compare(const void *a, const void *b) {
        uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

        return (left > right) - (left < right);
}

void ids_sort(Ids *ids) {
        if (ids->n > 0)
                qsort(ids->values, ids->n, sizeof(*ids->values), compare);
}

bool ids_has(const Ids *ids, uint32_t id) {
        return ids->n > 0 && bsearch(&id, ids->values, ids->n, sizeof(id), compare);
}

int ids_copy(const Ids *ids, Ids *ret) {
        *ret = IDS_NULL;
        if (!ids->values)
                return 0;
        ret->values = calloc(IDS_MAX, sizeof(*ret->values));
        if (!ret->values)
                return -ENOMEM;
        memcpy(ret->values, ids->values, ids->n * sizeof(*ids->values));
        ret->n = ids->n;
        ret->next = ids->next;
        return 0;
}
