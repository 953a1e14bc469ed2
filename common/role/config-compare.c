#include "common/role/config-compare.h"

#include <stdint.h>
#include <string.h>

#include "common/base/macro.h"

#define LEVEL_PART_MAX 65535
#define LEVEL_PARTS    3

/* The bits say which order of the operands satisfies. */
enum {
        LESS = 1,
        EQUAL = 2,
        GREATER = 4
};

/* What another one begins with comes behind it. */
static const struct {
        Str text;
        int satisfied_by;
        bool is_of_levels;
} operators[] = {
        { { "==level", 7 }, EQUAL, true },
        { { "!=level", 7 }, LESS | GREATER, true },
        { { "<=level", 7 }, LESS | EQUAL, true },
        { { ">=level", 7 }, GREATER | EQUAL, true },
        { { "<level", 6 }, LESS, true },
        { { ">level", 6 }, GREATER, true },
        { { "==", 2 }, EQUAL, false },
        { { "!=", 2 }, LESS | GREATER, false },
        { { "<=", 2 }, LESS | EQUAL, false },
        { { ">=", 2 }, GREATER | EQUAL, false },
        { { "<", 1 }, LESS, false },
        { { ">", 1 }, GREATER, false },
};

int config_compare_split_operator(Str *rest, ConfigOperator *ret) {
        for (size_t i = 0; i < ARRAY_LEN(operators); i++)
                if (str_has_prefix(*rest, operators[i].text)) {
                        *ret = i;
                        *rest = str_skip(*rest, operators[i].text.len);
                        return 0;
                }
        return CONFIG_COMPARE_E_NONE;
}

int config_level_parse(Str text, ConfigLevel *ret) {
        unsigned n = 0;
        Str part;

        *ret = 0;
        while (str_next_part(&text, '.', &part)) {
                uint64_t value;

                if (++n > LEVEL_PARTS || str_parse_u64(part, LEVEL_PART_MAX, &value) != 0)
                        return CONFIG_COMPARE_E_LEVEL;
                *ret |= value << (16 * (LEVEL_PARTS - n));
        }
        return n > 0 ? 0 : CONFIG_COMPARE_E_LEVEL;
}

static bool is_decimal(Str text) {
        for (size_t i = 0; i < text.len; i++)
                if (!ascii_is_digit(text.data[i]))
                        return false;
        return !str_is_empty(text);
}

static int order_bytes(Str a, Str b) {
        size_t n = size_min(a.len, b.len);
        int order = n > 0 ? memcmp(a.data, b.data, n) : 0;

        if (order == 0)
                return a.len < b.len ? LESS : a.len > b.len ? GREATER : EQUAL;
        return order < 0 ? LESS : GREATER;
}

static int order_numbers(Str a, Str b, int *ret) {
        uint64_t number_a;
        uint64_t number_b;

        if (str_parse_u64(a, UINT64_MAX, &number_a) != 0 ||
            str_parse_u64(b, UINT64_MAX, &number_b) != 0)
                return CONFIG_COMPARE_E_RANGE;
        *ret = number_a < number_b ? LESS : number_a > number_b ? GREATER : EQUAL;
        return 0;
}

static int order_levels(Str a, Str b, int *ret) {
        ConfigLevel level_a;
        ConfigLevel level_b;

        if (config_level_parse(a, &level_a) != 0 || config_level_parse(b, &level_b) != 0)
                return CONFIG_COMPARE_E_LEVEL;
        *ret = level_a < level_b ? LESS : level_a > level_b ? GREATER : EQUAL;
        return 0;
}

int config_compare(ConfigOperator op, Str a, Str b, bool *ret) {
        int order = EQUAL;
        int r = 0;

        if (operators[op].is_of_levels)
                r = order_levels(a, b, &order);
        else if (is_decimal(a) && is_decimal(b))
                r = order_numbers(a, b, &order);
        else
                order = order_bytes(a, b);
        *ret = (order & operators[op].satisfied_by) != 0;
        return r;
}
