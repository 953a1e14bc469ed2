#pragma once

/*
 * Comparisons of main.cf expressions, "{a} < {b}", and compatibility levels. Pure.
 *
 *   == != < <= >= >               as numbers when both are decimal digits, else byte by byte
 *   ==level !=level <level ...    as compatibility levels: 3.9 is below 3.10
 */

#include "common/base/str.h"

/* One of the operators, as an index; opaque to callers. */
typedef size_t ConfigOperator;

/* A compatibility level "major[.minor[.patch]]" as one number that compares. */
typedef uint64_t ConfigLevel;

enum {
        CONFIG_COMPARE_E_NONE = 1,  /* no operator there */
        CONFIG_COMPARE_E_LEVEL = 2, /* an operand is no compatibility level */
        CONFIG_COMPARE_E_RANGE = 3  /* an operand is a number beyond 64 bits */
};

/* Split the operator at the start of *REST off. 0 or CONFIG_COMPARE_E_NONE. */
int config_compare_split_operator(Str *rest, ConfigOperator *ret);

/* Does A stand in the relation OP to B? 0, or CONFIG_COMPARE_E_LEVEL, _RANGE. */
int config_compare(ConfigOperator op, Str a, Str b, bool *ret);

/* Parts of a level are at most 65535. 0 or CONFIG_COMPARE_E_LEVEL. */
int config_level_parse(Str text, ConfigLevel *ret);
