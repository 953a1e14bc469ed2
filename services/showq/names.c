#include "services/showq/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct Names {
        QueueWalk *walk;
        QueueId *ids;
        size_t cap, n, next;
        bool at_end;
};

int names_new(const Queue *queue, QueueDir dir, uint64_t bucket, Names **ret) {
        Names *names _cleanup_(names_freep) = NULL;
        int r;

        names = calloc(1, sizeof(*names));
        if (!names)
                return -ENOMEM;
        r = queue_walk_new(queue, dir, bucket, &names->walk);
        if (r != 0)
                return r < 0 ? r : NAMES_E_END;
        *ret = TAKE_PTR(names);
        return 0;
}

Names *names_free(Names *names) {
        if (!names)
                return NULL;
        (void)queue_walk_free(names->walk);
        free(names->ids);
        free(names);
        return NULL;
}

static int add_id(Names *names, const QueueId *id) {
        if (names->n == names->cap) {
                size_t cap = names->cap == 0 ? 64 : names->cap * 2;
                QueueId *ids = realloc(names->ids, cap * sizeof(*ids));

                if (!ids)
                        return -ENOMEM;
                names->ids = ids;
                names->cap = cap;
        }
        names->ids[names->n++] = *id;
        return 0;
}

static int compare_ids(const void *a, const void *b) {
        return memcmp(a, b, sizeof(QueueId));
}

static int read_batch(Names *names) {
        const char *name;
        QueueId id;
        int r;

        names->n = names->next = 0;
        while (names->n < NAMES_MAX) {
                r = queue_walk_next(names->walk, &name);
                if (r == QUEUE_E_END) {
                        names->at_end = true;
                        break;
                }
                if (r != 0)
                        return r;
                if (!queue_id_parse(str_from_cstr(name), &id))
                        continue;
                r = add_id(names, &id);
                if (r != 0)
                        return r;
        }
        if (names->n > 0)
                qsort(names->ids, names->n, sizeof(*names->ids), compare_ids);
        return 0;
}

int names_next(Names *names, QueueId *ret) {
        int r;

        while (names->next == names->n) {
                if (names->at_end)
                        return NAMES_E_END;
                r = read_batch(names);
                if (r != 0)
                        return r;
        }
        *ret = names->ids[names->next++];
        return 0;
}
