/*
 * The distance of two names counts insertions, deletions, substitutions and swaps of neighbours
 * (optimal string alignment), by the usual table of which three rows are kept.
 */

#include "common/role/config-nearest.h"

#include <string.h>

#include "common/base/macro.h"
#include "common/role/config.h"

#define NAME_MAX_BYTES 100

static unsigned min3(unsigned a, unsigned b, unsigned c) {
        unsigned least = a < b ? a : b;

        return least < c ? least : c;
}

static char fold(char c) {
        return c == '-' ? '_' : ascii_to_lower(c);
}

static bool is_swap(Str a, Str b, size_t i, size_t j) {
        return i > 1 && j > 1 && fold(a.data[i - 1]) == fold(b.data[j - 2]) &&
               fold(a.data[i - 2]) == fold(b.data[j - 1]);
}

static unsigned distance(Str a, Str b) {
        unsigned table[3][NAME_MAX_BYTES + 1] = { { 0 } };

        for (size_t j = 0; j <= b.len; j++)
                table[0][j] = (unsigned)j;
        for (size_t i = 1; i <= a.len; i++) {
                unsigned *row = table[i % 3];
                const unsigned *above = table[(i + 2) % 3];
                const unsigned *two_above = table[(i + 1) % 3];

                row[0] = (unsigned)i;
                for (size_t j = 1; j <= b.len; j++) {
                        unsigned differs = fold(a.data[i - 1]) != fold(b.data[j - 1]);

                        row[j] = min3(row[j - 1] + 1, above[j] + 1, above[j - 1] + differs);
                        if (is_swap(a, b, i, j) && two_above[j - 2] + 1 < row[j])
                                row[j] = two_above[j - 2] + 1;
                }
        }
        return table[a.len % 3][b.len];
}

const char *config_nearest_param(Str name) {
        unsigned best = name.len >= 8 ? 3 : 2; /* what is near is below this */
        const char *nearest = NULL;

        if (name.len < 3 || name.len > NAME_MAX_BYTES)
                return NULL;
        for (int i = 0; i < CONFIG_N_PARAMS; i++) {
                Str other = str_from_cstr(config_param_info((ConfigParam)i)->name);
                size_t gap = other.len > name.len ? other.len - name.len : name.len - other.len;
                unsigned found;

                if (gap >= best || other.len > NAME_MAX_BYTES)
                        continue;
                found = distance(name, other);
                if (found < best) {
                        best = found;
                        nearest = other.data;
                }
        }
        return nearest;
}
